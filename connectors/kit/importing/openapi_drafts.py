"""Drafts the operations of an OpenAPI document."""

import json
import re
from collections.abc import Mapping
from typing import Any

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field, unique_names
from connectors.kit.importing.guesses import code_field, guess, honours_a_key
from connectors.kit.importing.json_fields import JsonFields
from connectors.kit.importing.mappings import code_expression
from connectors.kit.importing.openapi_described import Described, UnsupportedError, resolved
from connectors.kit.importing.openapi_parameters import Parameters
from connectors.kit.importing.samples import file_json, of_json
from connectors.kit.sample_values import JsonSamples, NoSample

_PLACE = re.compile(r"\{([^{}/]+)\}")
_WIRE = re.compile(r"/[^\s?#]*")
_SUCCESSES = ("200", "201", "202", "203", "2XX", "2xx", "204", "205", "206", "default")


class Drafting:
    """Drafts operations of one document."""

    def __init__(self, document: Mapping[str, Any], *, openapi30: bool, prefix: str) -> None:
        self._document = document
        self._strict = self._samples = JsonSamples(document, openapi30=openapi30)
        self.loose = ""  #: Why the last draft's samples satisfy their schema only loosely; empty when they do.
        self.dropped: list[UnsupportedError] = []  #: Optional parts that the last draft does without.
        self._lenient = JsonSamples(document, openapi30=openapi30, lenient=True)
        self._fields = JsonFields(document)
        self._prefix = prefix.rstrip("/")

    def draft(self, name: str, described: Described, place: str) -> Draft:
        """One operation. Raises UnsupportedError and NoSample.

        Where no value fits exactly one branch of a `oneOf`, as in many contracts, several may fit."""
        self.loose = ""
        try:
            self._samples = self._strict
            return self._draft(name, described, place)
        except NoSample as error:
            self.loose = str(error)
            self._samples = self._lenient
            return self._draft(name, described, place)

    def _draft(self, name: str, described: Described, place: str) -> Draft:
        method, path, operation = described.method, described.path, described.operation
        places: dict[str, str] = {}
        wire_path = _PLACE.sub(lambda found: self._place(found[1], places), f"{self._prefix}{path}")
        if not _WIRE.fullmatch(wire_path) or wire_path.count("{") != len(places):
            raise UnsupportedError(f"its path {path[:80]} is not supported", f"مساره {path[:80]} غير مدعوم")
        parameters = Parameters(self._document, self._fields, self._samples)
        sections, given = parameters.sections(described, places)
        self.dropped = parameters.dropped
        body_schema = self._request_body(described)
        if body_schema is not None:
            sections["body"] = self._fields.message(body_schema)
        everything = [child for root in sections.values() for child in (root.children or [root])]
        _distinct(everything)
        seen: set[int] = set()
        canonical = {child.name: given[id(child)] for child in everything if id(child) in given and not child.source}
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
        status, schema = self._answer(described)
        answer, response, response_seen = self._answer_of(schema)
        draft = Draft(
            name=name,
            wire=f"{method} {wire_path}",
            guess=guess(str(operation.get("operationId") or name), method),
            documentation=str(operation.get("summary") or operation.get("description") or ""),
            sections=sections,
            place=place,
            lists=parameters.lists,
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
        if parameters.key:
            honours_a_key(draft.guess, parameters.key)
        self._codes(draft, response)
        self._fault(draft, described)
        return draft

    def _place(self, name: str, places: dict[str, str]) -> str:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        plain = plain if not plain[:1].isdigit() else f"p_{plain}"
        places[name] = plain
        return f"{{{plain}}}"

    def _request_body(self, described: Described) -> Any:
        method, body, steps = described.method, described.operation.get("requestBody"), described.steps("requestBody")
        if not isinstance(body, Mapping):
            return None
        body = resolved(self._document, body, steps)
        content = body.get("content")
        kinds = content if isinstance(content, Mapping) else {}
        found = _json_of(kinds)
        bodiless = method in {"GET", "DELETE"}
        if bodiless and found is not None and body.get("required") is True:
            raise UnsupportedError(
                f"a {method} with a body is not supported", f"الطريقة {method} مع جسم غير مدعومة", steps
            )
        # `required` is false unless it is said, also where nothing works without the body
        if found is None and kinds and (not bodiless or body.get("required") is True):
            kind = next(iter(kinds))
            raise UnsupportedError(
                f"its body is {kind}, not JSON", f"جسم الطلب {kind} وليس JSON", (*steps, "content", kind)
            )
        if found is None or bodiless:
            return None
        schema = found.get("schema")
        return {} if schema is None else schema

    def _answer(self, described: Described) -> tuple[int, Any]:
        responses, steps = described.operation.get("responses"), described.steps("responses")
        listed: Mapping[str, Any] = responses if isinstance(responses, Mapping) else {}
        code = next((one for one in _SUCCESSES if one in listed), None)
        code = code or next((str(one) for one in listed if str(one).startswith("2")), None)
        if code is None:
            raise UnsupportedError("the contract lists no answer of success", "لا يذكر العقد جواب نجاح", steps)
        answer = resolved(self._document, listed[code], (*steps, code))
        status = int(code) if code.isdigit() else 200
        content = answer.get("content")
        if not isinstance(content, Mapping) or not content:
            return 204, None
        found = _json_of(content)
        if found is None:
            kind = next(iter(content))
            where = (*steps, code, "content", kind)
            raise UnsupportedError(f"its answer is {kind}, not JSON", f"الجواب {kind} وليس JSON", where)
        return status, found.get("schema", {})

    def _answer_of(self, schema: Any) -> tuple[Field, Any, set[int]]:
        seen: set[int] = set()
        if schema is None:
            return Field("", "", "no content"), {}, seen
        made = self._samples.value(schema, omit="writeOnly") if schema not in ({}, True) else {}
        root = self._fields.message(schema)
        made = file_json(root, made)
        if isinstance(made, list):
            rows = root
            rows.least = 1  # an empty list is a list
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

    def _fault(self, draft: Draft, described: Described) -> None:
        """The second answer is of the contract where it says what a failure looks like."""
        responses = described.operation.get("responses") or {}
        listed = next((responses[code] for code in ("500", "5XX", "5xx", "default") if code in responses), None)
        found = _json_of(resolved(self._document, listed).get("content") or {}) if listed is not None else None
        schema = None if found is None else found.get("schema")
        if schema is None:
            return
        try:
            made = self._samples.value(schema, omit="writeOnly")
        except NoSample:
            draft.fault = b""
            return
        way = code_field(draft.answer, required=True) or []
        unlisted = _with_code(made, [step.key for step in way], "NOT_LISTED")
        fits = unlisted is not None and self._samples.problem(schema, unlisted) is None
        said = unlisted if fits else made
        may_be_read = not fits and bool(way) and code_expression(draft)[0].startswith("answer")
        usable = isinstance(said, Mapping) and not may_be_read
        draft.fault = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") if usable else b""

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


def _with_code(message: Any, way: list[str], code: str) -> Any:
    """A copy of a message in which the field at the end of `way` says this; None where there is no such field."""
    if not way or not isinstance(message, Mapping) or way[0] not in message:
        return None
    inner = code if len(way) == 1 else _with_code(message[way[0]], way[1:], code)
    return None if inner is None else {**message, way[0]: inner}


def _distinct(fields: list[Field]) -> None:
    unique_names(fields)
