"""SOAP Faults of both versions: code, words and detail as plain values."""

from typing import Any

from connectors.kit.wsdl import SOAP11

_LEVELS = 8


def read_fault(element: Any, envelope: str) -> dict[str, Any]:
    """`{"code", "text", "detail"}`; the code without its prefix, in SOAP 1.2 the innermost. Raises ValueError."""
    if envelope == SOAP11:
        children = {_local(child.tag): child for child in element}  # some qualify them, against the specification
        code, text, detail = (children.get(name) for name in ("faultcode", "faultstring", "detail"))
    else:
        tag = f"{{{envelope}}}"
        code = next(iter(reversed(list(element.iterfind(f"{tag}Code//{tag}Value")))), None)
        text, detail = element.find(f"{tag}Reason/{tag}Text"), element.find(f"{tag}Detail")
    if code is None:
        raise ValueError("the fault has no code")
    tree = {} if detail is None else _plain(detail, 0)
    return {
        "code": _text(code).rpartition(":")[2],
        "text": _text(text),
        "detail": tree if isinstance(tree, dict) else {},
    }


def _plain(element: Any, level: int) -> Any:
    """A fault's detail as nested dicts by local names; of repeated names the first, and not deeper than a limit."""
    if len(element) == 0 or level == _LEVELS:
        return _text(element)
    result: dict[str, Any] = {}
    for child in element:
        if isinstance(child.tag, str):
            result.setdefault(_local(child.tag), _plain(child, level + 1))
    return result


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: Any) -> str:
    return "" if element is None else (element.text or "").strip()
