"""The kinds of authentication that a manifest can declare, and the settings that each of them needs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

Encoding = Literal["hex", "base64"]
SignedPart = Literal["method", "path", "timestamp", "nonce", "key_id", "body", "body_sha256"]
TimestampFormat = Literal["unix", "unix_ms", "iso"]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    pass


class NoAuthentication(_Strict, frozen=True, tag="none"):
    """Nothing is sent."""


class Basic(_Strict, frozen=True, tag="basic"):
    """HTTP Basic (RFC 7617, UTF-8). Settings: `username`, `password`."""


class ApiKey(_Strict, frozen=True, tag="api_key"):
    """One key with every call, in a header or in the query. Setting: `api_key`."""

    header: Annotated[HeaderName, Meta(description="The header that carries it, unless `query` is given.")] = (
        "X-API-Key"
    )
    query: Annotated[
        str, Meta(description="The query parameter that carries it; a header is better, because addresses get logged.")
    ] = ""


class MessageSignature(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What is signed of each message and where the signature stands: the part that HMAC and RSA have in common."""

    header: Annotated[HeaderName, Meta(description="The header that carries the signature.")] = "X-Signature"
    signed: Annotated[
        tuple[SignedPart, ...],
        Meta(
            min_length=1,
            description="What is signed, in this order: `method`, `path` (with its query), `timestamp`, `nonce`, "
            "`key_id`, `body` (the bytes as sent), `body_sha256`. It covers the body.",
        ),
    ] = ("timestamp", "body")
    separator: Annotated[str, Meta(max_length=8, description="What stands between the signed parts.")] = "\n"
    digest_encoding: Annotated[Encoding, Meta(description="How `body_sha256` is written.")] = "hex"
    encoding: Annotated[Encoding, Meta(description="How the signature is written.")] = "base64"
    prefix: Annotated[
        str, Meta(max_length=40, pattern=r"^[\x20-\x7e]*$", description="Stands before it: `sha256=`.")
    ] = ""
    timestamp_header: Annotated[HeaderName, Meta(description="The header that carries the signed time.")] = (
        "X-Timestamp"
    )
    timestamp_format: Annotated[
        TimestampFormat, Meta(description="Seconds or milliseconds since 1970, or 2026-03-01T12:00:00Z.")
    ] = "unix"
    nonce_header: Annotated[HeaderName, Meta(description="The header that carries a fresh random text.")] = "X-Nonce"
    key_id_header: Annotated[
        str, Meta(description="The header that carries the setting `key_id`; left out: it is not sent.")
    ] = ""


class Hmac(MessageSignature, frozen=True, kw_only=True, tag="hmac"):
    """An HMAC over parts of the message. Settings: `hmac_secret`, and `key_id` where it is sent or signed."""

    algorithm: Annotated[Literal["sha256", "sha384", "sha512"], Meta(description="The hash.")] = "sha256"
    key_encoding: Annotated[
        Literal["text", "hex", "base64"], Meta(description="How the setting `hmac_secret` writes the key's bytes.")
    ] = "text"


class RsaSignature(MessageSignature, frozen=True, kw_only=True, tag="rsa_signature"):
    """RSA PKCS#1 v1.5 with SHA-256 over parts of the message. Settings: `signing_key` (pem), `key_id` as for hmac."""


class OAuth2(_Strict, frozen=True, tag="oauth2_client_credentials"):
    """The client credentials grant (RFC 6749, 4.4). Settings: `client_id`, `client_secret`."""

    token_path: Annotated[str, Meta(pattern="^/", description="Where the token is fetched, appended to base_url.")]
    scope: Annotated[str, Meta(description="The scope that is asked for; left out: none.")] = ""


class TokenOperation(_Strict, frozen=True, tag="token_operation"):
    """The token is fetched by an operation of the package and put where the mapping says."""

    operation: Annotated[str, Meta(description="The operation with role `token`.")]
    lifetime_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="How long a token lives when the answer does not say.")
    ] = 3600.0


class UsernameToken(_Strict, frozen=True, tag="username_token"):
    """SOAP: WS-Security UsernameToken Profile 1.0. Settings: `username`, `password`.

    With `x509_signature` it stands in the same Security header and is signed too.
    """

    plain_text: Annotated[
        bool,
        Meta(description="Send the password itself, only where TLS protects it; else its digest with nonce and time."),
    ] = False


class X509Signature(_Strict, frozen=True, tag="x509_signature"):
    """SOAP: WS-Security signature (RSA-SHA256) over Body and Timestamp. Settings: `signing_certificate`, `signing_key`.

    With `verify_answers` the setting `institution_certificate` (pem) holds the certificates that answers may be
    signed with; an answer without a good signature over Body and Timestamp is unreadable.
    """

    verify_answers: Annotated[bool, Meta(description="Whether answers must be signed too.")] = True
    lifetime_seconds: Annotated[
        float, Meta(ge=10, le=3600, description="How long a message is valid: Expires less Created.")
    ] = 300.0


class MutualTls(_Strict, frozen=True, tag="mutual_tls"):
    """TLS with a client certificate. Settings: `client_certificate`, `client_key` (pem); base_url must be https."""

    highest_version: Annotated[
        Literal["1.2", "1.3"],
        Meta(
            description="With 1.2 a refusal of our certificate is known before anything is sent. In 1.3 it comes after "
            "the first bytes (RFC 8446, 4.4.2), so that a call may end in doubt: only for those who demand it."
        ),
    ] = "1.2"


Authentication = (
    NoAuthentication
    | Basic
    | ApiKey
    | Hmac
    | RsaSignature
    | OAuth2
    | TokenOperation
    | UsernameToken
    | X509Signature
    | MutualTls
)

#: The settings that each kind needs: name -> type and whether it is a secret.
NEEDED_SETTINGS: Mapping[type, Mapping[str, tuple[str, bool]]] = {
    Basic: {"username": ("text", False), "password": ("text", True)},
    ApiKey: {"api_key": ("text", True)},
    Hmac: {"hmac_secret": ("text", True)},
    RsaSignature: {"signing_key": ("pem", True)},
    OAuth2: {"client_id": ("text", False), "client_secret": ("text", True)},
    UsernameToken: {"username": ("text", False), "password": ("text", True)},
    X509Signature: {"signing_certificate": ("pem", False), "signing_key": ("pem", True)},
    MutualTls: {"client_certificate": ("pem", False), "client_key": ("pem", True)},
}
#: Kinds that would stand in the same place of a message: a package uses at most one of each row.
RIVALS: tuple[tuple[type, ...], ...] = (
    (Basic, OAuth2),
    (OAuth2, TokenOperation),
    (Hmac, RsaSignature),
)
ONLY_SOAP = (UsernameToken, X509Signature)
ONLY_REST = (OAuth2, TokenOperation)
