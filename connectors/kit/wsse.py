"""WS-Security UsernameToken Profile 1.0: the header with PasswordDigest (or PasswordText), nonce and creation time."""

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from xml.sax.saxutils import escape

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_NONCE_BYTES = 16


class UsernameTokenHeader:
    """Makes one fresh header per message."""

    def __init__(
        self,
        username: str,
        password: str,
        now: Callable[[], datetime],
        nonce: Callable[[int], bytes] = os.urandom,
        *,
        plain: bool = False,
    ) -> None:
        """`now` gives aware UTC; `nonce(n)` gives n random bytes; `plain` sends the password itself."""
        self._username = escape(username)
        self._password = password.encode("utf-8")
        self._now = now
        self._nonce = nonce
        self._plain = escape(password) if plain else None
        self._type = "PasswordText" if plain else "PasswordDigest"

    def __call__(self) -> str:
        """The Security header with a fresh token."""
        return _in_header(self.token())

    def token(self, name: str = "") -> str:
        """A fresh token; `name` is its wsu:Id. Its digest is Base64(SHA-1(nonce + created + password)), 1.0, 3.1."""
        nonce = self._nonce(_NONCE_BYTES)
        created = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        if self._plain is not None:
            return self._render(self._plain, _base64(nonce), created, name)
        digest = hashlib.sha1(nonce + created.encode("ascii") + self._password, usedforsecurity=False).digest()
        return self._render(_base64(digest), _base64(nonce), created, name)

    def masked(self) -> str:
        """The header as it is kept in evidence."""
        return _in_header(self._render("***", "***", "***"))

    def _render(self, password: str, nonce: str, created: str, name: str = "") -> str:
        mark = f' wsu:Id="{name}"' if name else ""
        return (
            f'<wsse:UsernameToken xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}"{mark}>'
            f"<wsse:Username>{self._username}</wsse:Username>"
            f'<wsse:Password Type="{_PROFILE}#{self._type}">{password}</wsse:Password>'
            f'<wsse:Nonce EncodingType="{_BASE64}">{nonce}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken>"
        )


def _in_header(token: str) -> str:
    return f'<wsse:Security xmlns:wsse="{_WSSE}" soap:mustUnderstand="1">{token}</wsse:Security>'


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
