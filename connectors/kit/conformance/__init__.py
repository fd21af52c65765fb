"""The conformance suite: what every connector package has to prove, run against its folder and its own sandbox.

`suite.checks_of` lists every check of a package, `suite.run` runs them. A case (`cases_*.py`, one file for each group)
is a promise in one sentence and a function that proves it; it gets a package by existing. `jisr connector check` shows
the results, and `pytest tests/conformance` runs the same checks for every package of the tree.
"""
