"""Drafts the operations of an OpenAPI document."""

import json
import re
from collections.abc import Mapping
from typing import Any

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field, unique_names
from connectors.kit.importing.guesses import code_field, guess
from connectors.kit.importing.json_fields import JsonFields
from connectors.kit.importing.mappings import code_expression
from connectors.kit.importing.samples import of_json
from connectors.kit.sample_values import JsonSamples, NoSample
from connectors.kit.sample_values.json_validity import resolve

_PLACE = re.compile(r"\{([^{}/]+)\}")
_WIRE = re.compile(r"/[^\s?#]*")
_SECTIONS = {"path": "path", "query": "query", "header": "headers"}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_SUCCESSES = ("200", "201", "202", "203", "2XX", "2xx", "204", "205", "206", "default")


class UnsupportedError(Exception):
    """Why an operation is left out; completes "POST /x is left out: …"."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__(en)
        self.en = en
        self.ar = ar


class Drafting:
    """Drafts operations of one document."""

    def __init__(self, document: Mapping[str, Any], *, openapi30: bool, prefix: str) -> None:
        self._document = document
        self._strict = self._samples = JsonSamples(document, openapi30=openapi30)
        self.loose = ""  #: Why the last draft's samples satisfy their schema only loosely; empty when they do.
        self._lenient = JsonSamples(document, openapi30=openapi30, lenient=True)
        self._fields = JsonFields(document)
        self._prefix = prefix.rstrip("/")

    def draft(self, name: str, method: str, path: str, operation: Mapping[str, Any]) -> Draft:
        """One operation. Raises UnsupportedError and NoSample.

        Where no value fits exactly one branch of a `oneOf`, as in many contracts, several may fit."""
        self.loose = ""
        try:
            self._samples = self._strict
            return self._draft(name, method, path, operation)
        except NoSample as error:
            self.loose = str(error)
            self._samples = self._lenient
            return self._draft(name, method, path, operation)

    def _draft(self, name: str, method: str, path: str, operation: Mapping[str, Any]) -> Draft:
        places: dict[str, str] = {}
        wire_path = _PLACE.sub(lambda found: self._place(found[1], places), f"{self._prefix}{path}")
        if not _WIRE.fullmatch(wire_path) or wire_path.count("{") != len(places):
            raise UnsupportedError(f"its path {path[:80]} is not supported", f"مساره {path[:80]} غير مدعوم")
        sections, given = self._parameters(operation, places)
        body_schema = self._request_body(method, operation)
        if body_schema is not None:
            sections["body"] = self._fields.message(body_schema)
        everything = [child for root in sections.values() for child in (root.children or [root])]
        _distinct(everything)
        seen: set[int] = set()
        canonical = {child.name: given[id(child)] for child in everything if id(child) in given}
        seen |= set(given)
        whole = dict(canonical)
        check = None
        if body_schema is not None:
            made = self._samples.value(body_schema, omit="readOnly")
            root = sections["body"]
            inner = of_json(root, made, seen)
            canonical |= {root.name: inner} if root.whole else inner
            whole["body"] = made
            check = self._checker(body_schema)
        status, schema = self._answer(operation)
        answer, response, response_seen = self._answer_of(schema)
        draft = Draft(
            name=name,
            wire=f"{method} {wire_path}",
            guess=guess(str(operation.get("operationId") or name), method),
            documentation=str(operation.get("summary") or operation.get("description") or ""),
            sections=sections,
            answer=answer,
            given=canonical,
            whole=whole,
            seen=seen,
            response=b"" if schema is None else json.dumps(response, ensure_ascii=False).encode("utf-8", "replace"),
            response_seen=response_seen,
            status=status,
            fault=b'{"error": "not listed"}',
            other_codes=[str(code) for code in operation.get("responses") or () if str(code) != str(status)],
            check=check,
        )
        self._codes(draft, response)
        return draft

    def _place(self, name: str, places: dict[str, str]) -> str:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        plain = plain if not plain[:1].isdigit() else f"p_{plain}"
        places[name] = plain
        return f"{{{plain}}}"

    def _parameters(
        self, operation: Mapping[str, Any], places: dict[str, str]
    ) -> tuple[dict[str, Field], dict[int, Any]]:
        """The sections of the request that hold parameters, and the sample values by field."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for given in operation.get("parameters") or ():
            parameter = self._resolved(given)
            found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        for name in places:
            found.setdefault(
                ("path", name), {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            )
        sections: dict[str, Field] = {}
        values: dict[int, Any] = {}
        for (place, name), parameter in found.items():
            if place == "path" and name not in places:
                continue
            made = self._parameter(place, name, parameter)
            if made is not None:
                field, values[id(made[0])] = made
                field.key = places.get(name, name) if place == "path" else name
                sections.setdefault(_SECTIONS[place], Field("", "", "")).children.append(field)
        return sections, values

    def _parameter(self, place: str, name: str, parameter: Mapping[str, Any]) -> tuple[Field, Any] | None:
        """Its field and its sample; None for an optional one that cannot be sent."""
        required = parameter.get("required") is True or place == "path"
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            return None
        schema = parameter.get("schema")
        if place not in _SECTIONS or schema is None:
            if required:
                raise UnsupportedError(
                    f"its parameter {name} ({place}) is not supported", f"الوسيط {name} ({place}) غير مدعوم"
                )
            return None
        field = self._fields.parameter(name, schema, required=required)
        field.documentation = str(parameter.get("description") or field.documentation)
        try:
            sample = _scalar(self._samples.value(schema, name=name), name)
        except NoSample:
            sample = None
        if (
            sample is not None
            and (place != "header" or (isinstance(sample, int) or _printable(sample)))
            and sample != ""
        ):
            field.children, field.whole, field.most = [], False, 1
            return field, sample
        if required:
            raise UnsupportedError(f"its parameter {name} is no single value", f"الوسيط {name} ليس قيمة واحدة")
        return None

    def _request_body(self, method: str, operation: Mapping[str, Any]) -> Any:
        body = operation.get("requestBody")
        if not isinstance(body, Mapping):
            return None
        body = self._resolved(body)
        content = body.get("content")
        kinds = content if isinstance(content, Mapping) else {}
        found = _json_of(kinds)
        bodiless = method in {"GET", "DELETE"}
        if bodiless and found is not None and body.get("required") is True:
            raise UnsupportedError(f"a {method} with a body is not supported", f"الطريقة {method} مع جسم غير مدعومة")
        # `required` is false unless it is said, also where nothing works without the body
        if found is None and kinds and (not bodiless or body.get("required") is True):
            kind = next(iter(kinds))
            raise UnsupportedError(f"its body is {kind}, not JSON", f"جسم الطلب {kind} وليس JSON")
        if found is None or bodiless:
            return None
        schema = found.get("schema")
        return {} if schema is None else schema

    def _answer(self, operation: Mapping[str, Any]) -> tuple[int, Any]:
        responses = operation.get("responses")
        listed: Mapping[str, Any] = responses if isinstance(responses, Mapping) else {}
        code = next((one for one in _SUCCESSES if one in listed), None)
        code = code or next((str(one) for one in listed if str(one).startswith("2")), None)
        if code is None:
            raise UnsupportedError("the contract lists no answer of success", "لا يذكر العقد جواب نجاح")
        answer = self._resolved(listed[code])
        status = int(code) if code.isdigit() else 200
        content = answer.get("content")
        if not isinstance(content, Mapping) or not content:
            return 204, None
        found = _json_of(content)
        if found is None:
            kind = next(iter(content))
            raise UnsupportedError(f"its answer is {kind}, not JSON", f"الجواب {kind} وليس JSON")
        return status, found.get("schema", {})

    def _answer_of(self, schema: Any) -> tuple[Field, Any, set[int]]:
        seen: set[int] = set()
        if schema is None:
            return Field("", "", "no content"), {}, seen
        made = self._samples.value(schema, omit="writeOnly") if schema not in ({}, True) else {}
        root = self._fields.message(schema)
        if isinstance(made, list):
            rows = root
            rows.key, rows.name, rows.whole = "items", "items", rows.form == "any" or not rows.children
            root = Field("", "", "list", "object", children=[rows])
            made_object: Any = {"items": made}
            of_json(root, made_object, seen)
            return root, made, seen
        if not isinstance(made, Mapping):
            raise UnsupportedError("its answer is neither an object nor a list", "الجواب ليس كائناً ولا قائمة")
        of_json(root, made, seen)
        return root, made, seen

    def _codes(self, draft: Draft, response: Any) -> None:
        expression, _ = code_expression(draft)
        if not expression.startswith("answer"):
            draft.codes = {str(draft.status): "succeeded"}
            return
        way = code_field(draft.answer, required=True) or []
        value = response
        unlisted = json.loads(draft.response)
        holder = unlisted
        for step in way:
            value, holder = value[step.key], holder if step is way[-1] else holder[step.key]
        holder[way[-1].key] = "NOT_LISTED"
        draft.fault = json.dumps(unlisted, ensure_ascii=False).encode("utf-8", "replace")
        draft.codes = {str(value): "succeeded"}
        listed = way[-1].facets.partition("one of ")[2].partition(", ")[0]
        draft.other_codes = [code for code in listed.split(" | ") if code and code not in draft.codes and code != "…"]

    def _resolved(self, tree: Any) -> Mapping[str, Any]:
        for _ in range(20):
            if not isinstance(tree, Mapping):
                break
            reference = tree.get("$ref")
            if not isinstance(reference, str):
                return tree
            tree = resolve(self._document, reference)
        raise UnsupportedError("a reference in it leads to nothing", "فيها مرجع لا يؤدي إلى شيء")

    def _checker(self, schema: Any) -> Any:
        samples = self._samples

        def check(body: bytes) -> str | None:
            return samples.problem(schema, json.loads(body) if body else {})

        return check


def _json_of(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for kind, described in content.items():
        plain = str(kind).partition(";")[0].strip().lower()
        if (plain in {"application/json", "*/*", "application/*"} or plain.endswith("+json")) and isinstance(
            described, Mapping
        ):
            return described
    return None


def _scalar(value: Any, name: str) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float):
        return str(value)
    if isinstance(value, str | int):
        return value
    raise NoSample(f"{name} is no single value")


def _printable(text: str) -> bool:
    return bool(re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,1000}[\x21-\x7e])?", text))


def _distinct(fields: list[Field]) -> None:
    unique_names(fields)
