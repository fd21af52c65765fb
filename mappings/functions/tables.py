"""Functions of code tables, both ways, and of conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

from mappings import codes
from mappings.codes import CodeTable
from mappings.compiled.logic import is_false
from mappings.compiled.node import Evaluate, Node, text_of
from mappings.functions.registry import function


class TableFunctions:
    """Mixed into `MappingFunctions`, bound to the connector's own code tables."""

    _tables: Mapping[str, CodeTable]

    def table(self, name: str) -> tuple[CodeTable, str]:
        """The table and column that `name` or `name.column` means; the connector's own win. Raises UnknownCode."""
        stem, _, column = name.partition(".")
        return self._tables.get(stem) or codes.table(stem), column or "code"

    def _check_table(self, name: str) -> None:
        try:
            rows, column = self.table(name)
        except LookupError as error:
            raise ValueError(str(error)) from error
        if not all(column in row for row in rows.rows.values()):
            raise ValueError(f"code table {name!r} has no such column")

    @function(
        "table: text", "value: text",
        says="The institution's code of a canonical value. The table is one of codes.toml or of `mappings/codes`; "
        "`.column` chooses another column. A value that the table does not have is refused.",
        examples=(("code('governorates', 'aleppo')", "02"), ("code('governorates.iso', 'aleppo')", "SY-HL")),
        subject=1,
    )  # fmt: skip
    def _func_code(self, table: str, value: str) -> str:
        rows, column = self.table(table)
        return rows.code(value, column)

    def _fast_code(self, nodes: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate | None:
        name = text_of(nodes[0])
        if name is None:
            return None
        rows, column = self.table(name)
        return _looked_up({value: row[column] for value, row in rows.rows.items()}, arguments[1], self._func_code, name)

    @function(
        "table: text", "code: text",
        says="The canonical value of an institution's code. A code that the table does not have is refused.",
        examples=(("uncode('governorates', '02')", "aleppo"),),
        subject=1,
    )  # fmt: skip
    def _func_uncode(self, table: str, code: str) -> str:
        rows, column = self.table(table)
        return rows.value(code, column)

    def _fast_uncode(self, nodes: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate | None:
        name = text_of(nodes[0])
        if name is None:
            return None
        rows, column = self.table(name)
        return _looked_up(
            {row[column]: value for value, row in rows.rows.items()}, arguments[1], self._func_uncode, name
        )

    @function(
        "table: text", "code: text",
        says="Whether the table has that institution's code; with `if`, for codes that may be new.",
        examples=(("has_code('governorates', '02')", True), ("has_code('governorates', '99')", False)),
        subject=1,
    )  # fmt: skip
    def _func_has_code(self, table: str, code: str) -> bool:
        rows, column = self.table(table)
        return any(row.get(column) == code for row in rows.rows.values())

    def _fast_has_code(self, nodes: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate | None:
        name = text_of(nodes[0])
        if name is None:
            return None
        rows, column = self.table(name)
        known, argument, slow = {row[column] for row in rows.rows.values()}, arguments[1], self._func_has_code

        def evaluate(value: Any) -> Any:
            code = argument(value)
            return code in known if code.__class__ is str else slow(name, code)

        return evaluate

    @function(
        "condition: anything", "then: anything", "otherwise: anything",
        says="One of two values, by JMESPath's truth (null, false, and empty text, lists and objects are false). Only "
        "the chosen one is evaluated.",
        examples=(("if('' == '', 'empty', 'full')", "empty"),),
        subject=None,
    )  # fmt: skip
    def _func_if(self, condition: Any, then: Any, otherwise: Any) -> Any:
        return otherwise if is_false(condition) else then

    def _fast_if(self, _: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate:
        condition, then, otherwise = arguments

        def evaluate(value: Any) -> Any:
            found = condition(value)
            return then(value) if found or not is_false(found) else otherwise(value)

        return evaluate

    @function(
        "value: anything", "true: text", "false: text",
        says="A truth value in the wire's words.",
        examples=(("flag(`true`, 'Y', 'N')", "Y"),),
    )  # fmt: skip
    def _func_flag(self, value: Any, true: str, false: str) -> str:
        if not isinstance(value, bool):
            raise ValueError("flag() wants a truth value")  # noqa: TRY004  # one kind of refusal
        return true if value else false

    @function(
        "text: text", "true: text", "false: text",
        says="The truth value of the wire's words; anything else is refused.",
        examples=(("unflag('N', 'Y', 'N')", False),),
    )  # fmt: skip
    def _func_unflag(self, text: str, true: str, false: str) -> bool:
        if text not in {true, false}:
            raise ValueError("unflag() wants one of its two words")
        return text == true


def _looked_up(known: Mapping[str, str], argument: Evaluate, slow: Any, name: str) -> Evaluate:
    """The look-up in a table that was found at load; what is not there goes the long way, which says why."""

    def evaluate(value: Any) -> Any:
        wanted = argument(value)
        if wanted is None:
            return None
        found = known.get(wanted) if wanted.__class__ is str else None
        return slow(name, wanted) if found is None else found

    return evaluate
