"""What follows when a rule of a sandbox.toml holds: the act, what is kept, and the answer."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from connectors.kit.sandbox.document import Consequence, Operation, SandboxDocument
from connectors.kit.sandbox.institution import Desk
from connectors.kit.sandbox.pdf import make_pdf
from connectors.kit.sandbox.tokens import TokenStore
from connectors.kit.sandbox.words import Words
from mappings.language import Template

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is answered; the wire turns it into bytes."""

    body: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None  #: None: what the wire has for a success, or for a Fault.
    fault: str | None = None  #: SOAP: the Fault's code.
    headers: Mapping[str, str] = field(default_factory=dict)
    standing: bool = False  #: The same object is the same answer each time: its bytes may be kept.
    done: bool = False  #: The act was done.
    page: str | None = None  #: The words of an HTML page that comes instead.
    detail: Mapping[str, Any] = field(default_factory=dict)  #: SOAP: of the Fault.


class Memory(Protocol):
    """What a step changes beside the ledger's effects."""

    document: SandboxDocument
    desk: Desk
    tokens: TokenStore
    messages: list[Mapping[str, Any]]

    def draw(self, name: str) -> int:
        """The next number of that name."""

    def keep(self, context: Context, name: str, fields: Mapping[str, Any]) -> None:
        """Write fields into what is kept under that name."""


class Step:
    """One consequence, compiled."""

    def __init__(
        self, memory: Memory, key: str, name: str, operation: Operation, given: Consequence, words: Words
    ) -> None:
        """Raises ManifestError for an expression that is wrong."""
        self._memory = memory
        self._name = name
        self._given = given
        self._effect = operation.effect if given.done else None
        self._also = _truths(operation.also if self._effect else {}, words, f"operations.{name}.also")
        self._keep = _keeping(given, operation if self._effect else None, words, key)
        self._message = words.template(given.message, f"{key}.message") if given.message else None
        self._document = _document(memory.document, given.document, words)
        self._answer = _answer(memory.document, given, operation, words, key)
        detail = memory.document.fault_detail if given.fault is not None else {}
        self._detail = words.template(dict(detail), "fault_detail")
        said = (self._detail,) if given.fault is not None else self._answer
        parts = [*self._keep.values(), *said, *self._also.values()]
        parts += [part for part in (self._message, self._document and self._document[1]) if part]
        #: What is kept is read too, for the key that it is kept under.
        self.mentions: frozenset[str] = frozenset(self._keep).union(*(part.fields for part in parts))
        if self._effect:
            self.mentions |= {"id"}
        spoken: frozenset[str] = frozenset().union(*(part.fields for part in said))
        acts = self._keep or self._effect or given.draw or given.document or given.message
        tokens = given.new_token or given.void_tokens
        self._standing = None if acts or tokens or spoken & words.changing else self._spoken({}, standing=True)

    def play(self, context: Context) -> Spoken:
        """Act, keep, and say. Raises MappingError for a value that does not fit."""
        if self._standing is not None:
            return self._standing
        given, memory = self._given, self._memory
        if given.draw is not None:
            context["number"] = memory.draw(given.draw)
        if self._effect is not None:
            context["count"] = self._acted(context, self._effect)
        if given.void_tokens:
            memory.tokens.forget()
        if given.new_token:
            context["token"] = memory.tokens.issue()
        kept = [(name, template(context) or {}) for name, template in self._keep.items()]
        for name, fields in kept:
            memory.keep(context, name, fields)
        if self._message is not None:
            memory.messages.append(self._message(context))
        if self._document is not None:
            context["document"] = self._issued(*self._document, context)
        return self._spoken(context, standing=False)

    def _acted(self, context: Context, effect: str) -> int:
        """Count the act, and what happens with it; gives how often the act itself has been done for this id."""
        ledger, id_ = self._memory.desk.ledger, str(context.get("id") or "")
        for what, holds in self._also.items():
            if holds(context):
                ledger.record(id_, self._name, what)
        return ledger.record(id_, self._name, effect)

    def _spoken(self, context: Context, *, standing: bool) -> Spoken:
        given = self._given
        if given.fault is not None:
            return self._faulted(given.fault, context, standing=standing)
        if given.page is not None:
            return Spoken({}, given.status, None, {}, standing, self._effect is not None, given.page)
        texts = self._memory.document.texts
        code = given.say
        context["code"] = code
        context["text"] = None if code is None else texts.get(code, texts.get("*"))
        form, beside, headers = self._answer
        body = _together(form(context) or {}, beside(context) or {})
        return Spoken(body, given.status, None, headers(context) or {}, standing, self._effect is not None)

    def _faulted(self, code: str, context: Context, *, standing: bool) -> Spoken:
        context["code"], context["text"] = code, self._memory.document.faults[code].text
        detail = self._detail(context) or {}
        done = self._effect is not None
        return Spoken(fault=code, status=self._given.status, standing=standing, done=done, detail=detail)

    def _issued(self, title: str, lines: Template, context: Context) -> Mapping[str, Any]:
        content, digest = _pdf(title, tuple(str(line) for line in lines(context) or ()))
        return {"content": content, "sha256": digest, "issued_on": self._memory.desk.now().date().isoformat()}


def _together(form: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of both, also inside a field that both have; where they differ, those of `beside`."""
    both = (name for name in beside if isinstance(beside[name], Mapping) and isinstance(form.get(name), Mapping))
    return {**form, **beside, **{name: _together(form[name], beside[name]) for name in both}}


@lru_cache(maxsize=4096)
def _pdf(title: str, lines: tuple[str, ...]) -> tuple[str, str]:
    pdf = make_pdf(title, lines)
    return base64.b64encode(pdf).decode(), hashlib.sha256(pdf).hexdigest()


def _keeping(given: Consequence, done: Operation | None, words: Words, key: str) -> dict[str, Template]:
    trees: dict[str, dict[str, Any]] = {
        name: dict(fields) for name, fields in (done.keep_when_done if done else {}).items()
    }
    for name, fields in given.keep.items():
        trees[name] = {**trees.get(name, {}), **fields}
    return {name: words.template(fields, f"{key}.keep.{name}") for name, fields in trees.items()}


def _truths(given: Mapping[str, str], words: Words, key: str) -> dict[str, Template]:
    """Each expression as its truth."""
    return {name: words.template(f"!!({text})", f"{key}.{name}") for name, text in given.items()}


def _document(document: SandboxDocument, name: str | None, words: Words) -> tuple[str, Template] | None:
    if name is None:
        return None
    declared = document.documents[name]
    return declared.title, words.template(list(declared.lines), f"documents.{name}.lines")


def _answer(
    document: SandboxDocument, given: Consequence, operation: Operation, words: Words, key: str
) -> tuple[Template, Template, Template]:
    """The form, what stands beside it, and the headers."""
    name = given.answer or operation.answer
    if name is not None and name not in document.answers:
        raise words.refuse(f"{key}.answer", f"answers has no {name}")
    form = document.answers[name] if name is not None else {}
    return (
        words.template(dict(form), f"answers.{name}"),
        words.template(dict(given.add), f"{key}.add"),
        words.template(dict(given.headers), f"{key}.headers"),
    )
