"""The sample cases of a package as a sandbox answers with them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.manifest import ManifestError
from connectors.kit.sandbox.institution import XML, Answer

SUCCEEDED = "succeeded"
_DOING = frozenset({"succeeded", "pending"})  #: Outcomes that say that the act was done, unless it is said otherwise.


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of samples/<operation>/<case>/."""

    name: str
    answer: Answer
    canonical: Mapping[str, Any]
    status: str  #: Of its outcome: `succeeded` … , or empty for an error.
    error: str  #: Of its outcome, instead of a status.

    @property
    def does(self) -> bool:
        """Whether an institution that answers so has usually acted."""
        return self.status in _DOING

    def answer_for(self, operation_id: str, subject: str) -> Answer:
        """The sample's answer with the ids of the act at hand in place of its own."""
        body = self.answer.body
        pairs = (("operation_id", operation_id), ("subject_operation_id", subject))
        for key, actual in pairs:
            own = self.canonical.get(key)
            if isinstance(own, str) and own and actual:
                body = body.replace(own.encode(), actual.encode())
        return Answer(body, self.answer.status, self.answer.content_type, self.answer.headers)


def load_cases(folder: Path, operation: str, soap_type: str = XML) -> dict[str, Case]:
    """The cases of one operation that have an answer. Raises ManifestError for a file that cannot be read."""
    found = {}
    for place in sorted((folder / "samples" / operation).glob("*")):
        answer = _answer(place, soap_type)
        if answer is not None:
            outcome = _json(place / "outcome.json")
            said = str(outcome.get("status", "")), str(outcome.get("error", ""))
            found[place.name] = Case(place.name, answer, _json(place / "canonical.json"), *said)
    return found


def _answer(place: Path, soap_type: str) -> Answer | None:
    if (place / "response.xml").is_file():
        body = (place / "response.xml").read_bytes().strip()
        return Answer(body, 500 if b":Fault" in body or b"<Fault" in body else 200, soap_type)
    if not (place / "response.json").is_file():
        return None
    said = _json(place / "response.json")
    headers = {str(name): str(value) for name, value in (said.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
    others = {name: value for name, value in headers.items() if name.lower() not in {"content-type", "content-length"}}
    content = said.get("body")
    raw = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
    return Answer(raw, int(said.get("status", 200)), kind, others)


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        name = "/".join(file.parts[-5:])
        raise ManifestError(name, "", f"it is not JSON: {error}") from error
    return content if isinstance(content, dict) else {}
