"""The HTTP front: the canonical API v1. HTTP status codes live here alone."""
