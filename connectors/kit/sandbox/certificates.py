"""The test certificates of one institution's sandbox: made on the spot, kept in a folder, never part of a package.

A sandbox.toml names them as `"{client.certificate}"`; WHOSE says what there is.
"""

import atexit
import ipaddress
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: Whose certificates there are, and what for.
WHOSE: Mapping[str, str] = {
    "authority": "the authority that vouches for the others; it has no key here",
    "server": "of the institution's TLS server",
    "client": "of the gateway, shown in mutual TLS",
    "expired_client": "a client's that has ended",
    "unknown_client": "a client's that another authority vouches for",
    "signer": "of the gateway, for signed messages",
    "institution": "of the institution, for signed answers",
}
#: How the server refuses the good client's certificate, and the file with which it does.
REFUSALS: Mapping[str, str] = {"unknown": "unknown.pem", "expired": "ended.pem", "revoked": "revoked.pem"}

_PLACEHOLDER = re.compile(r"\{(\w+)\.(certificate|key)\}")
_DAY = timedelta(days=1)
_LIFE = 3650 * _DAY
_MAKING = threading.Lock()


class Certificates:
    """Those of one institution, in a folder of their own that only its owner reads."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before it is asked for."""
        self.folder = folder

    def path(self, whose: str, part: str = "certificate") -> Path:
        """The PEM file of a certificate or a key."""
        return self._made() / (f"{whose}.pem" if part == "certificate" else f"{whose}.key")

    def refusing(self, how: str) -> Path:
        """What a server loads to refuse the good client: an authority, and with `revoked` a list of revocations."""
        return self._made() / REFUSALS[how]

    def filled(self, value: Any, *, as_file: bool = False) -> Any:
        """A setting with its certificate in place: the PEM text, or `file:PATH`. Anything else as it is."""
        match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[1] not in WHOSE:
            return value
        path = self.path(match[1], match[2])
        return f"file:{path}" if as_file else path.read_text("ascii")

    def _made(self) -> Path:
        with _MAKING:
            if not self.folder.is_dir():
                self.folder.parent.mkdir(parents=True, exist_ok=True)
                part = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", dir=self.folder.parent))
                _make(part)
                try:
                    part.rename(self.folder)  # another process may have been quicker: then its own count
                except OSError:
                    shutil.rmtree(part)
        return self.folder


def certificates_of(name: str) -> Certificates:
    """Those of this process for a package of that name; they end with the process."""
    return Certificates(_own_folder() / name)


@cache
def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jisr-certificates-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _make(folder: Path) -> None:
    authority, stranger = _key(), _key()
    own, other = _name("Sandbox authority"), _name("Another authority")
    ours = _issued(own, authority, own, authority, ends=_LIFE, is_authority=True)
    _keep(folder / "authority.pem", ours)
    _keep(folder / "unknown.pem", _issued(other, stranger, other, stranger, ends=_LIFE, is_authority=True))
    _keep(folder / "ended.pem", _issued(own, authority, own, authority, ends=-_DAY, is_authority=True))
    for whose, ends, issuer, key in (
        ("server", _LIFE, own, authority),
        ("client", _LIFE, own, authority),
        ("expired_client", -_DAY, own, authority),
        ("unknown_client", _LIFE, other, stranger),
        ("signer", _LIFE, own, authority),
        ("institution", _LIFE, own, authority),
    ):
        its_key: PrivateKey = rsa.generate_private_key(65537, 2048) if whose in {"signer", "institution"} else _key()
        certificate = _issued(_name(whose), its_key, issuer, key, ends=ends, for_server=whose == "server")
        _keep(folder / f"{whose}.pem", certificate)
        _keep(folder / f"{whose}.key", its_key)
        if whose == "client":
            revoked = _revocation(own, authority, certificate)
            _write(folder / "revoked.pem", _pem(ours) + revoked.public_bytes(serialization.Encoding.PEM))


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _issued(
    subject: x509.Name,
    key: PrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ends: timedelta,
    is_authority: bool = False,
    for_server: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + ends)
    )
    length = 0 if is_authority else None
    for critical, extension in (
        (True, x509.BasicConstraints(ca=is_authority, path_length=length)),
        (True, _usage(is_authority=is_authority)),
        (False, x509.SubjectKeyIdentifier.from_public_key(key.public_key())),
        (False, x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())),
        *(((False, _here()),) if for_server else ()),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(unused, False),
    )


def _here() -> x509.SubjectAlternativeName:
    addresses = (ipaddress.ip_address(text) for text in ("127.0.0.1", "::1"))
    return x509.SubjectAlternativeName([x509.DNSName("localhost"), *(x509.IPAddress(one) for one in addresses)])


def _revocation(
    issuer: x509.Name, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> x509.CertificateRevocationList:
    now = datetime.now(UTC)
    row = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now - _DAY).build()
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(now - _DAY)
        .next_update(now + _LIFE)
        .add_revoked_certificate(row)
        .sign(key, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _keep(file: Path, what: x509.Certificate | PrivateKey) -> None:
    if isinstance(what, x509.Certificate):
        _write(file, _pem(what))
        return
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(file, what.private_bytes(serialization.Encoding.PEM, *form))


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
