"""A loopback server that answers with given bytes and keeps what it was asked; the other end of every replay."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from connectors.kit.conformance.subject import Subject
from connectors.kit.lists import read_query
from connectors.kit.proof import proof_headers, proof_parameters
from connectors.kit.sandbox.addressing import related
from connectors.kit.sandbox.certificates import certificates_of
from connectors.kit.sandbox.encoding import encoding_of, in_encoding
from connectors.kit.sandbox.institution import read_settings
from connectors.kit.sandbox.mtom import is_mtom, without_attachments
from connectors.kit.sandbox.requests import make_request
from connectors.kit.sandbox.security import sealing
from connectors.kit.sandbox.tls import demands_certificate, server_context, serves_tls

TOKEN = "sample-token"  # noqa: S105  # only this server gives it
#: Headers that the HTTP client adds by itself or that carry a credential; a sample shows only the mapping's own.
AMBIENT = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "soapaction",
    "traceparent", "user-agent",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the server received."""

    method: str
    path: str
    query: Mapping[str, Any]  #: Text, or a list where a parameter stands several times.
    headers: Mapping[str, str]
    body: bytes
    proofs: frozenset[str] = frozenset()  #: Headers (lower case) and parameters that prove who sends it.

    def json(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None

    def own_headers(self) -> dict[str, str]:
        """The headers that the mapping set."""
        return {name: value for name, value in self.headers.items() if name.lower() not in AMBIENT | self.proofs}

    def own_query(self) -> dict[str, Any]:
        """The parameters that the mapping set."""
        return {name: value for name, value in self.query.items() if name not in self.proofs}


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that the server gives."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Canned:
    """Answers every request with `said`, and a token request (by path) with a token unless `token_said` is given."""

    said: Said
    token_path: str = ""
    token_said: Said | None = None
    seal: Callable[[bytes], bytes] = field(default=bytes)  #: Signs an answer, where the institution does.
    proofs: frozenset[str] = frozenset()  #: See Asked.
    encoding: str = "utf-8"  #: What SOAP answers are encoded in.
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    token_asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep the request, give the answer."""
        query, headers = read_query(request.raw_path.partition("?")[2]), dict(request.headers)
        body, kind = await request.read(), request.headers.get("Content-Type", "")
        body = without_attachments(kind, body) if is_mtom(kind) else body
        asked = Asked(request.method, request.path, query, headers, body, self.proofs)
        if self.token_path and request.path == self.token_path:
            self.token_asked.append(asked)
            return _response(self.token_said or _token())
        self.asked.append(asked)
        said = self.seal(related(self.said.body, asked.body))
        answer, kind = in_encoding(said, self.said.content_type, self.encoding)
        return _response(replace(self.said, body=answer, content_type=kind))


def _token() -> Said:
    """A token in the words of RFC 6749 and of the wallet's module at once."""
    content = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "errorCode": "0", "token": TOKEN}
    return Said(json.dumps(content).encode())


def _response(said: Said) -> web.Response:
    return web.Response(body=said.body, status=said.status, headers={**said.headers, "Content-Type": said.content_type})


@asynccontextmanager
async def canned(
    said: Said,
    *,
    token_path: str = "",
    token_said: Said | None = None,
    seal: Callable[[bytes], bytes] = bytes,
    encoding: str = "utf-8",
    tls: ssl.SSLContext | None = None,
    proofs: frozenset[str] = frozenset(),
) -> AsyncIterator[Canned]:
    """A server for one replay, on any free port."""
    server = Canned(said, token_path, token_said, seal, proofs, encoding)
    runner = web.ServerRunner(
        web.Server(server.handle, request_factory=make_request, access_log=None), shutdown_timeout=0.2
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def playing(subject: Subject, said: Said, token_said: Said | None = None) -> AbstractAsyncContextManager[Canned]:
    """The package's institution with one answer: with TLS, signatures and encoding as the institution has them."""
    folder, manifest = subject.folder, subject.package.manifest
    settings, made = read_settings(folder), certificates_of(folder.name)
    secure = serves_tls(manifest, str(settings.get("base_url", "")))
    tls = server_context(made, mutual=demands_certificate(manifest)) if secure else None
    seal = sealing(folder, manifest)
    return canned(
        said,
        token_path=subject.token_path,
        token_said=token_said,
        seal=seal,
        encoding=encoding_of(manifest),
        tls=tls,
        proofs=proof_headers(manifest) | proof_parameters(manifest),
    )
