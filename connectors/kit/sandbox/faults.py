"""The faults that a sandbox can be switched to, and how each spoils an answer.

A fault before the effect (`BEFORE_EFFECT`) leaves the ledger untouched. Every other fault happens after the effect: the
institution has acted, and only the answer is late, lost or spoiled. That is the harder case for whoever called.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from connectors.kit.sandbox.certificates import REFUSALS
from connectors.kit.sandbox.encoding import in_wrong_encoding
from connectors.kit.sandbox.institution import Answer, Callback
from connectors.kit.sandbox.mtom import as_mtom

#: What a mode takes as its value.
NUMBER, NOTHING, OPTIONAL_TEXT, TEXT = "a number", "nothing", "a text or nothing", "a text"
STATUS, REDIRECT = "an HTTP status, or an object with code", "an address, or an object with url"
CERTIFICATE = f"{', '.join(REFUSALS)}, or nothing"

MODES: Mapping[str, str] = {
    "latency": NUMBER,  # milliseconds until the answer leaves
    "silence": NOTHING,  # no answer ever; ends when the caller hangs up
    "cut_before": NOTHING,  # reset before the effect
    "cut_after": NOTHING,  # effect, then reset before any byte of the answer
    "cut_middle": NOTHING,  # half of the body, then the connection ends
    "truncate": NUMBER,  # only the first n bytes, as if they were all
    "drip": NUMBER,  # milliseconds between two bytes of the body
    "status": STATUS,  # 503, or {"code": 503, "retry_after": 5, "after_effect": true}
    "html": NOTHING,  # 200 with an HTML page
    "empty": NOTHING,  # 200 with no body
    "wrong_content_type": OPTIONAL_TEXT,
    "wrong_charset": NOTHING,  # windows-1256 that calls itself UTF-8, or the other way round
    "bom": NOTHING,  # a byte order mark in front
    "redirect": REDIRECT,  # "http://…", or {"url": "http://…", "code": 302}
    "fault": NOTHING,  # the institution's own fault, no listed refusal
    "wrong_element": NOTHING,
    "missing_element": OPTIONAL_TEXT,  # which one; else the first of the answer
    "extra_element": NOTHING,
    "huge": NUMBER,  # bytes of padding inside the answer
    "gzip_bomb": NUMBER,  # the same, compressed
    "mtom": NOTHING,  # no fault: binary content as attachments
    "case": TEXT,  # no fault: answers as for this outcome of a person, or with this sample case
    "token_expired": NOTHING,  # all tokens are void from this request on
}
#: Of what the institution sends by itself; `operation` is the callback's name, or that of the act before it.
CALLBACK_MODES: Mapping[str, str] = {
    "callback_early": NOTHING,  # it arrives before the answer does
    "callback_late": NUMBER,  # so many milliseconds later
    "callback_twice": NOTHING,
    "callback_never": NOTHING,
    "callback_out_of_order": NOTHING,  # held until the next one without this switch has gone
    "callback_unsigned": NOTHING,
    "callback_badly_signed": NOTHING,
}
#: Of the connection, before any request: how a client's certificate is refused. `operation` says nothing here.
CONNECTION_MODES: Mapping[str, str] = {"client_certificate": CERTIFICATE}
#: No fault: the institution keeps the opening hours of its sandbox.toml. `operation` says nothing here either.
HOURS = "hours"
ALL_MODES: Mapping[str, str] = {**MODES, **CALLBACK_MODES, **CONNECTION_MODES, HOURS: NOTHING}
#: The answer is another message, as the institution itself would write and sign it.
REWRITING = frozenset({"wrong_element", "missing_element", "extra_element"})
BEFORE_EFFECT = frozenset({"cut_before", "redirect", "fault"})
BLOCK = 1 << 20


class SwitchError(ValueError):
    """A switch that does not exist; the text says what does."""


@dataclass(slots=True)
class Switch:
    """One fault that is on: for which operation ("*" is any), how, and for how many more requests."""

    operation: str
    mode: str
    value: Any = None
    times: int | None = None

    def shown(self) -> Mapping[str, Any]:
        """As the control API shows it."""
        return {"operation": self.operation, "mode": self.mode, "value": self.value, "times": self.times}


def read_switch(body: Any) -> Switch:
    """A switch from the control API's JSON; raises SwitchError with one sentence."""
    if not isinstance(body, dict) or set(body) - {"operation", "mode", "value", "times"}:
        raise SwitchError("a switch is an object of operation, mode, value and times")
    times: Any = body.get("times")
    switch = Switch(body.get("operation", "*"), body.get("mode", ""), body.get("value"), times)
    kind = ALL_MODES.get(switch.mode)
    if kind is None:
        raise SwitchError(f"mode is one of {', '.join(ALL_MODES)}")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise SwitchError("times is a whole number from 1, or null for always")
    if not _fits(kind, switch.value):
        raise SwitchError(f"the value of {switch.mode} must be: {kind}")
    return switch


def _fits(kind: str, value: Any) -> bool:
    code = value.get("code") if isinstance(value, dict) else value
    url = value.get("url") if isinstance(value, dict) else value
    fitting: Mapping[str, bool] = {
        NUMBER: isinstance(value, int | float) and not isinstance(value, bool) and value >= 0,
        OPTIONAL_TEXT: value is None or isinstance(value, str),
        TEXT: isinstance(value, str) and bool(value),
        CERTIFICATE: value is None or (isinstance(value, str) and value in REFUSALS),
        STATUS: isinstance(code, int) and 100 <= code <= 599,
        REDIRECT: isinstance(url, str),
        NOTHING: value is None,
    }
    return fitting[kind]


class Switches:
    """The faults that are on."""

    def __init__(self) -> None:
        self._on: list[Switch] = []

    def __bool__(self) -> bool:
        return bool(self._on)

    def add(self, switch: Switch) -> None:
        """Switch a fault on."""
        self._on.append(switch)

    def has(self, mode: str) -> bool:
        """Whether one of this mode is on."""
        return any(switch.mode == mode for switch in self._on)

    def clear(self) -> None:
        """Switch everything off."""
        self._on.clear()

    def shown(self) -> list[Mapping[str, Any]]:
        """All that are on, as the control API shows them."""
        return [switch.shown() for switch in self._on]

    def take(self, operation: str) -> tuple[float, Switch | None]:
        """For one request: seconds of latency (of all that apply), and the first other fault; counts `times` down."""
        latency_seconds, fault = 0.0, None
        for switch in [switch for switch in self._on if switch.operation in ("*", operation)]:
            if switch.mode not in MODES:
                continue
            if switch.mode == "latency":
                latency_seconds += switch.value / 1000
            elif fault is None:
                fault = switch
            else:
                continue
            self._spend(switch)
        return latency_seconds, fault

    def take_callback(self, callback: Callback) -> Mapping[str, Any]:
        """For one callback: the modes that apply, with their values; counts `times` down."""
        found = {}
        for switch in list(self._on):
            if switch.mode in CALLBACK_MODES and switch.operation in ("*", callback.name, callback.operation):
                found[switch.mode] = switch.value
                self._spend(switch)
        return found

    def take_refusal(self) -> str | None:
        """For one TLS connection: how the client's certificate is refused, if it is; counts `times` down."""
        for switch in self._on:
            if switch.mode in CONNECTION_MODES:
                self._spend(switch)
                return switch.value or next(iter(REFUSALS))
        return None

    def _spend(self, switch: Switch) -> None:
        if switch.times is not None:
            switch.times -= 1
            if switch.times == 0:
                self._on.remove(switch)


def status_answer(value: Any) -> Answer:
    """A bare HTTP status, as a proxy in front of the institution would send it."""
    facts = value if isinstance(value, dict) else {"code": value}
    headers = {"Retry-After": str(facts["retry_after"])} if "retry_after" in facts else {}
    page = f"<html><body><h1>{facts['code']}</h1></body></html>".encode()
    return Answer(page, status=facts["code"], content_type="text/html; charset=utf-8", headers=headers)


def redirect_answer(value: Any) -> Answer:
    """A redirect to another address, 307 unless the switch says otherwise."""
    facts = value if isinstance(value, dict) else {"url": value}
    return Answer(b"", status=facts.get("code", 307), content_type="text/plain", headers={"Location": facts["url"]})


def spoil(switch: Switch, answer: Answer) -> Answer:
    """The answer as this fault leaves it; faults of the connection leave it as it is."""
    way = _SPOILED.get(switch.mode)
    return way(switch, answer) if way else answer


def html_answer(words: str, status: int | None = None) -> Answer:
    """A page for people, where an answer should be: 200 unless a status is given."""
    page = f"<html><head><title>خطأ</title></head><body><p>{escape(words)}</p></body></html>"
    return Answer(page.encode(), status or 200, "text/html; charset=utf-8")


def _html(_: Switch, __: Answer) -> Answer:
    return html_answer("الخدمة غير متاحة · service not available")


def _spoil_json(mode: str, name: str | None, body: bytes) -> bytes:
    content = json.loads(body or b"{}")
    listed = not isinstance(content, dict)
    if listed:
        content = {"items": content}
    if mode == "wrong_element":
        content = {"unexpected": content["items"]} if listed else [content]
    elif mode == "missing_element":
        content.pop(name or next(iter(content), ""), None)
    else:
        content["unexpected"] = "value"
    return json.dumps(content, ensure_ascii=False).encode()


def _spoil_xml(mode: str, name: str | None, body: bytes) -> bytes:
    root = etree.fromstring(body)
    soap_body = root.find("{*}Body")
    answer = root if soap_body is None else soap_body[0]
    namespace = etree.QName(answer).namespace
    if mode == "wrong_element":
        answer.tag = f"{{{namespace}}}UnexpectedResponse"
    elif mode == "missing_element":
        gone = answer.find(f".//{{*}}{name}") if name else answer[0]
        if gone is not None and (parent := gone.getparent()) is not None:
            parent.remove(gone)
    else:
        etree.SubElement(answer, f"{{{namespace}}}Unexpected").text = "value"
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _rebuilt(switch: Switch, answer: Answer) -> Answer:
    rebuild = _spoil_json if answer.content_type.startswith("application/json") else _spoil_xml
    return replace(answer, body=rebuild(switch.mode, switch.value, answer.body))


_SPOILED: Mapping[str, Callable[[Switch, Answer], Answer]] = {
    "truncate": lambda switch, answer: replace(answer, body=answer.body[: int(switch.value)]),
    "html": _html,
    "empty": lambda _, answer: replace(answer, body=b""),
    "wrong_content_type": lambda switch, answer: replace(answer, content_type=switch.value or "image/png"),
    "wrong_charset": lambda _, answer: replace(answer, body=in_wrong_encoding(answer.body, answer.content_type)),
    "mtom": lambda _, answer: as_mtom(answer),
    "bom": lambda _, answer: replace(answer, body=b"\xef\xbb\xbf" + answer.body),
    "wrong_element": _rebuilt,
    "missing_element": _rebuilt,
    "extra_element": _rebuilt,
}


def padded(body: bytes, size: int) -> tuple[bytes, Iterator[bytes], bytes]:
    """The answer with `size` spaces inside, so that it stays well-formed: head, padding in blocks, tail."""
    at = max(body.rfind(b"</"), body.rfind(b"}"), 0)
    return body[:at], _spaces(size), body[at:]


def _spaces(size: int) -> Iterator[bytes]:
    block = b" " * BLOCK
    for _ in range(size // BLOCK):
        yield block
    yield block[: size % BLOCK]


def gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip stream of the parts, made while it is sent."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()
