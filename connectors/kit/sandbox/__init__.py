"""Plays an institution: its wire, a ledger of what it did, test persons, faults on demand, callbacks, a page."""
