"""Two trees side by side: JSON or XML as paths with values, and the places where they differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lxml import etree

_ABSENT = object()


class Difference(NamedTuple):
    """One place where what came is not what was wanted."""

    path: str
    wanted: str  #: As text; empty when nothing was wanted there.
    found: str  #: As text; empty when nothing was found there.


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    """The places where two sets of paths differ, in the order of the wanted one."""
    return [
        Difference(path, _shown(wanted.get(path, _ABSENT)), _shown(found.get(path, _ABSENT)))
        for path in dict.fromkeys([*wanted, *found])
        if not _same(wanted.get(path, _ABSENT), found.get(path, _ABSENT))
    ]


def part_of(wanted: Any, found: Any, path: str = "") -> list[Difference]:
    """The places where `found` lacks what is wanted: of objects only the keys that it names; null means absent."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return [
            difference
            for key, value in wanted.items()
            for difference in part_of(value, found.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [found_ for n, (left, right) in pairs for found_ in part_of(left, right, f"{path}[{n}]")]
    if _same(wanted, found):
        return []
    return [Difference(path, _shown(wanted if wanted is not None else _ABSENT), _shown(found))]


def flat_json(tree: Any, path: str = "") -> dict[str, Any]:
    """Paths (`body.rows[0].n`) with their scalar values; an empty object or list counts as one."""
    return dict(_json(tree, path))


def _json(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _json(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list) and tree:
        for number, value in enumerate(tree):
            yield from _json(value, f"{path}[{number}]")
    else:
        yield path, tree


def flat_xml(raw: bytes | str) -> dict[str, Any]:
    """Paths (`Body/Record/Year`) of an XML document with their texts; names without their namespaces, which stand
    beside each element that begins a new one. Raises ValueError."""
    text = raw.encode() if isinstance(raw, str) else raw
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed XML (line {error.lineno})") from None
    return dict(_xml(root, "", None))


def _xml(element: Any, path: str, namespace: str | None) -> Iterator[tuple[str, Any]]:
    name = etree.QName(element)
    here = f"{path}/{name.localname}" if path else name.localname
    if (name.namespace or "") != (namespace or ""):
        yield f"{here}/@xmlns", name.namespace or ""
    for key, value in sorted(element.attrib.items()):
        yield f"{here}/@{key.rpartition('}')[2]}", value
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        yield here, (element.text or "").strip()
    counts: dict[str, int] = {}
    for child in children:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        repeated = sum(other.tag == child.tag for other in children) > 1
        for below, value in _xml(child, "", name.namespace):
            first, slash, rest = below.partition("/")
            number = f"[{counts[child.tag]}]" if repeated else ""
            yield f"{here}/{first}{number}{slash}{rest}", value


def _same(left: Any, right: Any) -> bool:
    """Equal, and a truth value is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return ""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
