"""Certificates made on the spot: an authority, servers and clients that it vouches for, and signers. Nothing is kept."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, as PEM text."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates."""

    _key: CertificateIssuerPrivateKeyTypes
    _certificate: x509.Certificate

    @classmethod
    def make(cls, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            True,
        )  # fmt: skip
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def certificate(self) -> str:
        return _pem(self._certificate)

    def issue(self, name: str, *, host: str | None = None, days: int = 2, signs: bool = False) -> Pair:
        """For a server (`host` is its address) or a client; `signs` gives an RSA key. `days` below 0: it has ended."""
        key = rsa.generate_private_key(65537, 2048) if signs else ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self._certificate.subject, key, days)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._certificate.public_key()),  # type: ignore[arg-type]
            False,
        )
        if host is not None:
            known: x509.GeneralName = x509.DNSName(host)
            if host.replace(".", "").isdigit():
                known = x509.IPAddress(ipaddress.ip_address(host))
            builder = builder.add_extension(x509.SubjectAlternativeName([known]), False)
        return Pair(
            _pem(builder.sign(self._key, hashes.SHA256())),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )


@cache
def authority(name: str = "Ministry authority") -> Authority:
    """One authority per name and test process."""
    return Authority.make(name)


@cache
def signer(name: str) -> Pair:
    """An RSA signer per name and test process."""
    return authority().issue(name, signs=True)


def server_context(pair: Pair, folder: Path, *, clients: str | None = None) -> ssl.SSLContext:
    """TLS of a server; with `clients` (PEM of an authority) it demands their certificates."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=clients)
    for name, text in (("server.pem", pair.certificate), ("server.key", pair.key)):
        (folder / name).write_text(text)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificateIssuerPrivateKeyTypes, days: int = 2
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3650 * _DAY)
        .not_valid_after(now + days * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
