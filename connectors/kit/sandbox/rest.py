"""A sandbox's REST side: requests understood by method and path, answered in JSON."""

import hashlib
import re
from collections.abc import Callable, Mapping

import msgspec

from connectors.kit.lists import read_query
from connectors.kit.manifest import Manifest, ManifestError
from connectors.kit.sandbox.callers import Callers
from connectors.kit.sandbox.document import SandboxDocument, file_of
from connectors.kit.sandbox.institution import Answer, Demand, Desk, Heard, NotUnderstoodError, read_object
from connectors.kit.sandbox.steps import Spoken

_WIRE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?#]*)")
_PLACE = re.compile(r"\\\{([A-Za-z_][A-Za-z0-9_]*)\\\}")


class RestSide:
    """Hears and speaks the calls of a REST package, and those that only its sandbox.toml knows."""

    def __init__(self, manifest: Manifest, document: SandboxDocument, desk: Desk, callers: Callers) -> None:
        """Raises ManifestError."""
        self._callers = callers
        wires = {name: operation.wire for name, operation in manifest.operations.items()}
        wires |= {name: call.wire for name, call in document.calls.items()}
        self._lists = {name: operation.lists for name, operation in manifest.operations.items()}
        self._exact: dict[tuple[str, str], str] = {}
        self._patterns: list[tuple[str, re.Pattern[str], str]] = []
        for name, wire in wires.items():
            found = _WIRE.fullmatch(wire)
            if found is None:
                raise ManifestError(file_of(desk.folder), f"calls.{name}.wire", "a method and a path: GET /v1/things")
            pattern = _PLACE.sub(r"(?P<\1>[^/]+)", re.escape(found[2]))
            if "(?P<" in pattern:
                self._patterns.append((found[1], re.compile(pattern), name))
            else:
                self._exact[found[1], found[2]] = name
        #: Set by the player: what is said where no call has this method and path.
        self.not_found: Callable[[], Answer] = lambda: Answer(b"{}", status=404)
        self._standing: dict[int, Answer] = {}

    def hear(self, heard: Heard) -> Demand:
        """The operation, and the request as `path`, `query`, `headers`, `body`. Raises NotUnderstoodError."""
        if self._callers.token_path and (heard.method, heard.path) == ("POST", self._callers.token_path):
            return Demand("token", heard)
        name = self._exact.get((heard.method, heard.path))
        if name is not None:
            return self._demand(name, heard, {})
        for method, pattern, name in self._patterns:
            if method == heard.method and (found := pattern.fullmatch(heard.path)):
                return self._demand(name, heard, found.groupdict())
        raise NotUnderstoodError(self.not_found())

    def _demand(self, name: str, heard: Heard, places: Mapping[str, str]) -> Demand:
        request = {
            "path": dict(places),
            "query": read_query(heard.target.partition("?")[2], self._lists.get(name)),
            "headers": {key.lower(): value for key, value in heard.headers.items()},
            "body": read_object(heard.body),
            "sha256": hashlib.sha256(heard.body).hexdigest(),
        }
        return Demand(name, heard, request)

    def speak(self, operation: str, spoken: Spoken) -> Answer:
        """The answer's bytes."""
        if not spoken.standing:
            return self._written(spoken)
        answer = self._standing.get(id(spoken))
        if answer is None:
            answer = self._standing[id(spoken)] = self._written(spoken)
        return answer

    @staticmethod
    def _written(spoken: Spoken) -> Answer:
        headers = {name: str(value) for name, value in spoken.headers.items()}
        return Answer(msgspec.json.encode(spoken.body), status=spoken.status or 200, headers=headers)
