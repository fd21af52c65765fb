"""The manifest of a connector package: its form, and the checks that one sentence can report.

docs/reference/manifest.md describes every key; config/schemas/manifest.schema.json lets an editor complete them.
"""

from connectors.kit.manifest.authentication import (
    ApiKey,
    Authentication,
    Basic,
    Hmac,
    MessageSignature,
    MutualTls,
    NoAuthentication,
    OAuth2,
    RsaSignature,
    TokenOperation,
    UsernameToken,
    X509Signature,
)
from connectors.kit.manifest.callbacks import CallbackSignature, DeclaredCallback
from connectors.kit.manifest.errors import ManifestError, SettingError
from connectors.kit.manifest.forms import DeclaredOperation, Hours, Http, Manifest, Rest, Role, Soap, Title
from connectors.kit.manifest.load import load_manifest
from connectors.kit.manifest.settings import Setting, SettingValue
from connectors.kit.manifest.statements import DeclaredStatement, StatementMoney

__all__ = [
    "ApiKey",
    "Authentication",
    "Basic",
    "CallbackSignature",
    "DeclaredCallback",
    "DeclaredOperation",
    "DeclaredStatement",
    "Hmac",
    "Hours",
    "Http",
    "Manifest",
    "ManifestError",
    "MessageSignature",
    "MutualTls",
    "NoAuthentication",
    "OAuth2",
    "Rest",
    "Role",
    "RsaSignature",
    "Setting",
    "SettingError",
    "SettingValue",
    "Soap",
    "StatementMoney",
    "Title",
    "TokenOperation",
    "UsernameToken",
    "X509Signature",
    "load_manifest",
]
