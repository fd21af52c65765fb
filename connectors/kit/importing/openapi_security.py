"""The kind of authentication that an OpenAPI document's security schemes amount to."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.kit.importing.writing import Authentication


def authentication_of(document: Mapping[str, Any], operations: list[Mapping[str, Any]], server: str) -> Authentication:
    """That of the first requirement that the kit can meet; else none, with a note for the author."""
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    notes = []
    for wanted in _requirements(document, operations):
        for name, scopes in wanted.items():
            scheme = schemes.get(name)
            found = _of(scheme, server, scopes) if isinstance(scheme, Mapping) else None
            if found is not None and len(wanted) == 1:
                return found
            kind = (scheme or {}).get("type") if isinstance(scheme, Mapping) else "unknown"
            notes.append(f"{name} ({kind})")
    if notes:
        return Authentication(
            note=f"the contract wants {', '.join(sorted(set(notes)))}: see the reference for the kinds"
        )
    return Authentication(note="the contract does not say how callers prove who they are; see the reference")


def _requirements(document: Mapping[str, Any], operations: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for holder in (document, *operations):
        given = holder.get("security")
        found += [one for one in given or () if isinstance(one, Mapping) and one and one not in found]
    return found


def _of(scheme: Mapping[str, Any], server: str, scopes: Any) -> Authentication | None:
    kind = str(scheme.get("type"))
    if kind == "apiKey" and scheme.get("in") in {"header", "query"} and str(scheme.get("name", "")).isascii():
        return Authentication("api_key", {str(scheme["in"]): str(scheme.get("name"))}, {"api_key": True})
    if kind == "http" and str(scheme.get("scheme")).lower() == "basic":
        return Authentication("basic", {}, {"username": False, "password": True})
    if kind == "http" and str(scheme.get("scheme")).lower() == "bearer":
        note = "a bearer token; the setting holds the whole value: Bearer …"
        return Authentication("api_key", {"header": "Authorization"}, {"api_key": True}, note)
    flow = (scheme.get("flows") or {}).get("clientCredentials") if isinstance(scheme.get("flows"), Mapping) else None
    if kind == "oauth2" and isinstance(flow, Mapping) and flow.get("tokenUrl"):
        return _oauth2(str(flow["tokenUrl"]), server, scopes)
    return None


def _oauth2(token_url: str, server: str, scopes: Any) -> Authentication:
    home, token = urlsplit(server), urlsplit(urljoin(server or "/", token_url))
    note = "" if not token.netloc or token.netloc == home.netloc else f"the contract fetches tokens from {token.netloc}"
    path = token.path if token.path.startswith("/") else f"/{token.path}"
    keys = {"token_path": path}
    if isinstance(scopes, list) and scopes:
        keys["scope"] = " ".join(str(one) for one in scopes)
    return Authentication("oauth2_client_credentials", keys, {"client_id": False, "client_secret": True}, note)
