"""The catalogue of faults, and the tests that hold each: read from the tests' names, rendered into the docs.

`python -m tests.faults.catalogue` writes docs/reference/faults.md.
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "faults.md"
CATALOGUE = Path(__file__).with_name("catalogue.toml")
_NAMED = re.compile(r"test_([acdnos]\d+)_")


@dataclass(frozen=True, slots=True)
class Fault:
    """One case."""

    id: str
    group: str
    fault: str
    promise: str
    not_yet: str = ""  #: Why it has no test.


def faults() -> dict[str, Fault]:
    """Every case by its id, in the catalogue's order."""
    known = tomllib.loads(CATALOGUE.read_text("utf-8"))
    return {name: Fault(name, **case) for name, case in known.items()}


def proofs() -> Mapping[str, list[str]]:
    """The tests of each id: `path::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (named := _NAMED.match(node.name)):
                found[named[1].upper()].append(f"{file.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def page() -> str:
    """docs/reference/faults.md."""
    known, proven = faults(), proofs()
    text = f"""<!-- Rendered by `python -m tests.faults.catalogue`; edit tests/faults/catalogue.toml, not this page. -->

# Faults that are survived

Each case is a test (or several) that carries its id in its name; what an institution really did is read from its sandbox's
ledger of effects, here called the oracle. Behind all of them stands one promise: an accepted request is never lost, no
citizen is debited twice, no institution is asked twice for the same act, and nobody sees what is not theirs.

{len(known)} cases; {sum(not fault.not_yet for fault in known.values())} are held by tests,
the others say what they wait for. `pytest -k c4` runs the tests of one case.
"""
    group = ""
    for fault in known.values():
        if fault.group != group:
            group = fault.group
            text += f"\n## {group}\n\n| id | what happens | promise | tests |\n|---|---|---|---|\n"
        cells = (fault.id, fault.fault, fault.promise, _tests(fault, proven.get(fault.id, [])))
        text += f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
    return text


def _tests(fault: Fault, names: list[str]) -> str:
    if fault.not_yet:
        return f"not yet: {fault.not_yet}"
    return "<br>".join(f"`{name.removeprefix('tests/')}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
