"""This file builds the good answers: bytes of JSON with the headers that every one of them has."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.response.base import ASGIResponse

_encode = msgspec.json.Encoder().encode
_HEADERS = {"cache-control": "no-store"}


def json_bytes(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    """Ready-made JSON."""
    return ASGIResponse(
        body=body,
        status_code=status,
        media_type="application/json",
        headers={**_HEADERS, **headers} if headers else _HEADERS,
    )


def json_of(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    """A value as JSON."""
    return json_bytes(_encode(value), status, headers)
