"""A package on the bench: its documents rendered into the wire, and answers read, with no network in between."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit.answer import AnswerReader
from connectors.kit.contract import Exchange, Operation, Outcome, Ports
from connectors.kit.errors import ConnectorError, MappingFailed, TokenUnavailable
from connectors.kit.http import HttpAnswer
from connectors.kit.manifest import ManifestError, Setting, SettingError
from connectors.kit.package import Package, load_package
from connectors.kit.proof import has_bearer
from connectors.kit.rest import RestMessage
from connectors.kit.sandbox.encoding import charset_of, encoding_of, in_encoding
from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.sandbox.security import sealing
from connectors.kit.soap.status import status_of
from connectors.kit.soap.xop import inline
from connectors.kit.tokens import LocalTokens
from connectors.kit.wire import Said, Wire, wire_of
from connectors.registry import BUILT_IN
from mappings.documents import read_document

_SOAP12 = b"http://www.w3.org/2003/05/soap-envelope"
_TOKEN = "sample-token"  # noqa: S105  # what the samples show in a token's place
_PORT = 9
_INVENTED: Mapping[str, Any] = {"url": f"http://127.0.0.1:{_PORT}", "integer": 1, "number": 1, "boolean": False}


class ToolError(ValueError):
    """What was asked for cannot be shown; one sentence that names the file."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of samples/<operation>/<case>/."""

    operation: str
    case: str
    folder: Path

    def json(self, name: str) -> dict[str, Any]:
        """One of its JSON files. Raises ToolError."""
        return read_json(self.folder / name)

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.folder / name).is_file()


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises ToolError that names file and line."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ToolError(f"{file}: the file cannot be read") from error
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise ToolError(f"{file}{f':{line}' if line else ''}: the file is not JSON") from error
    if not isinstance(content, dict):
        raise ToolError(f"{file}: a JSON object is expected")
    return content


class Workbench:
    """One package, opened for its author."""

    def __init__(self, folder: Path) -> None:
        """Raises ManifestError with file, line and key."""
        if not (folder / "manifest.toml").is_file():
            raise ManifestError(str(folder), "", "there is no package here (no manifest.toml)")
        folder = folder.resolve()
        self.package: Package = load_package(folder, hooks=folder.parent in BUILT_IN)
        self.settings = settings_for(self.package)
        ports = Ports(self.settings, LocalTokens(), lambda: datetime.now(UTC))
        self.wire: Wire = wire_of(self.package, ports)
        self._seal = _sealing(self.package)
        self.operations: Mapping[str, Operation] = {
            name: declared.as_operation(name) for name, declared in self.package.manifest.operations.items()
        }

    @property
    def folder(self) -> Path:
        """Where the package lies."""
        return self.package.folder

    def operation(self, name: str) -> Operation:
        """One operation. Raises ToolError that says which there are."""
        if name not in self.operations:
            known = ", ".join(sorted([*self.operations, *self.package.manifest.callbacks]))
            raise ToolError(f"{self.folder.name}/manifest.toml: there is no operation {name!r}; there are {known}")
        return self.operations[name]

    def samples(self, operation: str | None = None) -> Iterator[Sample]:
        """The samples of one operation or of all, in order."""
        for file in sorted((self.folder / "samples").glob("*/*/canonical.json")):
            sample = Sample(file.parent.parent.name, file.parent.name, file.parent)
            if sample.operation in self.operations and operation in {None, sample.operation}:
                yield sample

    def sample(self, operation: str, case: str = "") -> Sample:
        """The sample of that name; without a name `succeeded`, or the first. Raises ToolError."""
        found = list(self.samples(operation))
        wanted = [sample for sample in found if sample.case == (case or "succeeded")] or ([] if case else found)
        if not wanted:
            cases = ", ".join(sample.case for sample in found) or "none"
            raise ToolError(f"{self.folder.name}/samples/{operation}: there is no sample {case!r}; there are {cases}")
        return wanted[0]

    def tree(self, name: str) -> dict[str, Any]:
        """A mapping document as it stands in the file; `_parts` may be absent."""
        file = self.folder / "mapping" / f"{name}.yaml"
        return read_document(file, f"{self.folder.name}/mapping/{name}.yaml") if file.exists() else {}

    def context(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What a request section reads: the canonical document, with settings, secrets and a token."""
        return {"secrets": {}, "token": _TOKEN, **document, "settings": self.settings}

    def sections(self, operation: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """The request's sections. Raises MappingError."""
        found: dict[str, Any] = self.package.mappings[operation].request(self.context(document)) or {}
        return found

    def request(self, operation: str, document: Mapping[str, Any]) -> RestMessage:
        """The wire's request, with what goes beside it in its place.

        Raises MappingFailed with file, line and key, or with what the contract refuses.
        """
        try:
            message = self.wire.render(operation, self.sections(operation, document))
            if not message.attached:
                return message.content
            return replace(message.content, body=inline(message.content.body, message.attached))
        except ValueError as error:
            raise MappingFailed(str(error)) from error

    def heard(self, operation: str, answer: HttpAnswer) -> Said:
        """What the answer says, as if the institution had signed and encoded it. Raises a ConnectorError."""
        kind = f"{answer.media_type}; charset={answer.charset}"
        body, kind = in_encoding(self._seal(answer.body), kind, encoding_of(self.package.manifest))
        return self.wire.read(operation, replace(answer, body=body, charset=charset_of(kind)))

    def answer_context(self, document: Mapping[str, Any], said: Said, answer: HttpAnswer) -> dict[str, Any]:
        """What an answer section reads."""
        http = {"status": answer.status, "headers": dict(answer.headers)}
        return {**document, "settings": self.settings, "answer": said.body, "http": http}

    def outcome(self, operation: str, document: Mapping[str, Any], said: Said, answer: HttpAnswer) -> Outcome:
        """What the answer means. Raises a ConnectorError."""
        reader = AnswerReader(self.package, self.operations[operation])
        return reader(said, {**document, "settings": self.settings}, answer)

    def concluded(self, operation: str, document: Mapping[str, Any], answer: HttpAnswer) -> Outcome | ConnectorError:
        """What comes of an answer, one way or the other; of a 401 under a bearer token, when a new one gets it too."""
        if answer.status == 401 and has_bearer(self.package.manifest):
            return TokenUnavailable("a fresh access token was refused too", exchange=answer.exchange)
        try:
            return self.outcome(operation, document, self.heard(operation, answer), answer)
        except ConnectorError as error:
            return error


def answer_of(sample: Sample) -> HttpAnswer | None:
    """The sample's answer, as if it had come over the network; None where the sample has none. Raises ToolError."""
    if sample.has("response.xml"):
        raw = (sample.folder / "response.xml").read_bytes()
        return http_answer(raw, status_of(raw))
    if not sample.has("response.json"):
        return None
    response = sample.json("response.json")
    if "body" not in response or "status" not in response:
        raise ToolError(f"{sample.folder / 'response.json'}: status, headers and body are expected")
    raw = json.dumps(response["body"], ensure_ascii=False).encode()
    return http_answer(raw, response["status"], response.get("headers", {}))


def http_answer(raw: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """An answer of these bytes; XML is told from JSON by its first character."""
    media = "application/json"
    if raw.lstrip()[:1] == b"<":
        media = "application/soap+xml" if _SOAP12 in raw else "text/xml"
    lower = {name.lower(): str(value) for name, value in (headers or {}).items()}
    exchange = Exchange(b"", raw, status, media, 0)
    return HttpAnswer(status, {**lower, "content-type": media}, raw, media, "utf-8", exchange)


def _sealing(package: Package) -> Callable[[bytes], bytes]:
    """A package whose sandbox.toml has no keys for it shows its answers as they are."""
    try:
        return sealing(package.folder, package.manifest)
    except (ManifestError, SettingError):
        return bytes


def settings_for(package: Package) -> dict[str, Any]:
    """Settings to work with: those of the package's sandbox, and invented ones where it names none."""
    try:
        known = sandbox_settings(package.folder, _PORT)
    except (ManifestError, AttributeError):
        known = {}
    invented = {name: _invented(name, one) for name, one in package.settings.items() if not one.optional}
    return package.manifest.checked_settings(
        {**invented, **{name: value for name, value in known.items() if name in package.settings}}
    )


def _invented(name: str, setting: Setting) -> Any:
    if setting.default is not None:
        return setting.default
    return _INVENTED.get(setting.type, f"<{name}>")
