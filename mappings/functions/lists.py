"""Functions of lists. JMESPath's own (`[*]`, `[?…]`, `[]`, sort_by, length, join …) do the rest."""

from collections.abc import Sequence
from typing import Any

from mappings.compiled.budget import charge
from mappings.compiled.node import Evaluate, Node, text_of
from mappings.functions.registry import function

_MAX_SEPARATORS = 1_000_000  #: Characters that `join` may add.


class ListFunctions:
    """Mixed into `MappingFunctions`."""

    @function("list: list", says="The first element, null of an empty list.", examples=(("first(['a', 'b'])", "a"),))
    def _func_first(self, rows: list[Any]) -> Any:
        return rows[0] if rows else None

    @function("list: list", says="The last element, null of an empty list.", examples=(("last(['a', 'b'])", "b"),))
    def _func_last(self, rows: list[Any]) -> Any:
        return rows[-1] if rows else None

    @function(
        "value: anything",
        says="A list as it is, anything else as a list of one: for wires that write no list when there is one row.",
        examples=(("listed('a')", ["a"]), ("listed(['a', 'b'])", ["a", "b"])),
    )
    def _func_listed(self, value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    @function(
        "list: list",
        says="Without repeated elements (text and numbers), in the order of their first.",
        examples=(("unique(['a', 'b', 'a'])", ["a", "b"]),),
    )
    def _func_unique(self, rows: list[Any]) -> list[Any]:
        charge(len(rows))
        if any(isinstance(row, list | dict) for row in rows):
            raise ValueError("unique() wants a list of text and numbers")
        return list({(row.__class__, row): row for row in rows}.values())

    @function(
        "text: text", "separator: text",
        says="The parts of a text between separators, without the spaces around them; empty parts are left out.",
        examples=(("split('12, 13,,14', ',')", ["12", "13", "14"]),),
    )  # fmt: skip
    def _func_split(self, text: str, separator: str) -> list[str]:
        if not separator:
            raise ValueError("split() wants a separator")
        parts = text.split(separator)
        charge(len(parts))
        return [part.strip() for part in parts if part.strip()]

    def _fast_join(self, _: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate:
        """JMESPath's `join`, with a limit on what the separators add."""
        separator_of, rows_of = arguments

        def evaluate(value: Any) -> Any:
            separator, rows = separator_of(value), rows_of(value)
            if separator.__class__ is not str or rows.__class__ is not list:
                raise TypeError("join")
            if len(separator) * len(rows) > _MAX_SEPARATORS:
                raise ValueError(f"join() adds more than {_MAX_SEPARATORS:,} characters")
            return separator.join(rows)

        return evaluate

    def _fast_contains(self, nodes: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate | None:
        """JMESPath's `contains`, of a list of text constants that is made once."""
        texts = [text_of(node) for node in nodes[0]["children"]] if nodes[0]["type"] == "multi_select_list" else []
        if not texts or None in texts:
            return None
        rows, wanted = frozenset(texts), arguments[1]

        def evaluate(value: Any) -> bool:
            if value is None:
                raise TypeError("contains")  # a list that is selected from null is null
            found = wanted(value)
            return isinstance(found, str) and found in rows

        return evaluate
