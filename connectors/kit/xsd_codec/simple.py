"""Simple types: how a value becomes text between tags, and what a text that the schema accepted means.

Text stays text, also dates; integers are int, decimals and floats Decimal, booleans bool, base64Binary bytes, lists
are lists. Nothing here puts a value into a message of an error: values may be personal.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from zeep.xsd import types
from zeep.xsd.types import builtins

from connectors.kit.xsd_codec.taken import TAKING

Parts = Mapping[str, bytes]  #: Attachments of the message by content id, where XOP put binary content.

CID = "cid:"
_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL_IN_ATTRIBUTE = re.compile('[&<>"\r\n\t\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_SPACES = re.compile("[\t\n\r]")
_FLOATS = {"Infinity": "INF", "-Infinity": "-INF"}


def escape(text: str) -> str:
    """Text as it stands between tags. Raises ValueError for a character that XML cannot hold."""
    return text if _SPECIAL.search(text) is None else _escaped(text)


def _escaped(text: str) -> str:
    if _ILLEGAL.search(text):
        raise ValueError("a character that XML cannot hold")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def quote(text: str) -> str:
    """Text as it stands in an attribute, with its quotation marks. Raises ValueError."""
    if _SPECIAL_IN_ATTRIBUTE.search(text) is not None:
        text = _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{text}"'


@dataclass(frozen=True, slots=True)
class SimpleType:
    """Text between tags or in an attribute."""

    to_text: Callable[[Any], str]  #: Not escaped. Raises ValueError for a value of another kind.
    from_text: Callable[[str], Any]
    binary: bool = False
    plural: bool = False  #: A list is one value.

    def write(self, value: Any, start: str, end: str, append: Callable[[str], None]) -> None:
        """Append the element; `start` lacks its last `>`."""
        append(f"{start}>{escape(self.to_text(value))}{end}")

    def read(self, node: Any, parts: Parts) -> Any:
        """The value of an element."""
        text = node.text
        if self.binary and text is not None and text.startswith(CID):
            return _attached(text[len(CID) :], parts)
        return self.from_text(text or "")


def _attached(name: str, parts: Parts) -> bytes:
    if name not in parts:  # nobody marked the place: it is what the counterparty wrote
        raise ValueError("base64 is expected")
    return parts[name]


def simple_type(xsd_type: Any) -> SimpleType:
    """The codec of one of zeep's simple types."""
    if isinstance(xsd_type, types.ListType):
        return _list_of(simple_type(xsd_type.item_type))
    if isinstance(xsd_type, types.UnionType):
        return TEXT if xsd_type.item_class is None else simple_type(xsd_type.item_class())
    for kind, codec in _SIMPLE:
        if isinstance(xsd_type, kind):
            return codec
    return TEXT


def _list_of(item: SimpleType) -> SimpleType:
    def to_text(value: Any) -> str:
        if not isinstance(value, list | tuple):
            value = value.split() if isinstance(value, str) else [value]
        return " ".join(item.to_text(each) if not isinstance(each, str) else each for each in value)

    return SimpleType(to_text, lambda text: [item.from_text(each) for each in text.split()], plural=True)


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    raise ValueError("text is expected")


def _boolean_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in {"true", "false", "1", "0"}:
        return str(value)
    raise ValueError("true or false is expected")


def _integer_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("an integer is expected")


def _decimal_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        raise ValueError("a number is expected")  # noqa: TRY004  # a mapping's fault
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("a number is expected")


def _float_text(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else _decimal_text(value)
    return _FLOATS.get(text, text).replace("inf", "INF").replace("nan", "NaN")


def _from_decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError("a decimal is expected") from None


def _base64_text(value: Any) -> str:
    taking = TAKING.get()
    if taking is not None:
        return taking.place(value if not isinstance(value, str) else _from_base64(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, str):
        return value
    raise ValueError("binary content is expected")


def _from_base64(text: str) -> bytes:
    try:
        return msgspec.convert(text, bytes)  # three times as fast as binascii, and as strict
    except msgspec.ValidationError:
        pass
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise ValueError("base64 is expected") from None


def _collapsed(text: str) -> str:
    if text.isprintable():  # no tab and no line end
        return text.strip()
    return _SPACES.sub(" ", text).strip()


TEXT = SimpleType(_text_of, str)
#: In this order: zeep's Integer is a Decimal, and a Token a String.
_SIMPLE: tuple[tuple[type, SimpleType], ...] = (
    (builtins.Boolean, SimpleType(_boolean_text, lambda text: text.strip() in {"true", "1"})),
    (builtins.Integer, SimpleType(_integer_text, lambda text: int(text.strip()))),
    (builtins.Decimal, SimpleType(_decimal_text, _from_decimal)),
    (builtins.Float, SimpleType(_float_text, _from_decimal)),
    (builtins.Double, SimpleType(_float_text, _from_decimal)),
    (builtins.Base64Binary, SimpleType(_base64_text, _from_base64, binary=True)),
    (builtins.NmTokens, _list_of(TEXT)),
    (builtins.IDREFS, _list_of(TEXT)),
    (builtins.Entities, _list_of(TEXT)),
    (builtins.Token, SimpleType(_text_of, _collapsed)),
    (builtins.NormalizedString, SimpleType(_text_of, lambda text: _SPACES.sub(" ", text))),
    (builtins.String, TEXT),
    (builtins.BuiltinType, SimpleType(_text_of, _collapsed)),
)
