"""Both sides of one exchange, as text: the canonical document and the wire's request, the answer and its outcome."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.kit.errors import MappingFailed
from connectors.kit.http import HttpAnswer
from connectors.kit.mapping_tools.called_back import read_callback, shown_callback
from connectors.kit.mapping_tools.testing import wire_json
from connectors.kit.mapping_tools.workbench import ToolError, Workbench, http_answer
from connectors.kit.outcome_file import shown
from connectors.kit.rest import RestMessage

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """One exchange; a side that was not given is empty."""

    canonical: str
    request: str
    problem: str  #: Why there is no request.
    answer: str
    outcome: str


def try_out(
    bench: Workbench, operation: str, document: Mapping[str, Any], answer: HttpAnswer | None, *, request: bool = True
) -> Tried:
    """What the mapping makes of a document and of an answer to it. Raises ToolError."""
    bench.operation(operation)
    if not isinstance(document.get("operation_id"), str):
        raise ToolError("the canonical document has no operation_id")
    written, problem = "", ""
    if request:
        try:
            written = _wire(bench.request(operation, document))
        except MappingFailed as error:
            problem = str(error)
    canonical = pretty({name: value for name, value in document.items() if name != "secrets"})
    if answer is None:
        return Tried(canonical, written, problem, "", "")
    return Tried(
        canonical, written, problem, _answer(answer), pretty(shown(bench.concluded(operation, document, answer)))
    )


def try_callback(bench: Workbench, name: str, raw: bytes) -> Tried:
    """What the mapping makes of a message that the institution sends by itself."""
    return Tried("", "", "", _answer(http_answer(raw, 0)), pretty(shown_callback(read_callback(bench, name, raw))))


def pretty(content: Any) -> str:
    """JSON for people."""
    return json.dumps(content, ensure_ascii=False, indent=2, default=str)


def _wire(message: RestMessage) -> str:
    if message.body.lstrip()[:1] == b"<":
        return _xml(message.body)
    return pretty({name: _shortened(value) for name, value in wire_json(message).items() if value not in ({}, None)})


def _shortened(value: Any) -> Any:
    """Long texts (attachments) by their beginning and their length."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:60]}… ({len(value)})"
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value


def _answer(answer: HttpAnswer) -> str:
    if answer.media_type.endswith("xml"):
        return _xml(answer.body)
    head = f"HTTP {answer.status}\n" if answer.status else ""
    try:
        return f"{head}{pretty(_shortened(json.loads(answer.body)))}"
    except (ValueError, RecursionError):
        return f"{head}{answer.body[:2000].decode(errors='replace')}"


def _xml(raw: bytes) -> str:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        return raw[:2000].decode(errors="replace")
    for element in root.iter():
        element.text = _shortened(element.text)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode").strip()
