"""Says in a few words how an institution is spoken to: from its manifest, for tables that people read."""

from connectors.kit.manifest import Manifest

_PROOFS = {
    "none": "",
    "basic": "HTTP Basic",
    "api_key": "API key",
    "hmac": "HMAC",
    "rsa": "RSA signature",
    "oauth2_client_credentials": "OAuth2",
    "username_token": "UsernameToken",
    "x509": "X.509 signature",
    "mutual_tls": "mutual TLS",
    "token_operation": "token by operation",
}


def wire_of(manifest: Manifest) -> str:
    """`SOAP, UsernameToken`, `REST, OAuth2` …"""
    proofs = [str(getattr(proof.__struct_config__, "tag", "")) for proof in manifest.proofs]
    words = [_PROOFS.get(proof, proof.replace("_", " ")) for proof in proofs]
    callbacks = ["callbacks"] if manifest.callbacks else []
    return ", ".join([manifest.kind.upper(), *[word for word in words if word], *callbacks])
