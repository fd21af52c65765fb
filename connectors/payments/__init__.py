"""The payment providers, one folder each."""
