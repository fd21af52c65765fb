"""Webhooks: tells channels what becomes of their requests, signed, at an address that was looked at first."""
