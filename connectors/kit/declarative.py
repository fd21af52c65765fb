"""A connector that is only manifest, mapping documents and code tables.

`prepare` renders, `send` sends and judges. A code that codes.toml does not list is never final.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from connectors.kit.answer import AnswerReader
from connectors.kit.authentication import FetchToken, Tokens, life, oauth2
from connectors.kit.callbacks import CallbackReader
from connectors.kit.contract import (
    Call,
    CallbackNamed,
    CallbackSaid,
    Effect,
    Operation,
    Outcome,
    Ports,
    Prepared,
    Token,
)
from connectors.kit.errors import Closed, ConnectorError, MappingFailed, TokenUnavailable, Unreadable
from connectors.kit.http import HttpClient
from connectors.kit.manifest import OAuth2, SettingValue, TokenOperation
from connectors.kit.package import Package
from connectors.kit.proof import Prover
from connectors.kit.tls import tls_context
from connectors.kit.wire import TokenRejected, WireMessage, wire_of

_MASK = "***"


@dataclass(frozen=True, slots=True)
class _Payload:
    """The request as it is hashed and kept, and whether it must be rendered again with its secrets."""

    masked: WireMessage
    live: bool


class DeclarativeConnector:
    """Implements `connectors.kit.contract.Connector` for one package."""

    def __init__(self, package: Package, ports: Ports) -> None:
        """Raises SettingError for the settings, ManifestError for hooks and expressions; `open` reads the WSDL."""
        settings = package.manifest.checked_settings(ports.settings)
        self.name = package.name
        self.version = package.manifest.version
        hours = package.manifest.hours.opening_hours() if package.manifest.hours else None
        self._all = {name: declared.as_operation(name, hours) for name, declared in package.manifest.operations.items()}
        self.operations: Mapping[str, Operation] = {n: op for n, op in self._all.items() if op.role != "token"}
        self.reads_attachments = frozenset(
            name for name in self.operations if "attachments" in package.mappings[name].request.fields
        )
        self._package = package
        self._ports = replace(ports, settings=settings)
        self._secret_settings = {name for name, setting in package.settings.items() if setting.secret}
        self._public = {n: _MASK if n in self._secret_settings else value for n, value in settings.items()}
        self._http = HttpClient(
            str(settings["base_url"]),
            now=ports.now,
            connections=package.manifest.http.connections,
            connect_seconds=package.manifest.http.connect_seconds,
            tls=tls_context(package.manifest, settings),
        )
        self._wire = wire_of(package, self._ports)
        self._read = {name: AnswerReader(package, operation) for name, operation in self._all.items()}
        self._prove = Prover(package.manifest, self._ports)
        self._tokens = self._token_source()
        self._callbacks = {
            name: CallbackReader(package, name, settings, ports.now) for name in package.manifest.callbacks
        }
        self.callbacks = frozenset(self._callbacks)
        self.callback_headers = frozenset[str]().union(*(each.headers for each in self._callbacks.values()))
        self.callback_max_bytes = max((each.max_bytes for each in self._callbacks.values()), default=0)

    def open(self) -> None:
        """Read the WSDL now; else the first call does. Raises ManifestError for one that does not match."""
        self._wire.open()

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the contract goes another way than the compiled one, a sentence each."""
        return self._wire.notes

    def streams(self, operation: str) -> bool:
        """See Connector. Raises ManifestError."""
        return self._wire.streams(operation)

    def _token_source(self) -> Tokens | None:
        fetch: FetchToken
        for declared in self._package.manifest.proofs:
            if isinstance(declared, OAuth2):
                fetch = oauth2(declared, self._ports, self._http)
            elif isinstance(declared, TokenOperation):
                fetch = partial(self._fetch_by_operation, declared)
            else:
                continue
            return Tokens(self.name, self._ports, fetch)
        return None

    def prepare(self, operation: str, call: Call) -> Prepared:
        """Render the wire request; no I/O. Raises MappingFailed."""
        declared = self._all[operation]
        masked = self._render(declared, call, self._public, dict.fromkeys(declared.secrets, _MASK), _MASK)
        fields = self._package.mappings[operation].request.fields
        live = "secrets" in fields or "token" in fields or bool(self._secret_settings & fields)
        digest = hashlib.sha256(masked.hashed).hexdigest()
        return Prepared(declared, call, _Payload(masked, live), digest)

    def _render(
        self,
        operation: Operation,
        call: Call,
        settings: Mapping[str, SettingValue],
        secrets: Mapping[str, str],
        token: str,
    ) -> WireMessage:
        context = {**self._context(call), "settings": settings, "secrets": secrets, "token": token}
        try:
            parts = self._package.mappings[operation.name].request(context) or {}
            return self._wire.render(operation.name, parts)
        except ValueError as error:
            raise MappingFailed(f"{self.name}.{operation.name}: {error}") from error

    @staticmethod
    def _context(call: Call) -> dict[str, Any]:
        return {**call.document, "operation_id": call.operation_id}

    async def send(self, prepared: Prepared) -> Outcome:
        """Send and read the answer. Raises a ConnectorError when no readable answer came."""
        call, operation = prepared.call, prepared.operation
        seconds = operation.deadline_seconds
        if call.deadline_seconds is not None:
            seconds = min(seconds, call.deadline_seconds)
        end = asyncio.get_running_loop().time() + seconds
        token = await self._token(call, end, rejected=None)
        try:
            return await self._once(prepared, token, end)
        except TokenRejected:
            token = await self._token(call, end, rejected=token)
        try:
            return await self._once(prepared, token, end)
        except TokenRejected as error:
            raise TokenUnavailable("a fresh access token was refused too", exchange=error.exchange) from error

    async def _token(self, call: Call, end: float, *, rejected: str | None) -> str:
        if self._tokens is None:
            return ""
        return await self._tokens.get(call, _left(end), rejected=rejected)

    async def _once(self, prepared: Prepared, token: str, end: float, *, gated: bool = True) -> Outcome:
        call, operation, payload = prepared.call, prepared.operation, prepared.payload
        message = payload.masked
        if missing := set(operation.secrets) - set(call.secrets):
            raise MappingFailed(f"{self.name}.{operation.name}: the call lacks {', '.join(sorted(missing))}")
        if payload.live:
            message = self._render(operation, call, self._ports.settings, call.secrets, token)
        request = self._prove(self._wire.request(message, payload.masked), token)
        answer = await self._http.exchange(
            request,
            call,
            seconds=_left(end),
            max_bytes=operation.max_response_bytes,
            gated=gated,
            fresh=operation.effect is Effect.NONE,
        )
        if answer.status == 401 and self._prove.bearer:
            raise TokenRejected("HTTP 401", exchange=answer.exchange)
        said = self._wire.read(operation.name, answer, request.message_id)
        try:
            return self._read[operation.name](said, {**self._context(call), "settings": self._public}, answer)
        except Closed as error:
            error.wait_from(self._ports.now())
            raise

    async def _fetch_by_operation(self, declared: TokenOperation, call: Call, seconds: float) -> Token:
        own = replace(call, document={}, secrets={})
        prepared = self.prepare(declared.operation, own)
        outcome = await self._once(prepared, "", asyncio.get_running_loop().time() + seconds, gated=False)
        lifetime = outcome.data.get("expires_in_seconds", declared.lifetime_seconds)
        return life(self._ports, outcome.data.get("token"), lifetime)

    def callback_signed(self, raw: bytes, headers: Mapping[str, str], received_at: datetime) -> bool:
        """Whether the signature of any of its callbacks holds, whatever the message says."""
        return any(each.verified(raw, headers, received_at) for each in self._callbacks.values())

    def name_callback(self, raw: bytes, headers: Mapping[str, str], received_at: datetime) -> CallbackNamed:
        """Which of its callbacks this is, and about which act; no I/O. Raises Unreadable when it is none of them."""
        found: list[CallbackNamed] = []
        failure: ConnectorError = Unreadable("the institution sends no callbacks")
        for reader in self._callbacks.values():
            try:
                found.append(reader.names(raw, headers, received_at))
            except ConnectorError as error:
                failure = error
        if not found:
            raise failure
        return next((named for named in found if named.verified), found[0])

    def read_callback(
        self,
        name: str,
        raw: bytes,
        headers: Mapping[str, str],
        *,
        received_at: datetime | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> CallbackSaid:
        """What a callback says; no I/O. Raises KeyError for an unknown name, Unreadable for what is not of it."""
        return self._callbacks[name](raw, headers, received_at=received_at, document=document)

    async def reachable(self) -> bool:
        """Whether a connection can be opened now; for availability, never raises."""
        return await self._http.reachable()

    async def close(self) -> None:
        """Close the pool."""
        await self._http.close()


def _left(end: float) -> float:
    return max(end - asyncio.get_running_loop().time(), 0.0)
