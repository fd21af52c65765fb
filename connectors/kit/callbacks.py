"""Reads the messages that an institution sends by itself: whether one is verified, what it is about, what it says.

Pure: nothing is remembered here. That the same callback comes twice, early or never is the gateway's matter.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.kit.answer import AnswerReader
from connectors.kit.contract import CallbackNamed, CallbackSaid, Effect, Exchange, Operation
from connectors.kit.errors import TooLarge, Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.json_answers import read_object
from connectors.kit.manifest import CallbackSignature, DeclaredCallback
from connectors.kit.manifest.authentication import TimestampFormat
from connectors.kit.message_signature import encoded, secret_bytes, signed_bytes
from connectors.kit.package import Package
from connectors.kit.wire import Said
from mappings.expression import Expression
from mappings.functions import MappingFunctions


class CallbackReader:
    """Reads one kind of callback of one package."""

    def __init__(self, package: Package, name: str, settings: Mapping[str, Any], now: Callable[[], datetime]) -> None:
        """`settings` are checked, with their secrets. Raises SettingError for a key that cannot be read."""
        self._name = name
        self._declared: DeclaredCallback = package.manifest.callbacks[name]
        # it tells of an act that changes something: a code that is not listed leaves it in doubt
        operation = Operation(name, "callback", Effect.NONE)
        self._read = AnswerReader(package, operation)
        self._operation_id = Expression(self._declared.operation_id, MappingFunctions(package.codes.tables))
        self._public = {key: value for key, value in settings.items() if not package.settings[key].secret}
        self._now = now
        form = self._declared.signature
        self._key = secret_bytes(settings[form.key], form.key_encoding, form.key) if form is not None else b""

    @property
    def max_bytes(self) -> int:
        """The largest message that is read."""
        return self._declared.max_bytes

    @property
    def headers(self) -> frozenset[str]:
        """The headers that its signature needs, in lower case."""
        form = self._declared.signature
        if form is None:
            return frozenset()
        times = {form.timestamp_header.lower()} if "timestamp" in form.signed else set()
        return frozenset({form.header.lower(), *times})

    def __call__(
        self,
        raw: bytes,
        headers: Mapping[str, str],
        *,
        received_at: datetime | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> CallbackSaid:
        """What the message says. Raises Unreadable, Faulted or Throttled; the bytes are kept with the error.

        `verified` is false for a message that nothing signs, or not well, or not now: it is a reason to inquire and
        nothing else, whatever its outcome says. `document` is the act's canonical document, where it is known.
        """
        exchange = _exchange(raw, headers)
        body, operation_id = self._parse(raw, exchange)
        named = {name.lower(): value for name, value in headers.items()}
        answer = HttpAnswer(0, named, raw, "", "", exchange)
        context = {**(document or {}), "operation_id": operation_id, "settings": self._public}
        outcome = self._read(Said(body), context, answer)
        return CallbackSaid(self.verified(raw, headers, received_at), operation_id, outcome)

    def names(self, raw: bytes, headers: Mapping[str, str], received_at: datetime | None = None) -> CallbackNamed:
        """Which act the message is about, and whether it is signed. Raises Unreadable."""
        _, operation_id = self._parse(raw, _exchange(raw, headers))
        return CallbackNamed(self._name, self.verified(raw, headers, received_at), operation_id)

    def _parse(self, raw: bytes, exchange: Exchange) -> tuple[Mapping[str, Any], str]:
        if len(raw) > self._declared.max_bytes:
            raise TooLarge(f"the callback is larger than {self._declared.max_bytes} bytes", exchange=exchange)
        try:
            body = read_object(raw)
        except ValueError as error:
            raise Unreadable(f"the callback: {error}", exchange=exchange) from error
        try:
            operation_id = self._operation_id(body)
        except ValueError as error:
            raise Unreadable(f"the callback names no act: {error}", exchange=exchange) from error
        if isinstance(operation_id, bool) or not isinstance(operation_id, str | int) or operation_id == "":
            raise Unreadable("the callback names no act", exchange=exchange)
        return body, str(operation_id)

    def verified(self, raw: bytes, headers: Mapping[str, str], received_at: datetime | None = None) -> bool:
        """Whether the institution signed these bytes, at a time close to `received_at` (left out: now)."""
        form = self._declared.signature
        if form is None:
            return False
        time = _value(headers, form.timestamp_header)
        if "timestamp" in form.signed and not _is_near(received_at or self._now(), time, form):
            return False
        given = {"timestamp": time.encode("utf-8", "replace"), "body": raw}
        message = signed_bytes(form.signed, form.separator, form.digest_encoding, given)
        expected = form.prefix + encoded(hmac.digest(self._key, message, form.algorithm), form.encoding)
        written = _value(headers, form.header).strip()
        if form.encoding == "hex":
            written = form.prefix + written.removeprefix(form.prefix).lower()
        return hmac.compare_digest(expected.encode("utf-8"), written.encode("utf-8", "replace"))


def _is_near(moment: datetime, text: str, form: CallbackSignature) -> bool:
    try:
        distance = abs((moment - _moment(text, form.timestamp_format)).total_seconds())
    except (ValueError, OverflowError, OSError):
        return False
    return distance <= form.tolerance_seconds


def _exchange(raw: bytes, headers: Mapping[str, str]) -> Exchange:
    return Exchange(b"", raw, 0, _value(headers, "Content-Type"), 0)


def _moment(text: str, form: TimestampFormat) -> datetime:
    if form == "iso":
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise ValueError
    return datetime.fromtimestamp(int(text) / (1000 if form == "unix_ms" else 1), UTC)


def _value(headers: Mapping[str, str], name: str) -> str:
    """The one value of a header; "" when it is missing or stands twice under different spellings."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    return values[0] if len(values) == 1 else ""
