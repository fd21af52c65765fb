"""The settings that a connector needs from its installation: their types, and values checked against them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from connectors.kit.manifest.errors import SettingError

SettingType = Literal["url", "text", "integer", "number", "boolean", "pem"]
SettingValue = str | int | float | bool
_EXPECTED: Mapping[SettingType, str] = {
    "url": "an http or https address without user, query and fragment",
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "pem": "the text of a PEM file (write it as file:PATH)",
}
_SCHEMA_TYPES: Mapping[SettingType, Mapping[str, str]] = {
    "url": {"type": "string", "format": "uri", "pattern": "^https?://"},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "pem": {"type": "string"},
}


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """One setting that the connector needs from the installation."""

    type: Annotated[SettingType, Meta(description="What kind of value it takes; `pem` is a certificate or a key.")]
    secret: Annotated[
        bool,
        Meta(
            description="Never logged, masked in evidence, `writeOnly` in the schema of the settings; has no default."
        ),
    ] = False
    default: Annotated[
        SettingValue | None, Meta(description="Its value when the installation gives none; without one it is required.")
    ] = None
    optional: Annotated[bool, Meta(description="It may be left out and then has no value.")] = False
    description: Annotated[str, Meta(description="What it is, for the person who sets up the gateway.")] = ""

    def checked(self, name: str, value: Any) -> SettingValue:
        """`value` in the setting's type; text is read for numbers and booleans. Raises SettingError."""
        try:
            return _read(self.type, value)
        except (ValueError, OverflowError):
            raise SettingError(f"setting {name}: {_EXPECTED[self.type]} is expected") from None

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema; a secret is `writeOnly`."""
        schema: dict[str, Any] = dict(_SCHEMA_TYPES[self.type])
        if self.description:
            schema["description"] = self.description
        if self.default is not None:
            schema["default"] = self.default
        if self.secret:
            schema["writeOnly"] = True
        return schema


def settings_schema(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """The JSON Schema of `[connectors.NAME]` for these settings, secrets marked `writeOnly`."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: setting.schema() for name, setting in settings.items()},
        "required": [name for name, one in settings.items() if one.default is None and not one.optional],
    }


def _read(kind: SettingType, value: Any) -> SettingValue:
    match kind, value:
        case "text" | "pem", str() if value and (kind == "text" or "-----BEGIN " in value):
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
