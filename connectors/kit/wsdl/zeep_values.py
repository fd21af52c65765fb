"""Our plain values as zeep takes them, and zeep's values as ours: for messages that go through zeep, and to compare."""

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree
from zeep.helpers import serialize_object
from zeep.xsd import AnyObject, CompoundValue, Nil, elements, types
from zeep.xsd.elements.indicators import Indicator
from zeep.xsd.types import builtins

from connectors.kit.xsd_codec.complex import TEXT_KEY, TYPE_KEY
from connectors.kit.xsd_codec.content import ANY_KEY, ITEMS_KEY
from connectors.kit.xsd_codec.particles import NIL_KEY
from connectors.kit.xsd_codec.simple import simple_type
from connectors.kit.xsd_codec.wildcards import plain_element, plain_tree

#: Types that zeep writes from tuples only, though it says that it takes text.
_TUPLES = (builtins.gYear, builtins.gYearMonth, builtins.gMonth, builtins.gMonthDay, builtins.gDay)


class ZeepValues:
    """Converts values of one zeep schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    # --- ours to zeep's -------------------------------------------------------------------------------------------

    def to_zeep(self, value: Any, xsd_type: Any) -> Any:
        """A value that zeep's element accepts. Raises ValueError."""
        if isinstance(value, Mapping) and value.get(NIL_KEY) is True:
            return Nil
        if isinstance(value, Mapping) and TYPE_KEY in value:
            other = self._named(value[TYPE_KEY])
            rest = {key: item for key, item in value.items() if key != TYPE_KEY}
            inner = self.to_zeep(rest if isinstance(other, types.ComplexType) else rest.get(TEXT_KEY), other)
            return inner if isinstance(xsd_type, types.ComplexType) else _any_object(other, inner)
        if not isinstance(xsd_type, types.ComplexType):
            if isinstance(value, Mapping):
                value = value.get(TEXT_KEY)
            return self._simple(value, xsd_type)
        if xsd_type._array_type:  # noqa: SLF001  # zeep has no other word for it
            return self._array(value, xsd_type)
        if not isinstance(value, Mapping):
            value = {TEXT_KEY: value}
        return xsd_type(**self._arguments(value, xsd_type))

    def _simple(self, value: Any, xsd_type: Any) -> Any:
        if isinstance(xsd_type, types.ListType):
            return value if isinstance(value, list) else str(value).split()
        if not isinstance(xsd_type, types.AnySimpleType):
            return value
        if isinstance(xsd_type, _TUPLES):
            return xsd_type.pythonvalue(str(value))
        # as text, in our spelling: zeep passes text through
        return value if isinstance(value, bool | bytes) else simple_type(xsd_type).to_text(value)

    def _array(self, value: Any, xsd_type: Any) -> Any:
        items = value.get(ITEMS_KEY, value) if isinstance(value, Mapping) else value
        item_type = xsd_type._array_type.array_type  # noqa: SLF001  # see above
        return xsd_type([self.to_zeep(item, item_type) for item in (items if isinstance(items, list) else [items])])

    def _arguments(self, value: Mapping[str, Any], xsd_type: Any) -> dict[str, Any]:
        scope = _Scope(value)
        arguments: dict[str, Any] = {}
        for name, attribute in xsd_type.attributes:
            if isinstance(attribute, elements.AnyAttribute):
                arguments[name] = {key[1:]: item for key, item in scope.attributes()}
            elif (key := f"@{attribute.name}") in value:
                scope.used.add(key)
                arguments[name] = self._simple(value[key], attribute.type)
        for name, part in xsd_type.elements_nested:
            arguments |= dict(self._part(name, part, scope))
        return arguments

    def _part(self, name: str | None, part: Any, scope: "_Scope") -> Iterator[tuple[str, Any]]:
        if isinstance(part, elements.Any):
            items = scope.numbered(ANY_KEY)
            if items:
                assert name is not None
                values = [self._wild(item) for item in items]
                yield name, values if part.accepts_multiple else values[0]
        elif isinstance(part, elements.Element):
            yield from self._element(name or part.attr_name, part, scope)
        elif part.accepts_multiple:
            assert name is not None
            items = self._repeated(part, scope)
            if items:
                yield name, items
        elif isinstance(part, elements.Group):
            yield from self._part(name, part.child, scope)
        else:
            for sub_name, sub in part.elements_nested:
                yield from self._part(sub_name, sub, scope)

    def _element(self, name: str, part: Any, scope: "_Scope") -> Iterator[tuple[str, Any]]:
        if part.name == "_value_1":
            if TEXT_KEY in scope.value:
                yield name, self._simple(scope.value[TEXT_KEY], part.type)
            return
        whole = isinstance(part.type, types.ListType) and not part.accepts_multiple
        found = scope.take(part.qname.text, part.name, many=part.accepts_multiple or whole)
        if whole and found:
            yield name, self._simple(found, part.type)
        elif found:
            values = [Nil if each is None else self.to_zeep(each, part.type) for each in found]
            yield name, values if part.accepts_multiple else values[0]

    def _repeated(self, part: Any, scope: "_Scope") -> list[Any]:
        single = _only_element(part)
        if single is not None:
            found = scope.take(single.qname.text, single.name, many=True)
            return [{single.attr_name: Nil if each is None else self.to_zeep(each, single.type)} for each in found]
        items = []
        for item in scope.numbered(ITEMS_KEY):
            inner = _Scope(item)
            pairs: dict[str, Any] = {}
            for sub_name, sub in _nested(part):
                pairs |= dict(self._part(sub_name, sub, inner))
            items.append(pairs)
        return items

    def _wild(self, item: Mapping[str, Any]) -> Any:
        ((name, content),) = item.items()
        element = self._global(name)
        if element is None:
            return plain_element(name, content)
        return _any_object(element, self.to_zeep(content, element.type))

    def _global(self, name: str) -> Any:
        found = [each for each in self._schema.elements if name in {each.qname.text, each.name}]
        return found[0] if len(found) == 1 else None

    def _named(self, name: str) -> Any:
        found = [
            each
            for each in self._schema.types
            if each.qname is not None and name in {each.qname.text, each.qname.localname}
        ]
        if not found:
            raise ValueError(f"{TYPE_KEY} names no type of the WSDL")
        return found[0]

    # --- zeep's to ours -------------------------------------------------------------------------------------------

    def from_zeep(self, value: Any, xsd_type: Any) -> Any:
        """What zeep read, in our form; None for nothing."""
        derived = False
        if value is None or value is Nil:
            return None
        if isinstance(value, CompoundValue) and isinstance(value._xsd_type, types.ComplexType):  # noqa: SLF001  # its type
            declared, xsd_type = xsd_type, value._xsd_type  # noqa: SLF001  # see above
            derived = xsd_type.is_global and declared is not None and declared.qname != xsd_type.qname
        if isinstance(value, list) and value and all(isinstance(each, etree._Element) for each in value):  # noqa: SLF001  # lxml's class
            parent = value[0].getparent()
            return plain_tree(parent)
        if isinstance(value, etree._Element):  # noqa: SLF001  # lxml's class
            return plain_tree(value)
        if not isinstance(xsd_type, types.ComplexType):
            return self._from_simple(value, xsd_type)
        if xsd_type._array_type:  # noqa: SLF001  # see above
            item_type = xsd_type._array_type.array_type  # noqa: SLF001  # see above
            return {ITEMS_KEY: [self.from_zeep(each, item_type) for each in value]}
        values = value if isinstance(value, Mapping) else value.__values__
        result = {TYPE_KEY: xsd_type.qname.text} if derived else {}
        result |= dict(self._from_attributes(values, xsd_type))
        for name, part in xsd_type.elements_nested:
            self._from_part(name, part, values, result)
        return result

    def _from_simple(self, value: Any, xsd_type: Any) -> Any:
        if isinstance(value, CompoundValue):
            return serialize_object(value, dict)  # type: ignore[no-untyped-call]  # zeep has few types
        if isinstance(xsd_type, types.ListType):
            return [self._from_simple(each, xsd_type.item_type) for each in value]
        codec = simple_type(xsd_type) if isinstance(xsd_type, types.AnySimpleType) else simple_type(None)
        if isinstance(value, bytes | bool):
            return value
        text = xsd_type.xmlvalue(value) if not isinstance(value, str) else value
        return codec.from_text(text if isinstance(text, str) else text.decode())

    def _from_attributes(self, values: Any, xsd_type: Any) -> Iterator[tuple[str, Any]]:
        for name, attribute in xsd_type.attributes:
            given = values.get(name)
            if given is None:
                continue
            if isinstance(attribute, elements.AnyAttribute):
                yield from (
                    (f"@{key}", text)
                    for key, text in given.items()
                    if not key.startswith("{http://www.w3.org/2001/XMLSchema-instance}")
                )
            else:
                yield f"@{attribute.name}", self._from_simple(given, attribute.type)

    def _from_part(self, name: str | None, part: Any, values: Any, result: dict[str, Any]) -> None:
        if isinstance(part, elements.Any):
            given = values.get(name)
            items = given if isinstance(given, list) else [] if given is None else [given]
            if items:
                result[_free(ANY_KEY, result)] = [self._from_wild(item) for item in items]
        elif isinstance(part, elements.Element):
            self._from_element(name or part.attr_name, part, values, result)
        elif part.accepts_multiple:
            self._from_repeated(part, values.get(name) or [], result)
        elif isinstance(part, elements.Group):
            self._from_part(name, part.child, values, result)
        else:
            for sub_name, sub in part.elements_nested:
                self._from_part(sub_name, sub, values, result)

    def _from_element(self, name: str, part: Any, values: Any, result: dict[str, Any]) -> None:
        given = values.get(name)
        if given is None:
            return
        if part.name == "_value_1":
            result[TEXT_KEY] = self._from_simple(given, part.type)
            return
        many = part.accepts_multiple
        found = [self.from_zeep(each, part.type) for each in (given if many else [given])]
        if not found:
            return
        key = part.name
        if key in result:
            earlier = result[key] if isinstance(result[key], list) else [result[key]]
            result[key] = earlier + found
        else:
            result[key] = found if many else found[0]

    def _from_repeated(self, part: Any, items: Any, result: dict[str, Any]) -> None:
        single = _only_element(part)
        found = []
        for item in items:
            inner: dict[str, Any] = {}
            for sub_name, sub in _nested(part):
                self._from_part(sub_name, sub, item, inner)
            found.append(inner)
        if not found:
            return
        if single is None:
            result[_free(ITEMS_KEY, result)] = found
            return
        values = [item.get(single.name) for item in found]
        result[single.name] = [each for value in values for each in (value if isinstance(value, list) else [value])]

    def _from_wild(self, item: Any) -> dict[str, Any]:
        if isinstance(item, etree._Element):  # noqa: SLF001  # lxml's class
            return {etree.QName(item).localname: plain_tree(item)}
        return {"": self.from_zeep(item, getattr(item, "_xsd_type", None))}


def _any_object(declared: Any, value: Any) -> Any:
    return AnyObject(declared, value)  # type: ignore[no-untyped-call]  # zeep has few types


class _Scope:
    """One mapping of a value, taken piece by piece."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.value = value
        self.used: set[str] = set()
        self._left: dict[str, list[Any]] = {}
        self._numbers: dict[str, int] = {}

    def attributes(self) -> list[tuple[str, Any]]:
        return [(key, item) for key, item in self.value.items() if key[:1] == "@" and key not in self.used]

    def take(self, tag: str, name: str, *, many: bool) -> list[Any]:
        key = tag if tag in self.value else name
        if key not in self._left:
            given = self.value.get(key, [])
            self._left[key] = list(given) if isinstance(given, list) else [given]
        values = self._left[key]
        taken = values[:] if many else values[:1]
        del values[: len(taken)]
        return taken

    def numbered(self, key: str) -> list[Any]:
        self._numbers[key] = number = self._numbers.get(key, 0) + 1
        given = self.value.get(key if number == 1 else f"{key}{number}", [])
        return given if isinstance(given, list) else [given]


def _nested(part: Any) -> list[tuple[str | None, Any]]:
    """What one time of a repeated group consists of."""
    if isinstance(part, elements.Group):
        return [("_value_1" if part.child.accepts_multiple else None, part.child)]
    return list(part.elements_nested)


def _only_element(part: Any) -> Any:
    found = list(_leaves(part))
    return found[0] if len(found) == 1 and isinstance(found[0], elements.Element) else None


def _leaves(part: Any) -> Iterator[Any]:
    if isinstance(part, elements.Group):
        yield from _leaves(part.child)
    elif isinstance(part, Indicator):
        items: Any = part  # all but groups are lists
        for item in items:
            yield from _leaves(item)
    else:
        yield part


def _free(key: str, result: Mapping[str, Any]) -> str:
    number = 1
    while (key if number == 1 else f"{key}{number}") in result:
        number += 1
    return key if number == 1 else f"{key}{number}"
