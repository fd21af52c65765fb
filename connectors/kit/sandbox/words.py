"""The expressions of a sandbox.toml, compiled by the mapping language; a name that nothing gives is refused at load."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from connectors.kit.manifest import ManifestError
from connectors.kit.sandbox.document import SandboxDocument, file_of
from mappings.codes import CodeTable
from mappings.errors import MappingError
from mappings.language import Compiler, Template

#: Names that are the same for every request.
STANDING = frozenset({"code", "text"})
#: Names that every rule may read, beside those of `reads`.
GIVEN = STANDING | {
    "request", "settings", "now", "now_text", "today", "count", "number", "document", "token", "closed_until",
}  # fmt: skip


class Words:
    """Compiles the expressions of one file."""

    def __init__(self, folder: Path, document: SandboxDocument) -> None:
        self._file = file_of(folder)
        lists = {name: _list(name, rows) for name, rows in document.tables.items()}
        self._compiler = Compiler({**_tables(folder), **lists})
        self._names = GIVEN | set(document.reads)
        self.changing = self._names - STANDING  #: What may differ from request to request.

    def template(self, tree: Any, key: str) -> Template:
        """`tree` compiled; `key` is where it stands. Raises ManifestError."""
        for place, text in _leaves(tree, key):
            unknown = sorted(_roots(text) - self._names)
            if unknown:
                raise ManifestError(self._file, place, f"nothing is named {unknown[0]} (see reads)")
        try:
            return self._compiler.template(tree, self._file, key)
        except MappingError as error:
            raise ManifestError(self._file, error.key, error.problem) from error

    def refuse(self, key: str, problem: str) -> ManifestError:
        """The error of this file."""
        return ManifestError(self._file, key, problem)


def _list(name: str, rows: Mapping[str, str]) -> CodeTable:
    """A list of the institution's own, which is not looked up back: two things may have the same price."""
    return CodeTable(name, {key: {"code": value} for key, value in rows.items()}, {})


def _tables(folder: Path) -> Mapping[str, CodeTable]:
    """The connector's own code tables; whether codes.toml is right is judged where the connector is loaded."""
    try:
        tables = tomllib.loads((folder / "codes.toml").read_text("utf-8")).get("tables", {})
        return {
            name: CodeTable.of(name, {value: {"code": code} for value, code in table.items()})
            for name, table in tables.items()
        }
    except (OSError, ValueError, AttributeError):
        return {}


def _leaves(tree: Any, key: str) -> Iterator[tuple[str, str]]:
    match tree:
        case str():
            yield key, tree
        case Mapping():
            for name, child in tree.items():
                yield from _leaves(child, f"{key}.{name}")
        case list() | tuple():
            for number, child in enumerate(tree):
                yield from _leaves(child, f"{key}[{number}]")


def _roots(text: str) -> set[str]:
    """The names that an expression reads of its context; none for what is no expression: the compiler reports it."""
    try:
        return _first(jmespath.compile(text).parsed)
    except (JMESPathError, RecursionError):
        return set()


#: Nodes all of whose children read the same context; of the others (paths, projections, pipes) only the first does.
_SIDE_BY_SIDE = frozenset(
    {
        "function_expression",
        "or_expression",
        "and_expression",
        "not_expression",
        "comparator",
        "multi_select_list",
        "multi_select_dict",
    }
)


def _first(node: Any) -> set[str]:
    if node["type"] == "field":
        return {node["value"]}
    children = [child for child in node["children"] if isinstance(child, Mapping)]
    if node["type"] == "expref" or not children:
        return set()
    return set().union(*(_first(child) for child in (children if node["type"] in _SIDE_BY_SIDE else children[:1])))
