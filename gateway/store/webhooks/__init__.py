"""Webhooks in the store: who listens, what is to be told, what became of it."""
