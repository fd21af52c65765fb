"""What an OpenAPI document allows: requests and answers of a package's operations are held against it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.lists import Unwritable, list_style
from connectors.kit.manifest import Manifest, ManifestError
from connectors.kit.sample_values import JsonSamples, NoSample
from connectors.kit.sample_values.json_validity import Broken, Validity, resolve

_PLACE = re.compile(r"\{[^}/]*\}")
_SECTIONS = {"path": "path", "query": "query", "header": "headers"}
_SPLITS = {"comma": ",", "space": " ", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class Violation:
    """What of a message the document does not allow."""

    steps: tuple[str | int, ...]  #: Where, below `path`, `query`, `headers`, `body`.
    rule: str  #: The document's rule, with what it demands: `properties/plate/pattern: ^[0-9]+$`.

    @property
    def pointer(self) -> str:
        """Where, as a JSON pointer (RFC 6901)."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.steps)


class OpenApi:
    """One document, read by method and path of the manifest's wires."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Raises ManifestError for a document that cannot be read."""
        assert manifest.rest is not None  # the caller has looked
        self.file = manifest.rest.openapi
        try:
            self._document = json.loads((folder / self.file).read_text(encoding="utf-8"))
            old = str(self._document["openapi"]).startswith("3.0")
            self._samples = JsonSamples(self._document, openapi30=old)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestError(f"{folder.name}/{self.file}", "", f"not an OpenAPI document: {error}") from error
        self._asked = _Side(self._document, self._samples, old=old, spared="readOnly")
        self._told = _Side(self._document, self._samples, old=old, spared="writeOnly")
        self._operations = {
            name: found
            for name, operation in manifest.operations.items()
            if (found := self._find(*operation.method_and_path())) is not None
        }

    def has(self, operation: str) -> bool:
        """Whether the document describes it."""
        return operation in self._operations

    def violation(self, operation: str, request: Mapping[str, Any]) -> Violation | None:
        """What of a request (`path`, `query`, `headers` in lower case, `body`) is not of the contract.

        None when all of it is, or when the contract does not say."""
        declared = self._operations.get(operation)
        if declared is None:
            return None
        for place, name, parameter in self._parameters(declared):
            given = (request.get(place) or {}).get(name.lower() if place == "headers" else name)
            if given is None:
                if parameter.get("required") is True:
                    return Violation((place, name), "parameters: required")
                continue
            schema = parameter.get("schema")
            broken = None if schema is None else self._asked.broken(schema, self._typed(parameter, given))
            if broken is not None:
                return _at((place, name), broken)
        return self._body_violation(declared, request)

    def answer_violation(self, operation: str, status: int, body: Any) -> Violation | None:
        """What of an answer is not of the contract. None also where the contract says nothing of its body."""
        response = self._response(operation, status)
        schema = None if response is None else _schema(response.get("content"))
        broken = None if schema is None else self._told.broken(schema, body)
        return None if broken is None else _at(("body",), broken)

    def lists(self, operation: str, status: int) -> bool:
        """Whether the document says what an answer with this status is."""
        return self._response(operation, status) is not None

    def answer(self, operation: str) -> tuple[int, Any]:
        """A valid answer: status and body of the first success that the contract describes; None for no body.

        Raises NoSample."""
        declared = self._operations.get(operation) or {}
        for status, response in (declared.get("responses") or {}).items():
            if str(status).startswith("2"):
                schema = _schema(self._resolved(response).get("content"))
                code = int(status) if str(status).isdecimal() else 200
                return code, None if schema is None else self._samples.value(schema, omit="writeOnly")
        return 200, {}

    def _response(self, operation: str, status: int) -> Mapping[str, Any] | None:
        responses = (self._operations.get(operation) or {}).get("responses") or {}
        for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if key in responses:
                return self._resolved(responses[key])
        return None

    def _body_violation(self, declared: Mapping[str, Any], request: Mapping[str, Any]) -> Violation | None:
        body = self._resolved(declared.get("requestBody") or {})
        schema = _schema(body.get("content"))
        if schema is None or (not request["body"] and not body.get("required")):
            return None
        broken = self._asked.broken(schema, request["body"])
        return None if broken is None else _at(("body",), broken)

    def _find(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The operation; the wire may have the path of a server in front."""
        best: tuple[int, Mapping[str, Any]] | None = None
        wire = _PLACE.sub("{}", path)  # the names in braces may differ
        for template, item in (self._document.get("paths") or {}).items():
            fits = wire.endswith(_PLACE.sub("{}", str(template)))
            if fits and isinstance(item, Mapping) and (best is None or len(template) > best[0]):
                found = self._resolved(item)
                operation = found.get(method.lower())
                if isinstance(operation, Mapping):
                    shared = found.get("parameters") or []
                    best = len(template), {**operation, "parameters": [*shared, *(operation.get("parameters") or [])]}
        return best[1] if best else None

    def _parameters(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for each in declared.get("parameters") or ():
            parameter = self._resolved(each)
            place = _SECTIONS.get(str(parameter.get("in")))
            if place is not None and place != "path":  # the path's own names may differ in the wire
                found[place, str(parameter.get("name"))] = parameter  # an operation's own comes last, and counts
        yield from ((place, name, parameter) for (place, name), parameter in found.items())

    def _typed(self, parameter: Mapping[str, Any], given: Any) -> Any:
        """The text of a parameter in its schema's type; as it is when it does not fit, so that the check says so."""
        schema = self._resolved(parameter.get("schema"))
        if _kind(schema) != "array":
            return _scalar(_kind(schema), given)
        kind = _kind(self._resolved(schema.get("items")))
        if not isinstance(given, list):
            try:
                between = _SPLITS.get(list_style(parameter))
            except Unwritable:
                between = None
            given = str(given).split(between) if between else [given]
        return [_scalar(kind, value) for value in given]

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        for _ in range(20):
            if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
                break
            try:
                node = resolve(self._document, node["$ref"])
            except NoSample:
                return {}
        return node if isinstance(node, Mapping) else {}


class _Side:
    """Requests or answers against the document's schemas.

    What nothing satisfies to the letter (several branches of a `oneOf` fit, `allOf` forbids what it asks for) is taken
    as the importer takes it: several branches may fit, and no property is one too many."""

    def __init__(self, document: Mapping[str, Any], samples: JsonSamples, *, old: bool, spared: str) -> None:
        self._strict = Validity(document, openapi30=old, spared=spared)
        self._loose = Validity(document, openapi30=old, spared=spared, lenient=True)
        self._samples, self._spared = samples, spared

    def broken(self, schema: Any, value: Any) -> Broken | None:
        """The first rule that a value breaks."""
        found = self._strict.broken(schema, value)
        if found is None or self._loose.broken(schema, value) is not None:
            return found
        try:
            self._samples.value(schema, omit=self._spared)
        except NoSample:
            return None
        return found


def _at(steps: Sequence[str | int], broken: Broken) -> Violation:
    return Violation((*steps, *broken.steps), broken.rule)


def _schema(content: Any) -> Any:
    if not isinstance(content, Mapping):
        return None
    for kind, media in content.items():
        if ("json" in kind or kind in {"*/*", "application/*"}) and isinstance(media, Mapping):
            return media.get("schema")
    return None


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "")
    return str(kind or "")


def _scalar(kind: str, text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text
