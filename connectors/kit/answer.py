"""Turns what an answer says into an Outcome. Only a listed code can be final."""

from collections.abc import Mapping
from typing import Any

from connectors.kit.asking import read_asked, read_quote
from connectors.kit.codebook import Meaning
from connectors.kit.contract import Asked, Document, Effect, Exchange, Operation, Outcome, Quote, Status
from connectors.kit.documents import read_document
from connectors.kit.errors import Closed, Faulted, Throttled, Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.package import Package
from connectors.kit.wire import Fault, Said, TokenRejected
from mappings.errors import MappingError

UNLISTED_CODE = "unlisted_code"
_MAX_INQUIRY_SECONDS = 7 * 86400.0


class AnswerReader:
    """Reads the answers of one operation."""

    def __init__(self, package: Package, operation: Operation) -> None:
        self._codes = package.codes
        self._mapping = (package.callbacks if operation.role == "callback" else package.mappings)[operation.name]
        self._operation = operation

    def __call__(self, said: Said, context: Mapping[str, Any], answer: HttpAnswer) -> Outcome:
        """The outcome. Raises Faulted, Throttled, TokenRejected as codes.toml says; Unreadable for what is unfit."""
        if said.fault is not None:
            return self._fault(said.fault, answer.exchange)
        fields = self._fields(said, context, answer)
        code = _institution_code(fields, answer.exchange)
        meaning = self._codes.code(self._operation.name, code)
        if meaning is None:
            return self._unlisted(code, fields, answer)
        if meaning.status is None:
            raise _raised(meaning, code, answer.exchange)
        return self._outcome(meaning.status, meaning.code, code, fields, answer.exchange)

    def _fields(self, said: Said, context: Mapping[str, Any], answer: HttpAnswer) -> Mapping[str, Any]:
        seen = {**context, "answer": said.body, "http": {"status": answer.status, "headers": dict(answer.headers)}}
        try:
            for left, right in self._mapping.same:
                if left(seen) != right(seen):
                    raise Unreadable("the answer belongs to another act", exchange=answer.exchange)
            return self._mapping.answer(seen) or {}
        except MappingError as error:
            raise Unreadable(f"the answer does not fit its mapping: {error}", exchange=answer.exchange) from error

    def _fault(self, fault: Fault, exchange: Exchange) -> Outcome:
        meaning = self._codes.fault(self._operation.name, fault.code)
        if meaning is None:
            raise Faulted("a SOAP Fault that codes.toml does not list", exchange=exchange)
        if meaning.status is None:
            raise _raised(meaning, fault.code, exchange, fault.opens_at)
        return Outcome(meaning.status, meaning.code, fault.code, fault.message, exchange=exchange)

    def _unlisted(self, code: str, fields: Mapping[str, Any], answer: HttpAnswer) -> Outcome:
        if self._operation.effect is Effect.SAFE or answer.status >= 500:
            raise Faulted(f"HTTP {answer.status} with a code that codes.toml does not list", exchange=answer.exchange)
        message = str(fields.get("message", ""))
        return Outcome(Status.IN_DOUBT, UNLISTED_CODE, code, message, exchange=answer.exchange)

    def _outcome(
        self, status: Status, canonical: str, code: str, fields: Mapping[str, Any], exchange: Exchange
    ) -> Outcome:
        documents = self._documents(status, fields, exchange)
        asked, quote = self._asked(status, fields, exchange)
        data = dict(fields.get("data") or {})
        if self._operation.role == "token":
            data = {name: fields[name] for name in ("token", "expires_in_seconds") if name in fields}
        return Outcome(
            status=status,
            code=canonical,
            institution_code=code,
            message=str(fields.get("message", "")),
            reference=str(fields.get("reference", "")),
            data=data,
            documents=documents,
            next_inquiry_seconds=_seconds(fields.get("next_inquiry_seconds")),
            exchange=exchange,
            asked=asked,
            quote=quote,
        )

    def _asked(
        self, status: Status, fields: Mapping[str, Any], exchange: Exchange
    ) -> tuple[Asked | None, Quote | None]:
        """What the citizen must do and what it costs. A quote that was given names its price."""
        try:
            asked, quote = read_asked(fields.get("next_action")), read_quote(fields.get("quote"))
        except ValueError as error:
            raise Unreadable(str(error), exchange=exchange) from error
        if asked is not None and status not in (Status.PENDING, Status.REFUSED):
            raise Unreadable(f"an answer that is {status} asks the citizen for something", exchange=exchange)
        if quote is None and status is Status.SUCCEEDED and self._operation.role == "quote":
            raise Unreadable("the answer names no price", exchange=exchange)
        return asked, quote

    def _documents(self, status: Status, fields: Mapping[str, Any], exchange: Exchange) -> tuple[Document, ...]:
        try:
            documents = tuple(read_document(document) for document in fields.get("documents") or ())
        except ValueError as error:
            raise Unreadable(str(error), exchange=exchange) from error
        if status in self._mapping.document_required and not documents:
            raise Unreadable("the answer says done and brings no document", exchange=exchange)
        return documents


def _institution_code(fields: Mapping[str, Any], exchange: Exchange) -> str:
    code = fields.get("code")
    if isinstance(code, bool) or not isinstance(code, str | int) or code == "":
        raise Unreadable("the answer has no code", exchange=exchange)
    return str(code)


def _raised(meaning: Meaning, code: str, exchange: Exchange, opens_at: str = "") -> Exception:
    match meaning.error:
        case "token_rejected":
            return TokenRejected("the access token was refused", exchange=exchange)
        case "throttled":
            return Throttled("the institution is busy", exchange=exchange)
        case "closed":
            return Closed("the institution is closed", opens_at=opens_at, exchange=exchange)
    return Faulted(f"the institution reports a technical error ({code})", exchange=exchange)


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return min(float(value), _MAX_INQUIRY_SECONDS)
