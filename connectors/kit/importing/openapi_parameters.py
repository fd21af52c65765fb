"""The parameters of an OpenAPI operation: which section they stand in, how lists are written, and a sample of each."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.kit.importing.fields import Field
from connectors.kit.importing.json_fields import JsonFields
from connectors.kit.importing.openapi_described import Described, Steps, UnsupportedError, resolved
from connectors.kit.importing.samples import OPERATION_ID
from connectors.kit.lists import Unwritable, list_style
from connectors.kit.sample_values import JsonSamples, NoSample

_SECTIONS = {"path": "path", "query": "query", "header": "headers"}
_KEYS = frozenset({"idempotency-key", "x-idempotency-key"})
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


class Parameters:
    """Reads the parameters of one operation."""

    def __init__(self, document: Mapping[str, Any], fields: JsonFields, samples: JsonSamples) -> None:
        self._document, self._fields, self._samples = document, fields, samples
        self.lists: dict[str, str] = {}  #: Query parameters that are lists: how each is written.
        self.dropped: list[UnsupportedError] = []  #: Optional ones that cannot be sent.
        self.key = ""  #: The header that takes a key of idempotency.

    def sections(self, described: Described, places: Mapping[str, str]) -> tuple[dict[str, Field], dict[int, Any]]:
        """The sections of the request that hold parameters, and the sample values by field."""
        found: dict[tuple[str, str], tuple[Steps, Mapping[str, Any]]] = {}
        for steps, given in described.parameters():
            parameter = resolved(self._document, given, steps)
            found[str(parameter.get("in")), str(parameter.get("name"))] = steps, parameter
        for name in places:
            unsaid = {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            found.setdefault(("path", name), (described.steps(), unsaid))
        sections: dict[str, Field] = {}
        values: dict[int, Any] = {}
        for (place, name), (steps, parameter) in found.items():
            unused = place == "path" and name not in places
            if unused or (place == "header" and name.lower() in _IGNORED_HEADERS):
                continue
            try:
                field, values[id(field)] = self._parameter(place, name, parameter)
            except UnsupportedError as error:
                error.steps = steps
                if parameter.get("required") is True or place == "path":
                    raise
                self.dropped.append(error)
                continue
            field.key = places.get(name, name) if place == "path" else name
            if place == "header" and name.lower() in _KEYS and self._takes_our_id(parameter):
                self.key, field.source = name, "operation_id"
            sections.setdefault(_SECTIONS[place], Field("", "", "")).children.append(field)
        return sections, values

    def _parameter(self, place: str, name: str, parameter: Mapping[str, Any]) -> tuple[Field, Any]:
        """Its field and its sample. Raises UnsupportedError."""
        schema = parameter.get("schema")
        if place not in _SECTIONS or schema is None:
            kind = place if place not in _SECTIONS else "JSON"
            raise UnsupportedError(
                f"its parameter {name} ({kind}) is not supported", f"الوسيط {name} ({kind}) غير مدعوم"
            )
        field = self._fields.parameter(name, schema, required=parameter.get("required") is True or place == "path")
        field.documentation = _described(parameter, field.documentation, schema)
        try:
            sample = self._samples.value(schema, name=name)
            style = list_style(parameter) if field.repeats or isinstance(sample, list) else None
            if style is not None:
                sample = self._several(schema, [_scalar(one, name) for one in sample])
            else:
                sample = _scalar(sample, name)
        except Unwritable as error:
            raise UnsupportedError(
                f"its parameter {name} is a list in the style {error}", f"الوسيط {name} قائمة بالأسلوب {error}"
            ) from error
        except NoSample as error:
            raise UnsupportedError(
                f"its parameter {name} is neither a single value nor a list of such",
                f"الوسيط {name} ليس قيمة واحدة ولا قائمة قيم",
            ) from error
        if any(one == "" or (place == "header" and not _in_header(one)) for one in _listed(sample)):
            raise UnsupportedError(f"no value of its parameter {name} can be sent", f"لا تُرسل قيم الوسيط {name}")
        field.children, field.whole = [], False
        if style is None:
            field.most = 1
        else:
            field.least = max(field.least, int(parameter.get("required") is True or place == "path"))
            if place == "query":
                self.lists[name] = style
        return field, sample

    def _takes_our_id(self, parameter: Mapping[str, Any]) -> bool:
        schema = parameter.get("schema")
        return schema is not None and self._samples.problem(schema, OPERATION_ID) is None

    def _several(self, schema: Any, values: list[Any]) -> list[Any]:
        """Two values where the schema allows it, so that the samples show how they are written."""
        for first in values[:1]:
            items = resolved(self._document, resolved(self._document, schema).get("items") or {})
            others = [*(items.get("enum") or ()), first + 1 if isinstance(first, int) else f"{first}2"]
            for other in others:
                if other != first and self._samples.problem(schema, [first, other]) is None:
                    return [first, other]
        return values


def _described(parameter: Mapping[str, Any], otherwise: str, schema: Any) -> str:
    """Its words, and its default, which an author may leave to the institution."""
    text = str(parameter.get("description") or otherwise)
    default = schema.get("default") if isinstance(schema, Mapping) else None
    return text if default is None else f"{text} (default: {default})".strip()


def _listed(sample: Any) -> list[Any]:
    return sample if isinstance(sample, list) else [sample]


def _scalar(value: Any, name: str) -> Any:
    if isinstance(value, float):
        return str(value)
    if isinstance(value, str | int):
        return value
    raise NoSample(f"{name} is no single value")


def _in_header(value: Any) -> bool:
    return isinstance(value, int) or bool(re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,1000}[\x21-\x7e])?", value))
