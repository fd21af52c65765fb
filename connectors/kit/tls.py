"""Transport security of one institution: whom it is trusted by, and the certificate that the gateway shows.

Certificates are always checked with their host names, and nothing falls back to plain text.
"""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from connectors.kit.manifest import Manifest, MutualTls, Setting, SettingError


def tls_context(manifest: Manifest, settings: Mapping[str, Any]) -> ssl.SSLContext | None:
    """The context that the manifest asks for; None when the system's own authorities suffice. Raises SettingError."""
    mutual = next((proof for proof in manifest.proofs if isinstance(proof, MutualTls)), None)
    authorities = settings.get(manifest.http.trust, "")
    if mutual and not str(settings["base_url"]).startswith("https:"):
        raise SettingError(f"setting {manifest.name}.base_url: mutual TLS needs an https address")
    if not mutual and not authorities:
        return None
    try:
        context = ssl.create_default_context(cadata=str(authorities) if authorities else None)
    except (ssl.SSLError, ValueError):
        raise SettingError(f"setting {manifest.name}.{manifest.http.trust}: no certificate in PEM is there") from None
    if mutual:
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if mutual.highest_version == "1.2" else ssl.TLSVersion.TLSv1_3
        _show(context, manifest.name, str(settings["client_certificate"]), str(settings["client_key"]))
    return context


def ends_of_certificates(package_settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, datetime]:
    """For each setting that holds certificates, the earliest moment (UTC) at which one of them ends."""
    ends: dict[str, datetime] = {}
    for name, setting in package_settings.items():
        if setting.type != "pem":
            continue
        try:
            held = x509.load_pem_x509_certificates(str(values.get(name, "")).encode("utf-8"))
        except ValueError:  # a key, or nothing
            continue
        ends[name] = min(certificate.not_valid_after_utc for certificate in held)
    return ends


def _show(context: ssl.SSLContext, name: str, certificate: str, key: str) -> None:
    try:
        with _file(certificate) as certificate_file, _file(key) as key_file:
            context.load_cert_chain(certificate_file, key_file, password=_no_password)
    except (ssl.SSLError, ValueError, OSError):
        raise SettingError(
            f"settings {name}.client_certificate and {name}.client_key: "
            "they are no certificate and its unencrypted private key in PEM"
        ) from None


def _no_password() -> str:
    """Asked for only when the key is encrypted; without it OpenSSL would ask on the terminal."""
    raise ValueError


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    """A path that OpenSSL can read the text from: memory on Linux, else a file that only its owner reads."""
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("pem"), "wb") as file:  # noqa: PTH123  # a descriptor has no path
            file.write(text.encode("utf-8"))
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        yield file.name
