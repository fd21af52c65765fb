"""This file renders refusals as problem details (RFC 9457): code, three readers, two languages, never a traceback."""

import math
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, MethodNotAllowedException, NotFoundException
from litestar.response.base import ASGIResponse

from gateway.api.correlation import traceparent
from gateway.api.negotiation import language_of
from gateway.api.statuses import RETRY_AFTER_SECONDS, STATUSES
from gateway.errors import AUDIENCES, FieldError, Problem
from gateway.logs import log
from gateway.store.errors import CommitUnknown, StoreError

#: The first that fits; the more exact stand first.
_FORESEEN: tuple[tuple[type[Exception], str], ...] = (
    (NotFoundException, "not_found"),
    (MethodNotAllowedException, "method_not_allowed"),
    (ClientException, "malformed_json"),
    (CommitUnknown, "commit_unknown"),
    (StoreError, "storage_unavailable"),
)
PROBLEM_TYPE = "application/problem+json"
_encode = msgspec.json.Encoder().encode


def problem_body(problem: Problem, *, language: str, correlation: str) -> dict[str, Any]:
    """The members of the problem: the standard ones in the reader's language, ours in both."""
    entry = problem.entry
    texts = {audience: getattr(entry, audience).filled(problem.facts) for audience in AUDIENCES}
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": texts["citizen"].in_language(language),
        "status": STATUSES[problem.code],
        "detail": texts["technician"].in_language(language),
        "code": problem.code,
        "correlation": correlation,
        "safe_to_retry": entry.safe_to_retry,
        "texts": {audience: dict(text) for audience, text in texts.items()},
    }
    if problem.errors:
        body["errors"] = [_field(error, language) for error in problem.errors]
    return body


def _field(error: FieldError, language: str) -> dict[str, Any]:
    return {
        "pointer": error.pointer,
        "code": error.code,
        "detail": error.message.in_language(language),
        "message": dict(error.message),
    }


def respond(request: Request[Any, Any, Any], problem: Problem, *, allow: str | None = None) -> Response[bytes]:
    """The HTTP answer of a problem."""
    correlation = traceparent(request.scope).split("-")[1]
    language = language_of(request.headers.get("accept-language"))
    headers = {"content-language": language, "vary": "Accept-Language", "cache-control": "no-store"}
    wait = problem.retry_after_seconds
    if wait is None:
        wait = RETRY_AFTER_SECONDS.get(problem.code)
    if wait is not None:
        headers["retry-after"] = str(max(1, math.ceil(wait)))
    if problem.code == "unauthenticated":
        headers["www-authenticate"] = 'Bearer realm="jisr"'
    if allow:
        headers["allow"] = allow
    return Response(
        _encode(problem_body(problem, language=language, correlation=correlation)),
        status_code=STATUSES[problem.code],
        media_type=PROBLEM_TYPE,
        headers=headers,
    )


def overloaded(scope: Any) -> ASGIResponse:
    """The answer to a call for which there is no room; no handler sees it."""
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-language"), None)
    language, code = language_of(given), "overloaded"
    body = problem_body(Problem(code), language=language, correlation=traceparent(scope).split("-")[1])
    headers = {"retry-after": str(RETRY_AFTER_SECONDS[code]), "content-language": language, "cache-control": "no-store"}
    return ASGIResponse(body=_encode(body), status_code=STATUSES[code], media_type=PROBLEM_TYPE, headers=headers)


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Whatever went wrong, as a problem; what nobody foresaw is logged and told as `internal_error`."""
    allow = _allowed(request) if isinstance(error, MethodNotAllowedException) else None
    problem = problem_of(error)
    if problem.code == "internal_error":
        log.error("request_failed", code=problem.code, exc_info=error)
    elif STATUSES[problem.code] >= 500:
        log.warning("request_refused", code=problem.code, exc_info=error)
    return respond(request, problem, allow=allow)


def _allowed(request: Request[Any, Any, Any]) -> str:
    """The methods of the address, which the router does not tell (RFC 9110 wants them with a 405)."""
    given = request.scope["path"].rstrip("/").split("/")
    methods: set[str] = set()
    for route in request.app.routes:
        parts = route.path_format.rstrip("/").split("/")
        if len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True)):
            methods |= set(getattr(route, "methods", ()))
    return ", ".join(sorted(methods))


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is told as."""
    if isinstance(error, Problem):
        return error
    return Problem(next((code for kind, code in _FORESEEN if isinstance(error, kind)), "internal_error"))
