"""The manifest of a connector package: its form, and the checks that one sentence can report.

docs/reference/connector-package.md describes every key.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from connectors.kit.contract import Effect, Operation

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_OPERATION = re.compile(r"[a-z][a-z0-9-]{0,40}")
_REST_WIRE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?#]*)")

Seconds = Annotated[float, Meta(gt=0, le=3600)]
SettingType = Literal["url", "text", "integer", "number", "boolean"]
SettingValue = str | int | float | bool
_EXPECTED: Mapping[SettingType, str] = {
    "url": "an http or https address without user, query and fragment",
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}


class ManifestError(ValueError):
    """A connector package is wrong: one sentence that names the file and the key."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key


class SettingError(ValueError):
    """A setting of a connector is missing or wrong; the message names it and never shows its value."""


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Title(_Strict, frozen=True):
    """The institution's name."""

    ar: str
    en: str


class Setting(_Strict, frozen=True):
    """One setting that the connector needs from the installation."""

    type: SettingType
    secret: bool = False
    default: SettingValue | None = None
    description: str = ""

    def checked(self, name: str, value: Any) -> SettingValue:
        """`value` in the setting's type; text is read for numbers and booleans. Raises SettingError."""
        try:
            return _read(self.type, value)
        except (ValueError, OverflowError):
            raise SettingError(f"setting {name}: {_EXPECTED[self.type]} is expected") from None


def _read(kind: SettingType, value: Any) -> SettingValue:
    match kind, value:
        case "text", str() if value:
            return str(value)
        case "url", str() if _is_url(value):
            return str(value).rstrip("/")
        case "boolean", bool():
            return bool(value)
        case "boolean", "true" | "false":
            return bool(value == "true")
        case "integer", int() | str() if not isinstance(value, bool):
            return int(value)
        case "number", int() | float() | str() if not isinstance(value, bool):
            return float(value)
    raise ValueError


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain


class Http(_Strict, frozen=True):
    """The pool of the institution."""

    connections: Annotated[int, Meta(ge=1, le=1000)] | None = None  #: None: the operations' places are the limit.
    connect_seconds: Seconds = 5.0


class Soap(_Strict, frozen=True):
    """Where the WSDL is and how its faults are read."""

    wsdl: str
    path: str
    port: str | None = None
    fault_code: str = "fault.code"
    fault_message: str = "fault.text"


class NoAuthentication(_Strict, frozen=True, tag_field="kind", tag="none"):
    """Nothing is sent."""


class ApiKey(_Strict, frozen=True, tag_field="kind", tag="api_key"):
    """One header with every call."""

    header: str = "X-API-Key"


class OAuth2(_Strict, frozen=True, tag_field="kind", tag="oauth2_client_credentials"):
    """RFC 6749, 4.4."""

    token_path: str
    scope: str = ""


class TokenOperation(_Strict, frozen=True, tag_field="kind", tag="token_operation"):
    """The token is fetched by an operation and put where the mapping says."""

    operation: str
    lifetime_seconds: Seconds = 3600.0


class UsernameToken(_Strict, frozen=True, tag_field="kind", tag="username_token"):
    """WS-Security UsernameToken with PasswordDigest."""


Authentication = NoAuthentication | ApiKey | OAuth2 | TokenOperation | UsernameToken

_NEEDED_SETTINGS: Mapping[type, tuple[str, ...]] = {
    ApiKey: ("api_key",),
    OAuth2: ("client_id", "client_secret"),
    UsernameToken: ("username", "password"),
}


class DeclaredOperation(_Strict, frozen=True):
    """One operation as the manifest writes it."""

    wire: str
    role: Literal["check", "quote", "submit", "inquire", "cancel", "initiate", "confirm", "resend", "token"]
    effect: Effect
    deadline_seconds: Seconds = 30.0
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 16
    inquire: str | None = None
    visibility_delay_seconds: Annotated[float, Meta(ge=0)] = 60.0
    max_response_bytes: Annotated[int, Meta(ge=1024, le=256 * 1024 * 1024)] = 20 * 1024 * 1024
    secrets: tuple[str, ...] = ()

    def as_operation(self, name: str) -> Operation:
        """The operation of the contract."""
        return Operation(
            name=name,
            role=self.role,
            effect=self.effect,
            deadline_seconds=self.deadline_seconds,
            concurrency=self.concurrency,
            inquire=self.inquire,
            visibility_delay_seconds=self.visibility_delay_seconds,
            max_response_bytes=self.max_response_bytes,
            secrets=self.secrets,
        )

    def method_and_path(self) -> tuple[str, str]:
        """The two words of a REST operation's wire. Raises ValueError."""
        match = _REST_WIRE.fullmatch(self.wire)
        if match is None:
            raise ValueError("the wire of a REST operation is a method and a path: POST /v1/things/{id}")
        return match[1], match[2]


class Manifest(_Strict, frozen=True):
    """A checked manifest."""

    name: str
    version: str
    kind: Literal["rest", "soap"]
    title: Title
    settings: Mapping[str, Setting]
    operations: Mapping[str, DeclaredOperation]
    http: Http = Http()
    soap: Soap | None = None
    authentication: Authentication = NoAuthentication()
    payer_operator: str | None = None  #: The mobile operator whose numbers a wallet serves.

    def checked_settings(self, values: Mapping[str, Any]) -> dict[str, SettingValue]:
        """`values` with the defaults, each in its type. Raises SettingError for what is missing, unknown or wrong."""
        for name in values:
            if name not in self.settings:
                raise SettingError(f"connector {self.name} has no setting {name}")
        result = {}
        for name, setting in self.settings.items():
            value = values.get(name, setting.default)
            if value is None:
                raise SettingError(f"connector {self.name} needs the setting {name}")
            result[name] = setting.checked(f"{self.name}.{name}", value)
        return result


def load_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises ManifestError."""
    file = f"{folder.name}/manifest.toml"
    try:
        tree = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))
        manifest = msgspec.convert(tree, Manifest)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(file, "", str(error)) from error
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise ManifestError(file, path.strip("`.").removeprefix("."), problem) from error
    for key, problem in _problems(manifest, folder):
        raise ManifestError(file, key, problem)
    return manifest


def _problems(manifest: Manifest, folder: Path) -> Iterator[tuple[str, str]]:
    if manifest.name != folder.name or not _NAME.fullmatch(manifest.name):
        yield "name", f"it is the folder's name, {folder.name}, in lower case letters, digits and underscores"
    if "base_url" not in manifest.settings or manifest.settings["base_url"].type != "url":
        yield "settings.base_url", "every connector has this setting, of type url"
    yield from _authentication_problems(manifest)
    if (manifest.kind == "soap") != (manifest.soap is not None):
        yield "soap", "this table stands in the manifests of kind soap, and only there"
    if not manifest.operations:
        yield "operations", "a connector has at least one operation"
    for name, operation in manifest.operations.items():
        for key, problem in _operation_problems(manifest, name, operation):
            yield f"operations.{name}.{key}", problem


def _authentication_problems(manifest: Manifest) -> Iterator[tuple[str, str]]:
    declared = manifest.authentication
    for name in _NEEDED_SETTINGS.get(type(declared), ()):
        if name not in manifest.settings:
            yield f"settings.{name}", "the kind of authentication needs this setting"
    if isinstance(declared, UsernameToken) and manifest.kind != "soap":
        yield "authentication.kind", "username_token is for connectors of kind soap"
    if isinstance(declared, OAuth2 | TokenOperation) and manifest.kind != "rest":
        yield "authentication.kind", "tokens are for connectors of kind rest"
    wanted = {declared.operation} if isinstance(declared, TokenOperation) else set()
    if {name for name, operation in manifest.operations.items() if operation.role == "token"} != wanted:
        yield "authentication.operation", "kind token_operation names the one operation with role token"


def _operation_problems(manifest: Manifest, name: str, operation: DeclaredOperation) -> Iterator[tuple[str, str]]:
    if not _OPERATION.fullmatch(name):
        yield "name", "an operation's name has lower case letters, digits and hyphens"
    inquiry = manifest.operations.get(operation.inquire) if operation.inquire else None
    if operation.effect is Effect.INQUIRABLE and operation.inquire is None:
        yield "inquire", "an inquirable operation names the operation that inquires"
    if operation.inquire is not None and (inquiry is None or inquiry.role != "inquire"):
        yield "inquire", f"there is no operation {operation.inquire} with role inquire"
    reads = operation.role in {"check", "quote", "inquire", "token"}
    if reads != (operation.effect is Effect.SAFE):
        yield "effect", "operations with role check, quote, inquire and token are safe; the others change something"
    if manifest.kind == "rest":
        try:
            operation.method_and_path()
        except ValueError as error:
            yield "wire", str(error)
