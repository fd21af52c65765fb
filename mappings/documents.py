"""Reads mapping documents: plain YAML, within limits, every key and leaf with the line where it stands."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import yaml
from yaml.composer import Composer

from mappings.errors import MappingError

MAX_BYTES = 64 * 1024
MAX_DATA_BYTES = 1024 * 1024


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int  #: From 1; 0 when it is not known.


class Branch(dict[str, Any]):
    """A mapping that knows the places of its keys."""

    def __init__(self, tree: Mapping[str, Any], places: Mapping[str, Place]) -> None:
        super().__init__(tree)
        self.places = places


def place_of(tree: Any, key: str, default: Place) -> Place:
    """Where `key` stands in `tree`, when the tree was read from a file."""
    return tree.places.get(key, default) if isinstance(tree, Branch) else default


def read_document(path: Path, name: str) -> dict[str, Any]:
    """The mapping document in `path`; raises MappingError naming the file as `name`."""
    return _read(path, name, _Loader, MAX_BYTES)


def read_data(path: Path, name: str) -> dict[str, Any]:
    """A YAML mapping of plain values: a date stays text, a number with a point is exact. Raises MappingError."""
    return _read(path, name, _DataLoader, MAX_DATA_BYTES)


def _read(path: Path, name: str, loader: "type[_Loader]", most: int) -> dict[str, Any]:
    try:
        if path.stat().st_size > most:
            raise MappingError(name, "", f"the file is too large; it may have {most // 1024} KiB")
        raw = path.read_bytes()
    except OSError as error:
        raise MappingError(name, "", "the file cannot be read") from error
    try:
        tree = loader(raw, name).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise MappingError(name, "", f"not plain YAML: {problem}", mark.line + 1 if mark else 0) from error
    if not isinstance(tree, dict):
        raise MappingError(name, "", "a YAML mapping is expected")
    return tree


class _Loader(Composer, yaml.CSafeLoader):
    """YAML without aliases (they multiply), without duplicate keys, and without dates and floats by accident.

    libyaml reads the text, which is some five times faster; the tree is composed here, where aliases can be refused.
    """

    def __init__(self, raw: bytes, name: str) -> None:
        yaml.CSafeLoader.__init__(self, raw)
        Composer.__init__(self)
        self._file = name

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise _refused("aliases are not allowed", getattr(self.peek_event(), "start_mark", None))
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002, FBT001, FBT002  # as PyYAML has it
        tree: dict[str, Any] = {}
        places: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused("a key is text", key_node.start_mark)
            if key in tree:
                raise _refused(f"the key {key!r} stands twice", key_node.start_mark)
            tree[key] = self.construct_object(value_node, deep=True)
            places[key] = Place(self._file, key_node.start_mark.line + 1)
        return Branch(tree, places)

    def construct_yaml_map(self, node: Any) -> Any:
        """At once and not in two steps: there are no aliases that could point back."""
        return self.construct_mapping(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_yaml_map)


class _DataLoader(_Loader):
    """For values: nothing is turned into a date, and no number into a float."""

    yaml_implicit_resolvers: ClassVar[Any] = {  # type: ignore[misc]  # the stubs have it per instance
        first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in _Loader.yaml_implicit_resolvers.items()
    }

    def construct_exact(self, node: Any) -> Decimal:
        """A number with a point, exactly."""
        try:
            return Decimal(node.value)
        except InvalidOperation:
            raise _refused("a number is written as 12.50", node.start_mark) from None


_DataLoader.add_constructor("tag:yaml.org,2002:float", _DataLoader.construct_exact)


def _refused(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
