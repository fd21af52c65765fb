"""Strict reading of a JSON answer: one object, UTF-8 without BOM, no duplicate keys, no NaN, exact numbers."""

import json
from decimal import Decimal
from typing import Any, NoReturn

_MAX_DIGITS = 100  #: Of one number; far above any amount or reference.


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; a list becomes `{"items": [...]}`. Numbers with a point are Decimal.

    Raises ValueError, with no value in its message."""
    try:
        text = raw.decode("utf-8")
        tree = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise ValueError("the answer is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer is not JSON ({error.msg})") from None
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    if isinstance(tree, list):
        tree = {"items": tree}
    if not isinstance(tree, dict):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004  # it is the answer that is wrong
    if "\\u" in text:
        _refuse_lone_surrogates(tree)
    return tree


def _refuse_lone_surrogates(tree: Any) -> None:
    try:
        json.dumps(tree, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("the answer has half a character") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("the answer has a key twice")
    return result


def _constant(_: str) -> NoReturn:
    raise ValueError("the answer has a number that is not finite")


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("the answer has a number that is too long")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_DIGITS:
        raise ValueError("the answer has a number that is too long")
    return Decimal(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_decimal
)
