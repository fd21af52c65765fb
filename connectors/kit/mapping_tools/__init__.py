"""What an author of mapping documents works with, without a network: test, lint, try and explain.

`jisr mapping` shows what these give.
"""
