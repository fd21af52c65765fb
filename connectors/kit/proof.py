"""Puts into each HTTP request what proves who sends it: headers, a query parameter, a signature over the message."""

import base64
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from connectors.kit.contract import Ports
from connectors.kit.http import HttpRequest
from connectors.kit.manifest import ApiKey, Authentication, Basic, Hmac, Manifest, OAuth2, RsaSignature
from connectors.kit.message_signature import Signer

Proof = Callable[[HttpRequest, str], HttpRequest]


def proof_headers(manifest: Manifest) -> frozenset[str]:
    """The headers, in lower case, with which calls prove who sends them: no sample shows them."""
    names: set[str] = set()
    for proof in manifest.proofs:
        match proof:
            case ApiKey(query="", header=name):
                names.add(name)
            case Hmac() | RsaSignature():
                names |= {proof.header, proof.timestamp_header, proof.nonce_header, proof.key_id_header}
    return frozenset(name.lower() for name in names if name)


def proof_parameters(manifest: Manifest) -> frozenset[str]:
    """The parameters of the query that do the same."""
    return frozenset(proof.query for proof in manifest.proofs if isinstance(proof, ApiKey) and proof.query)


def has_bearer(manifest: Manifest) -> bool:
    """Whether an answer of 401 means that the bearer token has ended."""
    return any(isinstance(proof, OAuth2) for proof in manifest.proofs)


class Prover:
    """Applies every kind that a manifest declares; signatures come last, so that they cover the rest."""

    def __init__(self, manifest: Manifest, ports: Ports) -> None:
        """Raises SettingError for a key that cannot be read."""
        proofs = sorted(manifest.proofs, key=lambda proof: isinstance(proof, Hmac | RsaSignature))
        self._proofs = [made for made in (_proof(declared, ports) for declared in proofs) if made is not None]
        self.bearer = has_bearer(manifest)

    def __call__(self, request: HttpRequest, token: str) -> HttpRequest:
        """The request with its proofs. `token` is "" for kinds that need none."""
        for proof in self._proofs:
            request = proof(request, token)
        return request


def _proof(declared: Authentication, ports: Ports) -> Proof | None:
    match declared:
        case Basic():
            pair = f"{ports.settings['username']}:{ports.settings['password']}"
            return _header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode('ascii')}")
        case ApiKey(query="", header=name):
            return _header(name, str(ports.settings["api_key"]))
        case ApiKey(query=name):
            return _parameter(name, str(ports.settings["api_key"]))
        case OAuth2():
            return lambda request, token: _with_header(request, "Authorization", f"Bearer {token}")
        case Hmac() | RsaSignature():
            signer = Signer(declared, ports.settings, ports.now)
            return lambda request, _: signer(request)
    return None


def _header(name: str, value: str) -> Proof:
    return lambda request, _: _with_header(request, name, value)


def _with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return replace(request, headers={**request.headers, name: value})


def _parameter(name: str, value: str) -> Proof:
    pair = f"{quote(name, safe='')}={quote(value, safe='')}"

    def proof(request: HttpRequest, _: str) -> HttpRequest:
        return replace(request, path=f"{request.path}{'&' if '?' in request.path else '?'}{pair}")

    return proof
