"""Lets `python -m jisr` do what `jisr` does."""

from jisr.cli import main

main()
