"""The table of cases that stands beside a mapping: `mapping/<operation>.cases.yaml`.

A case starts from a sample's canonical document, changes some of it, and says what the request, the outcome or the
error is. With `rows` one case is a table: the first row names paths, each further row is a case.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mappings.documents import Place, place_of, read_data
from mappings.errors import MappingError

SUFFIX = ".cases.yaml"
KEYS = frozenset({"case", "sample", "given", "request", "answer", "http", "outcome", "error", "rows"})
_EXPECTED = ("request", "outcome", "error")
_MAX_CASES = 2000


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a table."""

    name: str
    place: Place
    sample: str  #: Where its canonical document comes from; empty: `succeeded`.
    given: Mapping[str, Any]  #: Laid over that document.
    answer: Mapping[str, Any] | None  #: As the mapping reads it; None: nothing is answered.
    http: Mapping[str, Any]  #: `status` and `headers` of the answer.
    request: Mapping[str, Any] | None  #: What the request has, as far as it is named.
    outcome: Mapping[str, Any] | None  #: What the outcome has, as far as it is named.
    error: str  #: A part of the error that is wanted.


def cases_of(folder: Path, operation: str) -> list[Case]:
    """The cases of one operation; none without a file. Raises MappingError with file, line and key."""
    file = folder / "mapping" / f"{operation}{SUFFIX}"
    name = f"{folder.name}/mapping/{file.name}"
    if not file.exists():
        return []
    tree = read_data(file, name)
    listed = tree.get("cases")
    if set(tree) != {"cases"} or not isinstance(listed, list):
        raise MappingError(name, "cases", "the file has one key, cases: a list")
    found = [case for number, row in enumerate(listed) for case in _cases(row, name, number)]
    if len(found) > _MAX_CASES:
        raise MappingError(name, "cases", f"more than {_MAX_CASES:,} cases")
    return found


def _cases(row: Any, file: str, number: int) -> Iterator[Case]:
    key = f"cases[{number}]"
    if not isinstance(row, dict):
        raise MappingError(file, key, "a case is a mapping")
    first = place_of(row, next(iter(row), ""), Place(file, 0))
    for name in row:
        if name not in KEYS:
            here = place_of(row, name, first)
            known = ", ".join(sorted(KEYS))
            raise MappingError(file, f"{key}.{name}", f"unknown key (known: {known})", here.line)
    for name in ("given", "request", "answer", "http", "outcome"):
        if not isinstance(row.get(name, {}), dict):
            raise MappingError(file, f"{key}.{name}", "a mapping is expected", place_of(row, name, first).line)
    for name in ("case", "sample", "error"):
        if not isinstance(row.get(name, ""), str):
            raise MappingError(file, f"{key}.{name}", "text is expected", place_of(row, name, first).line)
    tables = [row] if "rows" not in row else list(_rows(row, file, key, first))
    for number_of_row, one in enumerate(tables):
        if not any(name in one for name in _EXPECTED):
            raise MappingError(file, key, "a case says request, outcome or error", first.line)
        suffix = f" [{number_of_row + 1}]" if "rows" in row else ""
        yield Case(
            f"{row.get('case') or key}{suffix}",
            first,
            one.get("sample", ""),
            one.get("given", {}),
            one.get("answer"),
            one.get("http", {}),
            one.get("request"),
            one.get("outcome"),
            one.get("error", ""),
        )


def _rows(row: Mapping[str, Any], file: str, key: str, first: Place) -> Iterator[dict[str, Any]]:
    """A table as cases: `given.input.level` in the first row, `basic` in another, and so on."""
    rows, line = row["rows"], place_of(row, "rows", first).line
    if not isinstance(rows, list) or not rows or not all(isinstance(cells, list) for cells in rows):
        raise MappingError(file, f"{key}.rows", "a list of lists is expected, the first with paths", line)
    names, *lines = rows
    if not lines or not all(isinstance(name, str) and name.partition(".")[0] in KEYS for name in names):
        raise MappingError(file, f"{key}.rows", "the first row has paths like given.input.level", line)
    for number, cells in enumerate(lines, start=1):
        if len(cells) != len(names):
            raise MappingError(file, f"{key}.rows[{number}]", f"{len(names)} cells are expected", line)
        made: dict[str, Any] = {name: value for name, value in row.items() if name not in {"rows", "case"}}
        for name, value in zip(names, cells, strict=True):
            made = laid_over(made, _nested(name.split("."), value))
        yield made


def _nested(names: list[str], value: Any) -> Any:
    for name in reversed(names):
        value = {name: value}
    return value


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with what `above` names changed; mappings go into one another, all else is replaced."""
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        result[key] = laid_over(known, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result
