"""Bytes that are kept: what institutions issue, and what channels upload."""
