"""WS-Security for one connector: the header of each message, its signature, and what answers must carry."""

from typing import Any, Protocol

from connectors.kit.contract import Ports
from connectors.kit.manifest import Manifest, UsernameToken, X509Signature
from connectors.kit.wsse import UsernameTokenHeader
from connectors.kit.xml_signature import MessageSeal


class SoapSecurity(Protocol):
    """What a SOAP wire asks for each message."""

    secret: bool  #: Whether the header must not be kept.

    def header(self) -> str:
        """A fresh header, XML that uses the prefix `soap`; "" for none."""

    def masked(self) -> str:
        """The header as it is kept in evidence."""

    def seal(self, envelope: bytes) -> bytes:
        """The whole message as it is sent."""

    def verify(self, envelope: Any) -> None:
        """Raises ValueError for an answer (its element) that does not prove who sent it."""


class Unsecured:
    """No WS-Security."""

    secret = False

    def header(self) -> str:
        """See SoapSecurity."""
        return ""

    def masked(self) -> str:
        """See SoapSecurity."""
        return ""

    def seal(self, envelope: bytes) -> bytes:
        """See SoapSecurity."""
        return envelope

    def verify(self, envelope: Any) -> None:
        """See SoapSecurity."""


class UsernameSecurity(Unsecured):
    """A UsernameToken."""

    secret = True

    def __init__(self, token: UsernameTokenHeader) -> None:
        self._token = token

    def header(self) -> str:
        """See SoapSecurity."""
        return self._token()

    def masked(self) -> str:
        """See SoapSecurity."""
        return self._token.masked()


def soap_security(manifest: Manifest, ports: Ports) -> SoapSecurity:
    """What the manifest declares. Raises SettingError for keys and certificates that cannot be read."""
    settings = ports.settings
    token = signature = None
    for declared in manifest.proofs:
        if isinstance(declared, UsernameToken):
            pair = str(settings["username"]), str(settings["password"])
            token = UsernameTokenHeader(*pair, ports.now, plain=declared.plain_text)
        if isinstance(declared, X509Signature):
            signature = declared
    if signature is not None:
        return MessageSeal(signature, settings, ports.now, token)
    return UsernameSecurity(token) if token is not None else Unsecured()
