"""This file serves the reference page: Swagger UI from the installed package, nothing from another host."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import swagger_ui_bundle
from litestar import Request, get
from litestar.response.base import ASGIResponse

from gateway.api.openapi import build_document
from gateway.errors import Problem

_ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jisr API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/reference.js"></script>
</body>
</html>
"""
_SCRIPT = b"""window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    validatorUrl: null,
    persistAuthorization: false,
    docExpansion: "list",
  });
});
"""


@get("/openapi.json")
async def document() -> ASGIResponse:
    """The OpenAPI 3.1 document."""
    return ASGIResponse(body=_document(), media_type="application/json", headers={"cache-control": "no-cache"})


@get("/docs")
async def page() -> ASGIResponse:
    """The reference page."""
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return ASGIResponse(body=_PAGE, media_type="text/html; charset=utf-8", headers=headers)


@get("/")
async def root() -> ASGIResponse:
    """To the reference page."""
    return ASGIResponse(status_code=307, headers={"location": "/docs"})


@get("/docs/{name:str}")
async def asset(request: Request[Any, Any, Any]) -> ASGIResponse:
    """A part of the page; only the listed ones exist."""
    name = request.path_params["name"]
    headers = {"cache-control": "public, max-age=3600"}
    if name == "reference.js":
        return ASGIResponse(body=_SCRIPT, media_type="text/javascript; charset=utf-8", headers=headers)
    if name not in _ASSETS:
        raise Problem("not_found")
    return ASGIResponse(body=_asset(name), media_type=_ASSETS[name], headers=headers)


@cache
def _document() -> bytes:
    return msgspec.json.encode(build_document())


@cache
def _asset(name: str) -> bytes:
    return Path(swagger_ui_bundle.swagger_ui_path, name).read_bytes()
