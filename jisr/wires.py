"""Says in a few words how an institution is spoken to: from its package, for tables that people read."""

from connectors.kit.manifest import Manifest, Soap
from connectors.kit.wsdl import load_wsdl
from connectors.kit.wsdl.contract import SOAP12
from connectors.registry import Package

_PROOFS = {
    "none": "",
    "basic": "HTTP Basic",
    "api_key": "API key",
    "hmac": "HMAC",
    "rsa": "RSA signature",
    "oauth2_client_credentials": "OAuth2",
    "username_token": "UsernameToken",
    "x509_signature": "X.509 signature",
    "mutual_tls": "mutual TLS",
    "token_operation": "token by operation",
}


def wire_of(package: Package) -> str:
    """`SOAP 1.1, UsernameToken`, `REST, OAuth2` …"""
    manifest = package.manifest
    proofs = [str(getattr(proof.__struct_config__, "tag", "")) for proof in manifest.proofs]
    words = [_PROOFS.get(proof, proof.replace("_", " ")) for proof in proofs]
    protocol = _soap(package, manifest, manifest.soap) if manifest.soap else [manifest.kind.upper()]
    callbacks = ["callbacks"] if manifest.callbacks else []
    return ", ".join([*protocol, *[word for word in words if word], *callbacks])


def _soap(package: Package, manifest: Manifest, soap: Soap) -> list[str]:
    """The version, and what the port asks for beyond plain messages."""
    contract = load_wsdl(package.folder, manifest, soap)
    beyond = {
        "xsi:type": soap.xsi_types,
        "WS-Addressing": contract.addressing if soap.addressing is None else soap.addressing,
        "MTOM": contract.mtom,
        soap.encoding: soap.encoding != "utf-8",
    }
    version = "SOAP 1.2" if contract.envelope == SOAP12 else "SOAP 1.1"
    return [version, *[word for word, holds in beyond.items() if holds]]
