"""zeep's values, with what zeep leaves unread in a wildcard read by zeep as the element that the type declares.

Where a wildcard stands before a named element that it could match too, zeep gives that element to the wildcard, as raw
XML; XSD 1.1 (3.8.6.4) gives it to its declaration, and so does our codec. XSD 1.0 decides nothing: to it such a schema
is an error (3.8.6, unique particle attribution).
"""

from typing import Any

import zeep.xsd
from lxml import etree
from zeep.xsd import CompoundValue

from connectors.kit.wsdl.zeep_values import ZeepValues


class SettledValues(ZeepValues):
    """Converts what zeep has read, and counts the elements that zeep itself had left unread."""

    def __init__(self, schema: Any) -> None:
        super().__init__(schema)
        self.unread = 0

    def from_zeep(self, value: Any, xsd_type: Any) -> Any:
        """See ZeepValues."""
        if isinstance(value, CompoundValue) and isinstance(value._xsd_type, zeep.xsd.ComplexType):
            self._settle(value)
        return super().from_zeep(value, xsd_type)

    def _settle(self, value: Any) -> None:
        """Each raw element whose name the type declares goes to its declaration's own reader in zeep."""
        parts = value._xsd_type.elements
        declared = {part.qname.text: (name, part) for name, part in parts if isinstance(part, zeep.xsd.Element)}
        for name in [name for name, part in parts if isinstance(part, zeep.xsd.Any)]:
            given = value.__values__.get(name)
            items = given if isinstance(given, list) else [given]
            named = [(item, self._name(item, declared)) for item in items]
            if not any(tag for _, tag in named):
                continue
            self.unread += 1
            rest = [item for item, tag in named if not tag]
            value.__values__[name] = rest if isinstance(given, list) else None
            for item, tag in named:
                if tag:
                    key, part = declared[tag]
                    read = part.parse(item, self._schema) if isinstance(item, etree._Element) else item
                    before = value.__values__.get(key) or []
                    value.__values__[key] = [*before, read] if part.accepts_multiple else read

    def _name(self, item: Any, declared: Any) -> str:
        """The declared name of what a wildcard has taken; where zeep knows a global element, it keeps only its type."""
        if isinstance(item, etree._Element):
            return item.tag if item.tag in declared else ""
        kind = getattr(item, "_xsd_type", None)
        return next((tag for tag in declared if kind is not None and self._type_of(tag) is kind), "")

    def _type_of(self, tag: str) -> Any:
        element = self._global(tag)
        return None if element is None else element.type
