"""The messages that an institution sends by itself: what verifies one, and where it says which act it is about."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from connectors.kit.manifest.authentication import Encoding, HeaderName, TimestampFormat


class CallbackSignature(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An HMAC with which the institution signs a callback."""

    key: Annotated[str, Meta(description="The setting that holds the key; it is a secret.")] = "callback_secret"
    key_encoding: Annotated[
        Literal["text", "hex", "base64"], Meta(description="How that setting writes the key's bytes.")
    ] = "text"
    algorithm: Annotated[Literal["sha256", "sha384", "sha512"], Meta(description="The hash.")] = "sha256"
    header: Annotated[HeaderName, Meta(description="The header that carries the signature.")] = "X-Signature"
    encoding: Annotated[Encoding, Meta(description="How the signature is written.")] = "base64"
    prefix: Annotated[str, Meta(max_length=40, description="Stands before it: `sha256=`.")] = ""
    signed: Annotated[
        tuple[Literal["timestamp", "body", "body_sha256"], ...],
        Meta(min_length=1, description="What is signed, in this order; it covers the body."),
    ] = ("timestamp", "body")
    separator: Annotated[str, Meta(max_length=8, description="What stands between the signed parts.")] = "\n"
    digest_encoding: Annotated[Encoding, Meta(description="How `body_sha256` is written.")] = "hex"
    timestamp_header: Annotated[HeaderName, Meta(description="The header that carries the signed time.")] = (
        "X-Timestamp"
    )
    timestamp_format: Annotated[TimestampFormat, Meta(description="How the time is written.")] = "unix"
    tolerance_seconds: Annotated[
        float, Meta(gt=0, le=86400, description="How far that time may lie from ours, either way.")
    ] = 300.0


class DeclaredCallback(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A message of the institution: JSON, read by the `answer` part of `mapping/<name>.yaml` and by codes.toml."""

    operation_id: Annotated[
        str,
        Meta(description="JMESPath expression over the JSON object: the operation id of the act that it is about."),
    ]
    signature: Annotated[
        CallbackSignature | None,
        Meta(description="What verifies it; left out: nothing does, and it is only a reason to inquire."),
    ] = None
    max_bytes: Annotated[int, Meta(ge=1024, le=20 * 1024 * 1024, description="The largest message that is read.")] = (
        1024 * 1024
    )
