"""The ways in which no readable answer comes. An institution's refusal is an Outcome, never one of these.

Each class carries facts (may a repeat help, may it have arrived); `gateway/verdict.py` alone decides what follows.
"""

from datetime import datetime

from connectors.kit.contract import Exchange

_MOST_CLOSED_SECONDS = 14 * 86400.0


class ConnectorError(Exception):
    """No readable answer came."""

    code = "upstream_error"  #: Row of the error catalogue.
    retryable = True  #: A later repeat may succeed.
    maybe_delivered = True  #: The counterparty may have acted.

    def __init__(
        self, message: str, *, exchange: Exchange | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.exchange = exchange
        self.retry_after_seconds = retry_after_seconds


class NotSent(ConnectorError):
    """No byte left: refused connection, DNS, TLS, no place in the pool, or the send window has passed."""

    code = "upstream_unreachable"
    maybe_delivered = False


class TokenUnavailable(NotSent):
    """The access token could not be fetched, so the operation itself was never sent."""

    code = "upstream_authentication"


class MappingFailed(ConnectorError):
    """The canonical request could not be rendered into the institution's wire; nothing was sent."""

    code = "mapping_failed"
    retryable = False
    maybe_delivered = False


class Throttled(ConnectorError):
    """The counterparty refused to look at it now (429, 503 with Retry-After)."""

    code = "upstream_busy"
    maybe_delivered = False


class Closed(Throttled):
    """The counterparty is closed: it did nothing, and names (`opens_at`, RFC 3339) when it will."""

    code = "institution_closed"

    def __init__(self, message: str, *, opens_at: str = "", exchange: Exchange | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.opens_at = opens_at

    def wait_from(self, now: datetime) -> None:
        """Say how long it is until the opening, two weeks at most; nothing where it is unknown or already past."""
        try:
            opening = datetime.fromisoformat(self.opens_at)
        except ValueError:
            return
        if opening.tzinfo is not None and opening > now:
            self.retry_after_seconds = min((opening - now).total_seconds(), _MOST_CLOSED_SECONDS)


class TimedOut(ConnectorError):
    """Sent, but no answer came before the deadline: it may have arrived."""

    code = "upstream_timeout"


class ConnectionLost(ConnectorError):
    """The connection broke after bytes had left: it may have arrived."""

    code = "upstream_connection_lost"


class Unreadable(ConnectorError):
    """An answer came that is not of the contract: HTML, empty, cut, wrong charset, wrong element, not XSD-valid."""

    code = "upstream_protocol"


class Redirected(Unreadable):
    """The counterparty answered with a redirect, which is never followed."""

    code = "upstream_redirect"


class TooLarge(Unreadable):
    """The answer (decompressed) is larger than the operation allows; it was cut."""

    code = "upstream_too_large"


class Faulted(ConnectorError):
    """A readable fault or server error that names no listed refusal (unlisted SOAP Fault, HTTP 5xx)."""

    code = "upstream_fault"


class ServerFailed(Faulted):
    """HTTP 5xx whose body is not of the contract (an HTML page, nothing): the server or something before it broke."""

    code = "upstream_server_failed"
