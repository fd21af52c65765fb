"""A REST package's samples are messages of its OpenAPI document: what is asked, and what is answered."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from connectors.kit.answer import UNLISTED_CODE
from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.case import Failure, Skipped, Variant, case, require
from connectors.kit.conformance.places import place_of_steps
from connectors.kit.conformance.subject import Sample, Subject
from connectors.kit.contract import Operation
from connectors.kit.errors import Unreadable
from connectors.kit.manifest import load_manifest
from connectors.kit.openapi_contract import OpenApi, Violation


def _has_document(subject: Subject, _: Operation) -> bool:
    rest = subject.package.manifest.rest
    return rest is not None and bool(rest.openapi)


def _own(subject: Subject, operation: Operation | None) -> Iterable[Variant]:
    assert operation is not None
    return [Variant(sample.case, sample) for sample in subject.samples_of(operation.name)]


@lru_cache(maxsize=4)
def _document(folder: Path, _stamps: tuple[int, ...]) -> OpenApi:
    return OpenApi(folder, load_manifest(folder))


def _contract(bench: Bench) -> OpenApi:
    """The package's document, read once for all samples while its files stay the same."""
    folder, rest = bench.subject.folder, bench.subject.package.manifest.rest
    assert rest is not None  # the case applies only then
    files = (folder / "manifest.toml", folder / rest.openapi)
    return _document(folder, tuple(file.stat().st_mtime_ns for file in files))


@case(
    "samples",
    "request-of-the-contract",
    "طلب العينة مما تسمح به وثيقة OpenAPI.",
    "The sample's request is one that the OpenAPI document allows.",
    applies=_has_document,
    variants=_own,
)
async def request_is_of_the_contract(bench: Bench) -> None:
    """Query, headers and body; that the mapping gives this very request is another case."""
    sample: Sample = bench.variant.value
    contract = _contract(bench)
    wire = bench.subject.package.manifest.operations[bench.name].wire
    require(
        contract.has(bench.name),
        f"لا {wire} في {contract.file}؛ صحح wire في manifest.toml.",
        f"{contract.file} has no {wire}; mend wire in manifest.toml.",
        bench.subject.at("manifest.toml", f"operations.{bench.name}.wire"),
    )
    if not sample.has("request.json"):
        raise Skipped("لا طلب في العينة.", "The sample has no request.")
    request = sample.json("request.json")
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    said = {"query": {}, "body": None, **request, "headers": headers}
    _require_none(sample, "request.json", contract.violation(bench.name, said), contract)


@case(
    "samples",
    "answer-of-the-contract",
    "جواب العينة مما تقوله وثيقة OpenAPI لحالته.",
    "The sample's answer is what the OpenAPI document says of its status.",
    applies=_has_document,
    variants=_own,
)
async def answer_is_of_the_contract(bench: Bench) -> None:
    """Samples that show an answer outside the contract on purpose (unreadable, a code that is not listed) are left."""
    sample: Sample = bench.variant.value
    contract = _contract(bench)
    if not sample.has("response.json"):
        raise Skipped("لا جواب في العينة.", "The sample has no answer.")
    outcome = sample.json("outcome.json")
    if outcome.get("code") == UNLISTED_CODE or outcome.get("error") == Unreadable.code:
        raise Skipped(
            "تُظهر العينة جواباً خارج العقد قصداً.", "The sample shows an answer outside the contract on purpose."
        )
    response = sample.json("response.json")
    status = int(response.get("status", 200))
    if not contract.lists(bench.name, status):
        raise Skipped(
            f"لا يذكر {contract.file} جواباً بالحالة {status}.", f"{contract.file} says nothing of status {status}."
        )
    violation = contract.answer_violation(bench.name, status, response.get("body"))
    _require_none(sample, "response.json", violation, contract)


def _require_none(sample: Sample, name: str, violation: Violation | None, contract: OpenApi) -> None:
    if violation is None:
        return
    where = f"samples/{sample.operation}/{sample.case}/{name}"
    raise Failure(
        f"يخالف {where} العقد عند {violation.pointer}: القاعدة {violation.rule} في {contract.file}؛ "
        "صحح العينة، أو العقد إن كانت الجهة تقول ذلك فعلاً.",
        f"{where} is not of the contract at {violation.pointer}: the rule {violation.rule} of {contract.file}; "
        "mend the sample, or the contract if the institution really says so.",
        place_of_steps(sample.folder / name, violation.steps),
    )
