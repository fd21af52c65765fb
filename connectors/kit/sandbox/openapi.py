"""The OpenAPI document of a REST package as its sandbox uses it: requests are checked, answers can be made."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.kit.manifest import Manifest, ManifestError
from connectors.kit.sample_values import JsonSamples, NoSample
from connectors.kit.sample_values.json_validity import resolve
from connectors.kit.sandbox.institution import Answer

_JSON = "application/json"
_PLACE = re.compile(r"\{[^}/]*\}")


class OpenApi:
    """One document, read by method and path of the manifest's wires."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Raises ManifestError for a document that cannot be read."""
        assert manifest.rest is not None  # the caller has looked
        file = folder / manifest.rest.openapi
        try:
            self._document = json.loads(file.read_text(encoding="utf-8"))
            self._samples = JsonSamples(self._document, openapi30=str(self._document["openapi"]).startswith("3.0"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestError(
                f"{folder.name}/{manifest.rest.openapi}", "", f"not an OpenAPI document: {error}"
            ) from error
        self._operations = {
            name: found
            for name, operation in manifest.operations.items()
            if (found := self._find(*operation.method_and_path())) is not None
        }

    def problem(self, operation: str, request: Mapping[str, Any]) -> str | None:
        """Why the request is not of the contract; None when it is, or when the contract does not say."""
        declared = self._operations.get(operation)
        if declared is None:
            return None
        for place, name, required, schema in self._parameters(declared):
            given = request[place].get(name.lower() if place == "headers" else name)
            if given is None:
                if required:
                    return f"{place}.{name} is missing"
                continue
            said = self._samples.problem(schema, _typed(schema, given)) if schema is not None else None
            if said is not None:
                return f"{place}.{name}: {said}"
        return self._body_problem(declared, request)

    def answer(self, operation: str) -> Answer:
        """A valid answer: the first success that the contract describes. Raises NoSample."""
        declared = self._operations.get(operation) or {}
        for status, response in (declared.get("responses") or {}).items():
            if str(status).startswith("2"):
                schema = self._schema(self._resolved(response).get("content"))
                code = int(status) if str(status).isdecimal() else 200
                body = b"" if schema is None else json.dumps(self._value(schema), ensure_ascii=False).encode()
                return Answer(body, code, _JSON)
        return Answer(b"{}", 200, _JSON)

    def _value(self, schema: Any) -> Any:
        return self._samples.value(schema, omit="writeOnly")

    def _body_problem(self, declared: Mapping[str, Any], request: Mapping[str, Any]) -> str | None:
        body = self._resolved(declared.get("requestBody") or {})
        schema = self._schema(body.get("content"))
        if schema is None or (not request["body"] and not body.get("required")):
            return None
        said = self._samples.problem(schema, request["body"])
        return None if said is None else f"body: {said}"

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

    def _parameters(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, str, bool, Any]]:
        places = {"path": "path", "query": "query", "header": "headers"}
        for each in declared.get("parameters") or ():
            parameter = self._resolved(each)
            place = places.get(str(parameter.get("in")))
            if place is not None and place != "path":  # the path's own names may differ in the wire
                yield place, str(parameter.get("name")), bool(parameter.get("required")), parameter.get("schema")

    def _schema(self, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return None
        for kind, media in content.items():
            if "json" in kind and isinstance(media, Mapping):
                return media.get("schema")
        return None

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        try:
            found = resolve(self._document, node["$ref"]) if isinstance(node, Mapping) and "$ref" in node else node
        except NoSample:
            return {}
        return found if isinstance(found, Mapping) else {}


def _typed(schema: Any, text: str) -> Any:
    """The text of a parameter in the schema's type; as it is when it does not fit, so that the check says so."""
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return [text] if kind == "array" else text
