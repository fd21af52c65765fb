"""Functions of persons: their names, national and mobile numbers."""

from typing import Any, cast

from mappings.compiled.node import Evaluate
from mappings.functions.registry import function
from mappings.names import join_name, name_joiner, split_name
from mappings.person import MobileForm, mobile_as, national_number


def _join_name(parts: str) -> Evaluate:
    """`join_name` with its constant."""
    join = name_joiner(parts)
    return lambda name: join(name) or None


class PersonFunctions:
    """Mixed into `MappingFunctions`."""

    @function(
        "name: object", "parts: text",
        prepare=_join_name,
        says="The parts of a name in that order, in the citizen's own spelling; a part that is not there is left out.",
        examples=(("join_name({given: 'سامر', family: 'العينة'}, 'given father family')", "سامر العينة"),),
    )  # fmt: skip
    def _func_join_name(self, name: dict[str, Any], parts: str) -> str | None:
        return join_name(name, parts) or None

    @function(
        "text: text", "parts: text",
        says="A name that the wire writes as one text, in its parts. Compound names (عبد الله, نور الدين, أبو …) stay "
        "together. The number of parts must fit, or it is refused; `+` after a part lets it take what is left.",
        examples=(
            (
                "split_name('عبد الله خليل العينة', 'given father family')",
                {"given": "عبد الله", "father": "خليل", "family": "العينة"},
            ),
            ("split_name('سامر خليل آل العينة الحلبي', 'given father family+').family", "آل العينة الحلبي"),
        ),
    )  # fmt: skip
    def _func_split_name(self, text: str, parts: str) -> dict[str, str]:
        return split_name(text, parts)

    @function(
        "text: text",
        says="A national number: 11 digits, folded to 0-9.",
        examples=(("national_number('٩٩٠٠٠٠٠٠٥٠٠')", "99000000500"),),
    )
    def _func_national_number(self, text: str) -> str:
        return national_number(text)

    @function(
        "number: text", "form: text",
        says="A Syrian mobile number as `'e164'` +9639…, `'international'` 9639… or `'local'` 09….",
        examples=(
            ("mobile('0930 000 555', 'e164')", "+963930000555"),
            ("mobile('+963930000555', 'local')", "0930000555"),
        ),
    )  # fmt: skip
    def _func_mobile(self, number: str, form: str) -> str:
        return mobile_as(number, cast(MobileForm, form))
