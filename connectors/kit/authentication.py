"""Access tokens: fetched by OAuth2 or by an operation of the package, shared by all workers.

`connectors.kit.proof` puts them, and every other proof, into the messages.
"""

import asyncio
import base64
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from connectors.kit.contract import Call, Ports, Token
from connectors.kit.errors import ConnectorError, NotSent, TokenUnavailable
from connectors.kit.http import HttpClient, HttpRequest
from connectors.kit.json_answers import read_object
from connectors.kit.manifest import OAuth2

_MAX_TOKEN_BYTES = 64 * 1024
_LEEWAY = 0.1  #: A token is used for 90 % of its life, so that it does not end on the way.
_DEFAULT_LIFETIME_SECONDS = 300.0  #: RFC 6749 5.1 lets a server be silent about it.


class FetchToken(Protocol):
    """Fetches a token within so many seconds; raises ConnectorError."""

    async def __call__(self, call: Call, seconds: float) -> Token: ...


class Tokens:
    """The one token of a connector, shared by all workers through the cache."""

    def __init__(self, name: str, ports: Ports, fetch: FetchToken) -> None:
        self._name = name
        self._ports = ports
        self._fetch = fetch

    async def get(self, call: Call, seconds: float, *, rejected: str | None) -> str:
        """A token that is not `rejected`. Raises TokenUnavailable, or NotSent when nobody could be reached."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ports.tokens.get(self._name, lambda: self._fetch(call, seconds), rejected=rejected)
        except TimeoutError as error:
            raise TokenUnavailable("no access token came within the deadline") from error
        except NotSent:  # TokenUnavailable among them; who cannot be reached has not refused the credentials
            raise
        except ConnectorError as error:
            raise TokenUnavailable(
                f"the access token could not be fetched: {error}", retry_after_seconds=error.retry_after_seconds
            ) from error


def life(ports: Ports, value: Any, seconds: Any) -> Token:
    """The token that an answer gave, living `seconds` less a leeway. Raises TokenUnavailable for what is no token."""
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise TokenUnavailable("the answer has no access token")
    try:
        lifetime = min(max(float(seconds), 1.0), 30 * 86400.0)
    except (TypeError, ValueError, OverflowError):
        raise TokenUnavailable("the access token's lifetime is unreadable") from None
    return Token(value, ports.now() + timedelta(seconds=lifetime * (1 - _LEEWAY)))


def oauth2(declared: OAuth2, ports: Ports, http: HttpClient) -> FetchToken:
    """The client credentials grant (RFC 6749, 4.4; the client authenticates with HTTP Basic, 2.3.1)."""

    async def fetch(call: Call, seconds: float) -> Token:
        pair = (
            f"{quote(str(ports.settings['client_id']), safe='')}:{quote(str(ports.settings['client_secret']), safe='')}"
        )
        form = {"grant_type": "client_credentials"} | ({"scope": declared.scope} if declared.scope else {})
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        body = urlencode(form).encode()
        request = HttpRequest("POST", declared.token_path, headers, body, body)
        answer = await http.exchange(request, call, seconds=seconds, max_bytes=_MAX_TOKEN_BYTES, gated=False)
        if answer.status != 200:
            raise TokenUnavailable(f"HTTP {answer.status} instead of an access token")
        try:
            grant = read_object(answer.body)
        except ValueError as error:
            raise TokenUnavailable(f"no access token: {error}") from error
        if str(grant.get("token_type", "")).lower() != "bearer":
            raise TokenUnavailable("the access token is not a bearer token")
        return life(ports, grant.get("access_token"), grant.get("expires_in", _DEFAULT_LIFETIME_SECONDS))

    return fetch
