"""What an expression reads, told from its tree: for `explain` and `lint`, never on the way of a request."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mappings.compiled import Node, walk
from mappings.documents import Place
from mappings.expression import parse
from mappings.language import used

Path = tuple[str, ...]  #: `("answer", "rows", "*", "n")`: `*` stands for every element.

_PROJECTIONS = frozenset({"projection", "value_projection", "filter_projection"})


class Leaf(NamedTuple):
    """One expression of a mapping document."""

    key: Path  #: Where its value goes; `*` stands for the rows of `$each`, a number for a place in a list.
    text: str
    place: Place
    kind: str  #: value | when | each
    rows: Path  #: Within `$each`: what `item` stands for; empty elsewhere.
    conditions: tuple[str, ...] = ()  #: The `$when` expressions that must be true for it to count.

    @property
    def reads(self) -> tuple[Path, ...]:
        """What it reads, without repeats; `item` is replaced by the rows that it stands for."""
        return tuple(self.rows + path[1:] if self.rows and path[0] == "item" else path for path in reads(self.text))

    @property
    def calls(self) -> tuple[Node, ...]:
        """Its function calls."""
        return tuple(part for part in walk(parse(self.text)) if part["type"] == "function_expression")


def leaves(tree: Any, parts: Mapping[str, Any], place: Place) -> Iterator[Leaf]:
    """Every expression under `tree`, parts put in their place. Raises MappingError."""
    return _leaves(tree, parts, Leaf((), "", place, "value", ()))


def _leaves(tree: Any, parts: Mapping[str, Any], at: Leaf) -> Iterator[Leaf]:
    if isinstance(tree, str):
        yield at._replace(text=tree)
    elif isinstance(tree, list):
        for number, item in enumerate(tree):
            yield from _leaves(item, parts, at._replace(key=(*at.key, str(number))))
    elif isinstance(tree, dict):
        yield from _of_mapping(used(tree, parts, at.place, ".".join(at.key)), parts, at)


def _of_mapping(tree: Any, parts: Mapping[str, Any], at: Leaf) -> Iterator[Leaf]:
    places = getattr(tree, "places", {})
    if "$when" in tree:
        when = at._replace(text=str(tree["$when"]), place=places.get("$when", at.place), kind="when")
        yield when
        at = at._replace(conditions=(*at.conditions, when.text))
    if "$each" in tree:
        each = at._replace(text=str(tree["$each"]), place=places.get("$each", at.place), kind="each")
        yield each
        rows = (*(each.reads or (("item",),))[0], "*")
        here = at._replace(key=(*at.key, "*"), place=places.get("$item", at.place), rows=rows)
        yield from _leaves(tree.get("$item"), parts, here)
        return
    for name, child in tree.items():
        if not name.startswith("$"):
            here = at._replace(key=(*at.key, name), place=places.get(name, at.place))
            yield from _leaves(child, parts, here)


def reads(text: str) -> tuple[Path, ...]:
    """The paths that an expression reads, longest form, in order, without repeats. Raises ValueError."""
    found = dict.fromkeys(path for path in _reads(parse(text), ()) if path)
    return tuple(path for path in found if not any(other != path and other[: len(path)] == path for other in found))


def _reads(node: Node, base: Path) -> list[Path]:  # noqa: PLR0911  # one per kind of node
    """What `node` reads when its current value stands at `base`; the first path is where its own value stands."""
    children = [child for child in node["children"] if isinstance(child, Mapping)]
    match node["type"]:
        case "field":
            return [(*base, node["value"])]
        case "current" | "identity":
            return [base]
        case "index":
            return [(*base, "*")]
        case "slice":
            return [base]
        case "literal":
            return []
        case "subexpression" | "index_expression" | "pipe":
            return _chained(children, base)
        case "flatten":
            return _reads(children[0], base)
        case kind if kind in _PROJECTIONS:
            rows, *rest = _reads(children[0], base) or [base]
            each = [found for child in children[1:] for found in _reads(child, (*rows, "*"))]
            return [*each, *rest]
        case "function_expression":
            return _called(children, base)
    return [found for child in children for found in _reads(child, base)]


def _chained(children: list[Node], base: Path) -> list[Path]:
    found: list[Path] = [base]
    for child in children:
        if not found:
            break
        at, *rest = found
        found = [*_reads(child, at), *rest]
    return found


def _called(children: list[Node], base: Path) -> list[Path]:
    rows: Path = base
    found: list[Path] = []
    for child in children:
        if child["type"] != "expref":
            given = _reads(child, base)
            found += given
            rows = (*given[0], "*") if given else base
    for child in children:
        if child["type"] == "expref":
            found += _reads(child["children"][0], rows)
    return found
