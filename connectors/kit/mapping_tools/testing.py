"""Runs what stands beside a mapping: every sample both ways, and every case of the tables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.kit.contract import Outcome
from connectors.kit.errors import ConnectorError, MappingFailed
from connectors.kit.http import HttpAnswer
from connectors.kit.lists import read_query
from connectors.kit.mapping_tools.called_back import callback_samples, message_of, read_callback, shown_callback
from connectors.kit.mapping_tools.cases import Case, cases_of, laid_over
from connectors.kit.mapping_tools.trees import Difference, differences, flat_json, flat_xml, part_of
from connectors.kit.mapping_tools.workbench import Sample, Workbench, answer_of, http_answer
from connectors.kit.outcome_file import shown
from connectors.kit.rest import RestMessage
from connectors.kit.wire import Said
from mappings.errors import MappingError

_OWN = frozenset({"accept", "content-type", "soapaction"})  #: Headers that the wire adds by itself.


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of one sample or case."""

    operation: str
    name: str
    source: str  #: `sample` or the file and line of the case.
    differences: tuple[Difference, ...]
    problem: str = ""  #: Why it could not be compared.

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return not self.differences and not self.problem


def run(bench: Workbench, operation: str | None = None) -> Iterator[Tested]:
    """Every sample and case, of one operation or of all. Raises MappingError and ToolError for files that are wrong."""
    callbacks = bench.package.manifest.callbacks
    for name in [*bench.operations, *callbacks] if operation is None else [operation]:
        for sample in bench.samples(name):
            yield _of_sample(bench, sample)
        for sample in callback_samples(bench, name):
            yield _of_message(bench, sample)
        for case in cases_of(bench.folder, name):
            yield _of_message_case(bench, name, case) if name in callbacks else _of_case(bench, name, case)


def _of_sample(bench: Workbench, sample: Sample) -> Tested:
    document, wanted = sample.json("canonical.json"), sample.json("outcome.json")
    found: list[Difference] = []
    try:
        message = bench.request(sample.operation, document)
    except MappingFailed as error:
        if wanted != {"error": "mapping_failed"}:
            return Tested(sample.operation, sample.case, "sample", (), str(error))
        return Tested(sample.operation, sample.case, "sample", ())
    try:
        found += _request_differences(sample, message)
    except ValueError as error:
        return Tested(sample.operation, sample.case, "sample", (), str(error))
    answer = answer_of(sample)
    if answer is not None:
        found += _outcome_differences(bench, sample.operation, document, answer, wanted)
    return Tested(sample.operation, sample.case, "sample", tuple(found))


def _request_differences(sample: Sample, message: RestMessage) -> list[Difference]:
    if sample.has("request.xml"):
        return differences(flat_xml((sample.folder / "request.xml").read_bytes()), flat_xml(message.body))
    if sample.has("request.json"):
        wanted = sample.json("request.json")
        return differences(_flat_request(wanted), _flat_request(wire_json(message)))
    return []


def _flat_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Headers by lower-case names; a part that is empty is not there."""
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    kept = {name: value for name, value in {**request, "headers": headers}.items() if value not in ({}, None)}
    return flat_json(kept)


def wire_json(message: RestMessage) -> dict[str, Any]:
    """A JSON request in the words of request.json."""
    path, _, query = message.path.partition("?")
    return {
        "method": message.method,
        "path": path,
        "query": read_query(query),
        "headers": {name: value for name, value in message.headers.items() if name.lower() not in _OWN},
        "body": json.loads(message.body) if message.body else None,
    }


def _outcome_differences(
    bench: Workbench, operation: str, document: Mapping[str, Any], answer: HttpAnswer, wanted: Mapping[str, Any]
) -> list[Difference]:
    came = bench.concluded(operation, document, answer)
    if bench.operations[operation].role == "token":
        # its samples say what becomes of an operation that needs the token
        failed = isinstance(came, ConnectorError) or came.status != "succeeded" or not came.data.get("token")
        seen = {"error": "upstream_authentication"} if failed else {"status": "succeeded"}
        return differences(flat_json(wanted), flat_json(seen))
    return differences(flat_json(wanted), flat_json(shown(came)))


def _of_message(bench: Workbench, sample: Sample) -> Tested:
    came = shown_callback(read_callback(bench, sample.operation, message_of(sample)))
    found = differences(flat_json(sample.json("outcome.json")), flat_json(came))
    return Tested(sample.operation, sample.case, "sample", tuple(found))


def _of_message_case(bench: Workbench, name: str, case: Case) -> Tested:
    source = f"{case.place.file}:{case.place.line}"
    if case.request is not None or case.answer is None:
        return Tested(name, case.name, source, (), "the case of a callback gives answer, and outcome or error")
    came = read_callback(bench, name, json.dumps(case.answer, ensure_ascii=False).encode())
    if isinstance(came, ConnectorError):
        words = f"{came.code}: {came}"
        differs = () if case.error and case.error in words else (Difference("error", case.error, words),)
        return Tested(name, case.name, source, differs)
    found = part_of(case.outcome or {}, shown_callback(came), "outcome")
    return Tested(name, case.name, source, (*found, *([Difference("error", case.error, "")] if case.error else [])))


def _of_case(bench: Workbench, operation: str, case: Case) -> Tested:
    source = f"{case.place.file}:{case.place.line}"
    document: Mapping[str, Any] = {}
    if case.sample or any(True for _ in bench.samples(operation)):
        document = bench.sample(operation, case.sample).json("canonical.json")
    try:
        found = _case_differences(bench, operation, case, laid_over(document, case.given))
    except (ConnectorError, MappingError) as error:
        words = f"{error.code}: {error}" if isinstance(error, ConnectorError) else str(error)
        if case.error and case.error in words:
            return Tested(operation, case.name, source, ())
        if case.error:
            return Tested(operation, case.name, source, (Difference("error", case.error, words),))
        return Tested(operation, case.name, source, (), words)
    if case.error:
        found = [*found, Difference("error", case.error, "")]
    return Tested(operation, case.name, source, tuple(found))


def _case_differences(bench: Workbench, operation: str, case: Case, document: Mapping[str, Any]) -> list[Difference]:
    found: list[Difference] = []
    if case.request is not None or case.answer is None:
        bench.request(operation, document)  # the contract judges it too
        found += part_of(case.request or {}, bench.sections(operation, document), "request")
    if case.answer is None:
        return found
    answer = http_answer(b"", int(case.http.get("status", 200)), case.http.get("headers") or {})
    outcome: Outcome = bench.outcome(operation, document, Said(case.answer), answer)
    return [*found, *part_of(case.outcome or {}, shown(outcome), "outcome")]
