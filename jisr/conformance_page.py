"""Renders docs/reference/conformance.md: the cases of the suite, from the suite itself."""

from connectors.kit.conformance.report import GROUPS
from connectors.kit.conformance.suite import all_cases

_TEXT = """
# The conformance suite

What every connector package has to prove; [Prove a connector](../how-to/prove-a-connector.md) shows how.
The same checks run in `pytest tests/conformance` for every package of the tree.

- A *case* is one promise. It is proven for each operation to which it applies (or once for the package), and some in
  several *variants* (each sample, each test person, each kind of spoiled answer); one such run is a *check*, named
  `operation/case[variant]`, as in `submit/sample[succeeded]`. `--only` takes a group, a case, an operation or such a
  name with `*` and `?`.
- The other side is the package's own sandbox, a real server in another process. Its ledger says what the institution
  really did; its switches make answers late, cut, spoiled or lost.
- Exit status: 0 everything passed, 1 something failed, 2 wrong usage.

The JSON report has `package`, `at`, `result` (`passed` or `failed`), the three counts, and `checks`: for each `id`,
`group`, `operation`, `case`, `variant`, `status` (`passed`, `failed`, `skipped`), the sentence in `ar` and `en`, `file`
(in the package) and `line` where the cause is data, `noted` (it passed, and the sentence is something to know), and
`milliseconds`.
"""


def conformance(mark: str) -> str:
    """Every case by group, with its promise in both languages."""
    text = mark + _TEXT
    for group, title in GROUPS.items():
        rows = [
            f"| `{one.name}` | {one.promise.en} | {one.promise.ar} | {'package' if one.of_package else 'operation'} |\n"
            for one in all_cases()
            if one.group == group
        ]
        text += f"\n## {group}: {title.en} · {title.ar}\n\n| case | promise | الوعد | for each |\n|---|---|---|---|\n"
        text += "".join(rows)
    return text
