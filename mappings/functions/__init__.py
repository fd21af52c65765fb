"""The functions that mapping expressions have beside JMESPath's. Null in, null out; what does not fit is a ValueError.

The messages name what was wanted and never the value, which may be personal.
"""

from collections.abc import Mapping, Sequence

from jmespath.functions import Functions

from mappings.codes import CodeTable
from mappings.compiled.node import Evaluate, Node, text_of
from mappings.dates import check_format
from mappings.functions.amounts import AmountFunctions
from mappings.functions.attachments import AttachmentFunctions
from mappings.functions.dates import DateFunctions
from mappings.functions.lists import ListFunctions
from mappings.functions.persons import PersonFunctions
from mappings.functions.prepared import prepared
from mappings.functions.registry import Documented, documented
from mappings.functions.tables import TableFunctions
from mappings.functions.text import TextFunctions

__all__ = ["Documented", "MappingFunctions", "documented"]

_TABLED = frozenset({"code", "uncode", "has_code"})
_FORMATTED = {"date": False, "iso_date": False, "datetime": True, "iso_datetime": True}


class MappingFunctions(
    TextFunctions,
    PersonFunctions,
    DateFunctions,
    AmountFunctions,
    TableFunctions,
    ListFunctions,
    AttachmentFunctions,
    Functions,  # type: ignore[misc]  # jmespath has no types
):
    """JMESPath's functions and ours, bound to the connector's own code tables."""

    def __init__(self, tables: Mapping[str, CodeTable]) -> None:
        self._tables = tables

    def short_form(self, name: str, nodes: Sequence[Node], arguments: Sequence[Evaluate]) -> Evaluate | None:
        """A quicker closure of a call that means the same, where the function has one."""
        own = getattr(self, f"_fast_{name}", None)
        found: Evaluate | None = own(nodes, arguments) if own is not None else None
        return found or prepared(self, self.FUNCTION_TABLE[name]["function"], nodes, arguments)

    def check_call(self, name: str, arguments: Sequence[Node]) -> None:
        """Raises ValueError for a constant argument that can never fit: a table, a format of dates."""
        if name in _TABLED and (table := text_of(arguments[0])) is not None:
            self._check_table(table)
        if name in _FORMATTED and (form := text_of(arguments[1])) is not None:
            check_format(form, clock=_FORMATTED[name])
