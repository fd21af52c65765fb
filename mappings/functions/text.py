"""Functions of text: digits, folding, cutting and filling."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mappings.arabic import arabic_digits, fold, fold_digits
from mappings.compiled.node import Evaluate, Node
from mappings.functions.registry import function

_MAX_WIDTH = 100


class TextFunctions:
    """Mixed into `MappingFunctions`."""

    @function(
        "text: text",
        says="Arabic-Indic and Persian digits as 0-9; everything else as it was.",
        examples=(("digits('٢٠٢٦/٠٣')", "2026/03"),),
    )
    def _func_digits(self, text: str) -> str:
        return fold_digits(text)

    def _fast_digits(self, _: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate:
        (argument,), slow = arguments, self._func_digits

        def evaluate(value: Any) -> Any:
            text = argument(value)
            if text.__class__ is str and text.isascii():
                return text
            return None if text is None else slow(text)

        return evaluate

    @function(
        "text: text",
        says="0-9 as Arabic-Indic digits, for wires that want them.",
        examples=(("arabic_digits('2026')", "٢٠٢٦"),),
    )
    def _func_arabic_digits(self, text: str) -> str:
        return arabic_digits(text)

    @function(
        "text: text",
        says="A name folded for matching (hamza seats, teh marbuta, alef maksura, tatweel, diacritics, spaces, case); "
        "never for what is stored or sent.",
        examples=(("fold('فاطِمَة  الأحمد')", "فاطمه الاحمد"),),
    )
    def _func_fold(self, text: str) -> str:
        return fold(text)

    @function("text: text", says="Upper case.", examples=(("upper('sy-di')", "SY-DI"),))
    def _func_upper(self, text: str) -> str:
        return text.upper()

    @function("text: text", says="Lower case.", examples=(("lower('SY-DI')", "sy-di"),))
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @function("text: text", says="Without the spaces around it.", examples=(("trim(' 12 ')", "12"),))
    def _func_trim(self, text: str) -> str:
        return text.strip()

    @function(
        "text: text", "characters: text",
        says="Without any of these characters.",
        examples=(("remove('123-456/7', '-/')", "1234567"),),
    )  # fmt: skip
    def _func_remove(self, text: str, characters: str) -> str:
        return text.translate(dict.fromkeys(map(ord, characters)))

    @function(
        "text: text", "width: whole number", "fill: text",
        says="Filled from the left to a width, at most 100. Text that is longer is refused, never cut.",
        examples=(("pad('47', `6`, '0')", "000047"),),
    )  # fmt: skip
    def _func_pad(self, text: str, width: int, fill: str) -> str:
        if len(fill) != 1 or not 0 < width <= _MAX_WIDTH or len(text) > width:
            raise ValueError(f"pad() wants one character, a width from 1 to {_MAX_WIDTH}, and text that is not longer")
        return text.rjust(width, fill)

    @function(
        "text: text", "start: whole number", "length: whole number",
        says="So many characters from a place on (0 is the first). Text that ends before is refused.",
        examples=(("substring('SY-DI-4711', `3`, `2`)", "DI"),),
    )  # fmt: skip
    def _func_substring(self, text: str, start: int, length: int) -> str:
        if start < 0 or length < 0 or start + length > len(text):
            raise ValueError("substring() wants a place and a length within the text")
        return text[start : start + length]

    @function(
        "value: number or text",
        says="A whole number as an exact integer. Anything else, also `1.0`, is refused.",
        examples=(("integer('٤٢')", 42), ("integer(`7`)", 7)),
    )
    def _func_integer(self, value: int | str | Decimal) -> int:
        if isinstance(value, int):
            return value
        text = fold_digits(value) if isinstance(value, str) else ""
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        plain = digits.isascii() and digits.isdigit() and len(digits) <= 19 and (digits == "0" or digits[0] != "0")
        if not plain:
            raise ValueError("integer() wants an integer")
        return int(sign + digits)

    @function(
        "value: anything",
        says="A number or a truth value as text, exactly: no exponent, all decimals. Text stays as it is.",
        examples=(("text(`2008`)", "2008"), ("text(`true`)", "true")),
    )
    def _func_text(self, value: Any) -> str:
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case int():
                return str(value)
            case Decimal() if value.is_finite() and abs(value.adjusted()) <= _MAX_WIDTH:
                return format(value, "f")
        raise ValueError("text() wants text, an exact number or a truth value")
