"""This file reads what a caller asks for in headers: language, preferences, the idempotency key, the trace."""

import re
import secrets
from dataclasses import dataclass

from litestar.datastructures import Headers

from gateway.errors import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})\Z")
_WAIT = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*\Z", re.IGNORECASE)
_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*\Z", re.IGNORECASE)
_MAX_LANGUAGES = 20


def language_of(accept_language: str | None) -> str:
    """`ar` or `en`, as Accept-Language (RFC 9110) prefers; Arabic when it names neither."""
    best, best_quality = "ar", 0.0
    for part in (accept_language or "").split(",")[:_MAX_LANGUAGES]:
        tag, _, parameters = part.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        quality = _QUALITY.match(parameters) if parameters else None
        weight = float(quality[1]) if quality else 1.0
        if primary in ("ar", "en") and weight > best_quality:
            best, best_quality = primary, weight
    return best


@dataclass(frozen=True, slots=True)
class Preferences:
    """What `Prefer` (RFC 7240) asks for; unknown preferences are ignored, as the RFC wants."""

    wait_seconds: float | None = None  #: None when the caller did not say.
    check: bool = False

    @property
    def applied(self) -> str:
        """The value of Preference-Applied, "" when none was."""
        if self.check:
            return "check"
        return "" if self.wait_seconds is None else f"wait={self.wait_seconds:g}"


def preferences_of(prefer: str | None, *, max_wait_seconds: float) -> Preferences:
    """The preferences; a wait that is longer than allowed is cut to that."""
    if not prefer:
        return Preferences()
    wait: float | None = None
    check = False
    for part in prefer.split(","):
        if match := _WAIT.match(part):
            wait = min(float(match[1]), max_wait_seconds)
        elif part.strip().lower() == "check":
            check = True
    return Preferences(wait, check)


def idempotency_key_of(headers: Headers, *, required: bool = True) -> str | None:
    """The one Idempotency-Key. Raises Problem when it is missing, sent twice, too long or not visible ASCII (D4)."""
    given = headers.getall("idempotency-key", [])
    if not given:
        if required:
            raise Problem("idempotency_key_missing")
        return None
    if len(given) > 1 or _KEY.match(given[0]) is None:
        raise Problem("idempotency_key_invalid")
    return given[0]


def traceparent_of(given: str | None) -> str:
    """Our own traceparent (W3C): the caller's trace when it sent a good one, else a new trace; always a new span."""
    match = _TRACEPARENT.match(given) if given else None
    fresh = secrets.token_hex(24)
    trace, flags = (match[1], match[2]) if match else (fresh[16:], "01")
    return f"00-{trace}-{fresh[:16]}-{flags}"


def require_json(headers: Headers) -> None:
    """Raises Problem unless the body is said to be JSON in UTF-8 without a content coding."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise Problem("unsupported_media_type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type")
