"""This file writes JSON for the store and for channels, and reads back what the store kept: compact, exact decimals."""

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def pack(value: Any) -> bytes:
    """`value` in UTF-8, without spaces; a Decimal is the number that it is. Raises TypeError for what JSON has not."""
    return _encoder.encode(value)


def pack_text(value: Any) -> str:
    """The same as text, for columns that are not sealed."""
    return _encoder.encode(value).decode()


def unpack(packed: bytes | str) -> Any:
    """The value; a number with a point is a Decimal."""
    return _decoder.decode(packed)
