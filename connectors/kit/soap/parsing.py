"""Bytes that a counterparty sent, as a tree: with our own limits where those of libxml2 are too narrow."""

from typing import Any

from lxml import etree

MAX_DEPTH = 256  #: libxml2's own limit for what is not large.
_MAX_ATTRIBUTES = 10_000  #: libxml2 has no limit of its own, and reports each one that the schema does not know.
_LARGE = 10_000_000  #: libxml2 takes no text that is longer: a large document in base64.

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False,
    "remove_comments": True, "remove_pis": True, "recover": False,
}  # fmt: skip
#: Nothing is expanded or loaded, and libxml2's limits on depth and size stay on.
_PARSER = etree.XMLParser(huge_tree=False, **_OPTIONS)
#: For a message that may hold a longer text: its size has a cap already, it has no DOCTYPE, and its depth is looked at.
_LARGE_PARSER = etree.XMLParser(huge_tree=True, **_OPTIONS)
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")
_WORDS = {
    etree.ErrorTypes.ERR_NAME_TOO_LONG: "the answer has a name that is longer than any name of a contract",
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: f"the answer is nested deeper than {MAX_DEPTH} levels",
}


def parse(raw: bytes) -> Any:
    """The root of a message in UTF-8. Raises ValueError, with the line of what is wrong."""
    if b"!" in raw and b"<!DOCTYPE" in raw:  # the single character is looked for ten times as fast
        raise ValueError("the answer has a DOCTYPE")
    if len(raw) > _MAX_ATTRIBUTES and raw.count(b"=") > _MAX_ATTRIBUTES:
        raise ValueError("the answer has too many attributes")
    large = len(raw) > _LARGE
    try:
        root = etree.fromstring(raw, _LARGE_PARSER if large else _PARSER)
    except etree.XMLSyntaxError as error:
        code: Any = getattr(error, "code", None)  # the stubs forget it
        words = _WORDS.get(code, "the answer is not well-formed XML")
        raise ValueError(f"{words} (line {error.lineno})") from None
    if large and _TOO_DEEP(root):
        raise ValueError(_WORDS[etree.ErrorTypes.ERR_RESOURCE_LIMIT])
    return root
