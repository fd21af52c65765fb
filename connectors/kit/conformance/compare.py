"""Where two messages differ first: JSON by value, XML by its canonical form."""

import json
from typing import Any

from lxml import etree

from connectors.kit.xsd_codec.particles import TYPE

_MOST_SHOWN = 60
Difference = tuple[str, str, str]  #: Path, what there is, what is wanted.


def first_difference(got: Any, wanted: Any, path: str = "") -> Difference | None:
    """The first difference between two JSON values, or None."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        keys = [*wanted, *(key for key in got if key not in wanted)]
        parts = [
            (f"{path}.{key}" if path else str(key), got.get(key, _NOTHING), wanted.get(key, _NOTHING)) for key in keys
        ]
        return next(filter(None, (first_difference(one, other, where) for where, one, other in parts)), None)
    if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        pairs = enumerate(zip(got, wanted, strict=True))
        return next(filter(None, (first_difference(one, other, f"{path}[{n}]") for n, (one, other) in pairs)), None)
    if got == wanted and isinstance(got, bool) == isinstance(wanted, bool):
        return None
    return (path or "the whole"), _shown(got), _shown(wanted)


class _Nothing:
    def __repr__(self) -> str:
        return "∅"


_NOTHING = _Nothing()


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, _Nothing) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def canonical_xml(element: Any) -> str:
    """Canonical form (C14N 2.0), white space between elements left out, prefixes rewritten."""
    clean = etree.fromstring(etree.tostring(element), etree.XMLParser(remove_blank_text=True, remove_comments=True))
    form: str = etree.canonicalize(
        etree.tostring(clean, encoding="unicode"), strip_text=True, rewrite_prefixes=True, qname_aware_attrs=[TYPE]
    )
    return form


def same_xml(envelope: bytes, wanted: Any) -> Difference | None:
    """Whether the envelope's body holds the wanted element; else the first difference."""
    root = etree.fromstring(envelope)
    body = root.find("{*}Body")
    if body is None or len(body) != 1:
        return "Body", f"{0 if body is None else len(body)} elements", "one element"
    if canonical_xml(body[0]) == canonical_xml(wanted):
        return None
    return _xml_difference(body[0], wanted, "") or ("the whole", "another order or namespace", "as in the sample")


def _xml_difference(got: Any, wanted: Any, path: str) -> Difference | None:
    where = f"{path}/{etree.QName(wanted).localname}" if path else etree.QName(wanted).localname
    if got.tag != wanted.tag:
        return where, f"<{etree.QName(got).localname}>", f"<{etree.QName(wanted).localname}>"
    if (has := _attributes(got)) != (wants := _attributes(wanted)):
        return where, _shown(has), _shown(wants)
    ours, theirs = ([child for child in element if isinstance(child.tag, str)] for element in (got, wanted))
    for one, other in zip(ours, theirs, strict=False):
        if (found := _xml_difference(one, other, where)) is not None:
            return found
    if len(ours) != len(theirs):
        longer, shorter = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
        name = etree.QName(longer[len(shorter)]).localname
        return (f"{where}/{name}", *((f"<{name}>", "∅") if longer is ours else ("∅", f"<{name}>")))
    texts = [(element.text or "").strip() for element in (got, wanted)]
    return None if texts[0] == texts[1] else (where, _shown(texts[0]), _shown(texts[1]))


def _attributes(element: Any) -> dict[str, str]:
    """The attributes; the prefix of a type's name (`xsi:type`) counts for what it means."""
    found = dict(element.attrib)
    if TYPE in found:
        prefix, _, local = found[TYPE].rpartition(":")
        found[TYPE] = f"{{{element.nsmap.get(prefix or None, '')}}}{local}"
    return found
