"""Recording samples: what was removed comes again as it was, and what cannot be recorded leaves nothing behind."""

import json
import shutil
from pathlib import Path

import pytest
from lxml import etree

from connectors.kit.conformance.case import Failure
from connectors.kit.conformance.compare import canonical_xml
from connectors.kit.conformance.record import record
from connectors.kit.proof import proof_headers, proof_parameters
from tests.conformance.packages import PACKAGES


def copied(name: str, folder: Path) -> Path:
    """The package, to be changed."""
    package: Path = folder / name
    shutil.copytree(PACKAGES[name].folder, package, ignore=shutil.ignore_patterns("__pycache__"))
    return package


@pytest.mark.parametrize("name", PACKAGES)
async def test_requests_and_outcomes_that_were_removed_come_again(tmp_path, name) -> None:
    package, good = copied(name, tmp_path), PACKAGES[name].folder
    sent = [
        path.relative_to(package)
        for path in sorted(package.glob("samples/*/*/outcome.json"))
        if path.parts[-3] != "token" and json.loads(path.read_text(encoding="utf-8")) != {"error": "mapping_failed"}
    ]
    for path in sent:
        (package / path).unlink()
        for request in package.glob(f"{path.parent.as_posix()}/request.*"):
            request.unlink()

    done = await record(package)

    assert len(done) == len(sent) > 10
    for path in sent:
        assert json.loads((package / path).read_text(encoding="utf-8")) == json.loads((good / path).read_text("utf-8"))
        for request in (good / path.parent).glob("request.*"):
            again = package / path.parent / request.name
            if request.suffix == ".xml":
                assert canonical_xml(etree.parse(again).getroot()) == canonical_xml(etree.parse(request).getroot())
            else:
                assert json.loads(again.read_text("utf-8")) == json.loads(request.read_text("utf-8"))


async def test_a_new_case_needs_nothing_but_the_institutions_answer(tmp_path) -> None:
    package = copied("education", tmp_path)
    answer = (package / "samples/check/refused-employee-unknown/response.xml").read_bytes()
    case = package / "samples/check/written-today"
    case.mkdir()
    (case / "response.xml").write_bytes(answer)

    (done,) = await record(package, ["check/written-today"])

    assert (done.sample, done.outcome) == ("check/written-today", "refused:employee_unknown")
    assert set(done.files) == {"canonical.json", "outcome.json", "request.xml"}
    assert (case / "request.xml").read_text("utf-8").startswith('<CheckRecord xmlns="urn:moe.gov.sy:certificates:v1">')


async def test_what_exists_is_written_only_when_it_is_asked_for(tmp_path) -> None:
    package = copied("transport", tmp_path)
    outcome = package / "samples/vehicle-check/succeeded/outcome.json"
    before = outcome.read_bytes()
    outcome.write_text("{}", encoding="utf-8")

    assert await record(package, ["vehicle-check/succeeded"]) == []
    assert outcome.read_text("utf-8") == "{}"
    await record(package, ["vehicle-check/succeeded"], anew=True)
    assert json.loads(outcome.read_bytes()) == json.loads(before)


async def test_a_sample_without_an_answer_is_left_as_it_was(tmp_path) -> None:
    package = copied("transport", tmp_path)
    case = package / "samples/vehicle-check/empty"
    case.mkdir()

    with pytest.raises(Failure, match="has no answer; write response"):
        await record(package)
    with pytest.raises(Failure, match="There is no sample vehicle-check/nowhere"):
        await record(package, ["vehicle-check/nowhere"])
    assert list(case.iterdir()) == []


async def test_a_request_that_cannot_be_rendered_is_one_sentence_and_leaves_nothing(tmp_path) -> None:
    package = copied("education", tmp_path)
    parts = package / "mapping/_parts.yaml"
    parts.write_text(
        parts.read_text("utf-8").replace("Given: applicant.name.given", "Given: applicant.nothing"), "utf-8"
    )
    case = package / "samples/check/new"
    case.mkdir()
    shutil.copyfile(package / "samples/check/succeeded/response.xml", case / "response.xml")

    with pytest.raises(Failure, match="Nothing was sent for the sample check/new"):
        await record(package, ["check/new"])
    assert [path.name for path in case.iterdir()] == ["response.xml"]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_sample_shows_the_headers_that_prove_who_sends(name) -> None:
    proofs = proof_headers(PACKAGES[name].manifest) | proof_parameters(PACKAGES[name].manifest)
    for file in PACKAGES[name].folder.glob("samples/*/*/request.json"):
        request = json.loads(file.read_text("utf-8"))
        assert not {header.lower() for header in request["headers"]} & proofs, file
        assert not set(request["query"]) & proofs, file
