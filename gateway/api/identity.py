"""This file finds out who calls, and refuses kinds of principals that an endpoint is not for."""

from typing import Any

from litestar import Request

from gateway.api.admission import admission_of
from gateway.api.services import Services
from gateway.bucket import Bucket
from gateway.errors import Problem
from gateway.security.principals import Authenticator, Kind, Principal
from gateway.store.principals import find_principal


def authenticator(services: Services) -> Authenticator:
    """The one of this process."""

    async def find(principal_id: str) -> Any:
        return await services.store.read(find_principal, principal_id)

    monotonic, settings = services.clock.monotonic, services.settings
    strangers = Bucket(settings.limits.unknown_keys_per_second, monotonic)
    return Authenticator(find, monotonic, strangers, cache_seconds=settings.key_cache_seconds)


async def caller(request: Request[Any, Any, Any], *kinds: Kind) -> Principal:
    """The principal of the call. Raises Problem: `unauthenticated`, `forbidden` when it is of none of the kinds, or
    `rate_limited` for a channel that does too much, and for a key that nobody has time to look up."""
    given = request.headers.getall("authorization", [])
    if len(given) != 1:
        raise Problem("unauthenticated")
    known: Authenticator = request.app.state["authenticator"]
    principal = await known.principal(given[0])
    if kinds and principal.kind not in kinds:
        raise Problem("forbidden")
    admission_of(request).admit(request.scope, principal)
    return principal


def scope_of(principal: Principal) -> str | None:
    """The channel whose requests the principal sees: a channel its own, an operator all (None). Raises Problem."""
    if principal.kind is Kind.CHANNEL:
        return principal.id
    if principal.kind is Kind.OPERATOR:
        return None
    raise Problem("forbidden")
