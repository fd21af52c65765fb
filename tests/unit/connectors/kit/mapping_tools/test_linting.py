"""`jisr mapping lint`: each rule finds its fault, in the file and line where it stands, and nothing else."""

import json

import pytest

from connectors.kit.mapping_tools.linting import lint
from connectors.kit.mapping_tools.workbench import Workbench
from gateway.errors import CATALOGUE
from tests.unit.connectors.kit.mapping_tools.authors import TREE, change, copy_of

CODES = frozenset(CATALOGUE)

EDUCATION = {
    "a mandatory field that nothing fills": (
        "mapping/_parts.yaml", "    Mother: applicant.name.mother\n", "", "wrong mandatory education/mapping/_parts.yaml:5 request.body.Applicant.Name.Mother",
    ),
    "a mandatory field of the body": (
        "mapping/submit.yaml", "    RequestId: operation_id\n", "", "wrong mandatory education/mapping/submit.yaml:3 request.body.RequestId",
    ),
    "a field that the contract does not have": (
        "mapping/submit.yaml", "    Language: request.language\n", "    Language: request.language\n    Colour: request.id\n", "wrong unknown-field education/mapping/submit.yaml:6 request.body.Colour",
    ),
    "a field that the canonical document does not have": (
        "mapping/submit.yaml", "request.language", "request.langage", "wrong unknown-read education/mapping/submit.yaml:5 request.body.Language",
    ),
    "a part of a name that does not exist": (
        "mapping/_parts.yaml", "applicant.name.mother", "applicant.name.grandmother", "wrong unknown-read education/mapping/_parts.yaml:8 request.body.Applicant.Name.Mother",
    ),
    "a root that does not exist": (
        "mapping/submit.yaml", "request.language", "citizen.language", "wrong unknown-read education/mapping/submit.yaml:5 request.body.Language",
    ),
    "an answer's field that the contract does not have": (
        "mapping/_parts.yaml", "answer.ReceiptNumber", "answer.Receipt", "wrong unknown-answer education/mapping/_parts.yaml:41 answer.reference",
    ),
    "a setting that is not declared": (
        "mapping/submit.yaml", "request.language", "settings.language", "wrong unknown-read education/mapping/submit.yaml:5 request.body.Language",
    ),
    "a secret that is not declared": (
        "mapping/submit.yaml", "request.language", "secrets.otp", "wrong unknown-read education/mapping/submit.yaml:5 request.body.Language",
    ),
    "a constant that the contract does not list": (
        "mapping/_parts.yaml", "Branch: code('branch', input.branch)", "Branch: \"'SCIENCE'\"", "wrong unknown-code education/mapping/_parts.yaml:24 request.body.Record.SecondaryCertificate.Branch",
    ),
    "a table's code that the contract does not list": (
        "codes.toml", '"SCIENTIFIC"', '"SCIENCE"', "wrong unknown-code education/mapping/_parts.yaml:24 request.body.Record.SecondaryCertificate.Branch",
    ),
    "a name that is folded on its way out": (
        "mapping/_parts.yaml", "Given: applicant.name.given", "Given: fold(applicant.name.given)", "doubtful lossy education/mapping/_parts.yaml:6 request.body.Applicant.Name.Given",
    ),
    "a part that nothing uses": (
        "mapping/_parts.yaml", "progress: ", "lonely: {a: answer.A}\nprogress: ", "doubtful unused education/mapping/_parts.yaml:38 lonely",
    ),
    "a table that nothing uses": (
        "codes.toml", "[tables.level]", '[tables.colour]\nred = "R"\n[tables.level]', "doubtful unused education/codes.toml: tables.colour",
    ),
    "a canonical code without a text": (
        "codes.toml", '"23" = { status = "refused", code = "employee_unknown" }', '"23" = { status = "refused", code = "nobody_knows" }', "wrong no-text education/codes.toml: codes.check.23",
    ),
}  # fmt: skip


def _shown(findings):
    return [f"{f.severity} {f.rule} {f.place.file}:{f.place.line} {f.key}" for f in findings]


@pytest.mark.parametrize("name", TREE)
def test_the_packages_of_the_tree_have_nothing_to_find(name):
    assert lint(Workbench(TREE[name]), CODES) == []


@pytest.mark.parametrize("fault", EDUCATION)
def test_a_fault_is_found_where_it_stands(tmp_path, fault):
    file, old, new, wanted = EDUCATION[fault]
    folder = copy_of("education", tmp_path)
    change(folder / file, old, new)

    shown = _shown(lint(Workbench(folder), CODES))

    start, _, key = wanted.partition("codes.toml: ")
    fits = [one for one in shown if one == wanted or (key and one.startswith(start) and one.endswith(f" {key}"))]
    assert fits, shown
    words = {f.en for f in lint(Workbench(folder), CODES)} | {f.ar for f in lint(Workbench(folder), CODES)}
    assert all("\n" not in text for text in words)


def test_a_secret_that_is_declared_and_not_read_is_found(tmp_path):
    folder = copy_of("syriatel_cash", tmp_path)
    change(folder / "mapping/confirm.yaml", "secrets.otp", "operation_id")

    (finding,) = lint(Workbench(folder), CODES)

    assert (finding.rule, finding.key) == ("unused", "operations.confirm.secrets")
    assert finding.place.line > 0


COMMON = 'OWNER_MISMATCH = { status = "refused", code = "not_the_owner" }'


def test_a_code_that_repeats_the_common_one_is_found(tmp_path):
    folder = copy_of("transport", tmp_path)
    change(folder / "codes.toml", "[codes.vehicle-check]\n", f"[codes.vehicle-check]\n{COMMON}\n")
    assert COMMON in (TREE["transport"] / "codes.toml").read_text(encoding="utf-8")

    assert [(f.rule, f.key) for f in lint(Workbench(folder), CODES)] == [
        ("unused", "codes.vehicle-check.OWNER_MISMATCH")
    ]


CONTRACT = {
    "openapi": "3.0.3",
    "info": {"title": "Directorate", "version": "1"},
    "paths": {
        "/v1/vehicle-statements": {
            "post": {
                "parameters": [
                    {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["requestId", "colour"],
                                "properties": {
                                    "requestId": {"type": "string"},
                                    "colour": {"type": "string", "enum": ["red", "blue"]},
                                    "at": {"type": "string", "format": "date-time"},
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "201": {
                        "description": "made",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["status", "rows"],
                                    "properties": {
                                        "status": {"type": "string", "enum": ["ISSUED", "LATER"]},
                                        "rows": {
                                            "type": "array",
                                            "items": {"type": "object", "properties": {"n": {"type": "string"}}},
                                        },
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    },
}
MAPPING = """
request:
  body: {requestId: operation_id, colour: "'green'"}
answer:
  code: answer.status
  data: {n: answer.rows.n}
"""


def test_a_rest_package_is_held_against_its_openapi_document(tmp_path):
    folder = copy_of("transport", tmp_path)
    (folder / "openapi/transport.json").write_text(json.dumps(CONTRACT), encoding="utf-8")
    (folder / "mapping/vehicle-statement.yaml").write_text(MAPPING, encoding="utf-8")

    found = {(f.rule, f.key) for f in lint(Workbench(folder), CODES)}

    assert {
        ("mandatory", "request.headers.Idempotency-Key"),
        ("unknown-code", "request.body.colour"),
        ("list-as-one", "answer.data.n"),
        ("unlisted-code", "codes.vehicle-statement"),
    } <= found


def test_a_contract_that_cannot_be_read_is_said_and_the_rest_is_still_found(tmp_path):
    folder = copy_of("transport", tmp_path)
    (folder / "openapi/transport.json").write_text("{}", encoding="utf-8")
    change(folder / "mapping/vehicle-check.yaml", "applicant.national_number", "applicant.number")

    assert {f.rule for f in lint(Workbench(folder), CODES)} == {"contract", "unknown-read"}
