"""A package whose institution calls back: the suite and the author's tools know its callbacks like its operations."""

import json
import shutil
from pathlib import Path

import pytest

from connectors.kit.conformance.suite import examine
from connectors.kit.mapping_tools.explaining import explain
from connectors.kit.mapping_tools.linting import lint
from connectors.kit.mapping_tools.testing import run
from connectors.kit.mapping_tools.trying import try_callback
from connectors.kit.mapping_tools.workbench import Workbench
from gateway.errors import CATALOGUE
from tests.unit.connectors.kit.sandbox.packages import copy_of, replaced

DECLARED = """[settings.callback_secret]
type = "text"
secret = true

[callbacks.result]
operation_id = "requestId"

[callbacks.result.signature]
prefix = "sha256="
encoding = "hex"

[authentication]"""
MAPPING = (
    "answer: {code: answer.status, reference: to_string(answer.number), same: [[answer.requestId, operation_id]]}\n"
)
CASES = """cases:
  - case: a code that nobody listed
    answer: {requestId: "op-9", status: ODD, number: 7}
    outcome: {status: in_doubt, code: unlisted_code, operation_id: "op-9"}
  - case: no act
    answer: {status: ISSUED}
    error: names no act
"""
CODES = (
    '\n[codes.result]\nISSUED = { status = "succeeded" }\nSEIZED = { status = "refused", code = "vehicle_seized" }\n'
)
SENT = """
[callbacks.result]
after = "vehicle-statement"
body = { requestId = "id", number = "statement.number", status = "'ISSUED'" }
"""
OUTCOME = {"status": "succeeded", "code": "", "institution_code": "ISSUED", "reference": "40001", "data": {}}


def calling_back(into: Path) -> Path:
    folder = copy_of("transport", into).rename(into / "register")
    replaced(folder / "manifest.toml", 'name = "transport"', 'name = "register"')
    replaced(folder / "manifest.toml", "[authentication]", DECLARED)
    replaced(folder / "sandbox.toml", "[settings]\n", '[settings]\ncallback_secret = "sandbox-only"\n')
    (folder / "sandbox.toml").write_text((folder / "sandbox.toml").read_text("utf-8") + SENT, "utf-8")
    (folder / "codes.toml").write_text((folder / "codes.toml").read_text("utf-8") + CODES, "utf-8")
    (folder / "mapping/result.yaml").write_text(MAPPING, "utf-8")
    (folder / "mapping/result.cases.yaml").write_text(CASES, "utf-8")
    refused = {"status": "refused", "code": "vehicle_seized", "institution_code": "SEIZED"}
    for case, changes in (("succeeded", {}), ("refused-seized", refused)):
        sample = folder / "samples/result" / case
        sample.mkdir(parents=True)
        outcome = OUTCOME | changes | {"documents": [], "operation_id": "op-1"}
        message = {"requestId": "op-1", "number": 40001, "status": outcome["institution_code"]}
        (sample / "callback.json").write_text(json.dumps(message), "utf-8")
        (sample / "outcome.json").write_text(json.dumps(outcome), "utf-8")
    return folder


@pytest.fixture
def register(tmp_path):
    return calling_back(tmp_path)


async def failures(folder: Path, *only: str) -> dict[str, str]:
    results = await examine(folder, catalogue=frozenset(CATALOGUE), only=only or ("callbacks",))
    assert results
    return {result.id: result.text.en for result in results if result.status != "passed"}


async def test_a_package_that_is_called_back_is_green(register):
    assert await failures(register, "callbacks", "mapping", "codes") == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "check", "sentence"),
    [
        ("mapping/result.yaml", "code: answer.status", "code: \"'ISSUED'\"",
         "package/callback-is-never-final-by-accident[result-succeeded]", "became succeeded"),
        ("codes.toml", "[codes.result]\n", '[codes.result]\nGONE = { status = "refused", code = "vehicle_seized" }\n',
         "package/callback-has-samples[result]", "The code GONE is listed for the callback result and no sample shows it"),
        ("samples/result/succeeded/outcome.json", '"op-1"', '"op-2"',
         "package/callback-sample[result-succeeded]", 'at operation_id it has "op-2", and "op-1" came'),
        ("sandbox.toml", 'requestId = "id", number', "requestId = \"'op-1'\", number",
         "package/callback-arrives[result-vehicle-statement]", "result was expected 1 times about"),
        ("mapping/result.yaml", "reference:", "data: {who: applicant.mobile}, reference:",
         "package/lint", "A callback does not read applicant"),
    ],
    ids=["constant code", "code without a sample", "another act", "sandbox names another act", "reads the applicant"],
)  # fmt: skip
async def test_what_is_wrong_with_a_callback_is_told(register, file, old, new, check, sentence):
    replaced(register / file, old, new)
    assert sentence in (await failures(register, check))[check]


async def test_a_callback_without_samples_is_told(register):
    shutil.rmtree(register / "samples/result")
    assert (
        "has no sample; add samples/result/succeeded/"
        in (await failures(register))["package/callback-has-samples[result]"]
    )


def test_the_authors_tools_know_a_callback(register):
    bench = Workbench(register)
    tested = [result for result in run(bench) if result.operation == "result"]
    assert [(result.name, result.good) for result in tested] == [
        ("refused-seized", True), ("succeeded", True), ("a code that nobody listed", True), ("no act", True),
    ]  # fmt: skip
    assert [one for one in lint(bench, frozenset({"vehicle_seized"})) if one.place.file.endswith("result.yaml")] == []
    tried = try_callback(bench, "result", b'{"requestId": "op-5", "status": "ISSUED", "number": 5}')
    assert json.loads(tried.outcome)["operation_id"] == "op-5"
    told = explain(bench, "result")
    assert (told.case, told.code, told.meaning) == ("succeeded", "ISSUED", "succeeded")
    assert {field.canonical: field.wire for field in told.fields} == {
        ("code",): ("answer.status",), ("reference",): ("answer.number",),
    }  # fmt: skip


def test_a_case_of_a_callback_that_differs_is_shown(register):
    replaced(register / "mapping/result.cases.yaml", "unlisted_code", "something_else")
    (wrong,) = [result for result in run(Workbench(register), "result") if not result.good]
    assert wrong.differences[0][:2] == ("outcome.code", '"something_else"')
