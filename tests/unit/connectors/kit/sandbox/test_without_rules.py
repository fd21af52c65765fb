"""A package without rules: its samples answer, its contract checks, and what it does is in the ledger."""

import base64
import json
import re
import shutil
from datetime import UTC, datetime

import pytest

from connectors.kit.package import load_package
from connectors.kit.sandbox.institution import NotUnderstoodError
from connectors.kit.sandbox.places import places_of
from connectors.kit.wsse import UsernameTokenHeader
from tests.unit.connectors.kit.sandbox.packages import ask, opened, without_rules

STATEMENT = "/v1/vehicle-statements"


def bearer(institution):
    basic = base64.b64encode(b"jisr-sandbox:sandbox-only").decode()
    said = ask(
        institution, "POST", "/oauth2/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"}
    )
    return {"Authorization": f"Bearer {json.loads(said.body)['access_token']}"}


def statement(institution, key, number="88000000017", **changes):
    body = {
        "requestId": key, "plateNumber": "204517", "governorate": "01", "category": "1", "language": "ar",
        "owner": {"nationalNumber": number, "fullName": "س", "motherName": "ن"}, **changes,
    }  # fmt: skip
    headers = {"Idempotency-Key": key, **bearer(institution)}
    return ask(institution, "POST", STATEMENT, json.dumps(body).encode(), headers)


def person_of(institution, case):
    return next(person.key for person in institution.persons.listed if person.outcome == case)


def envelope(body):
    header = UsernameTokenHeader("jisr-sandbox", "sandbox-only", lambda: datetime.now(UTC))()
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Header>{header}</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def soap(institution, folder, operation, **changes):
    text = (folder / "samples" / operation / "succeeded" / "request.xml").read_text("utf-8")
    text = re.sub(r"^<\?xml.*?\?>", "", text).strip()
    for name, value in changes.items():
        text = re.sub(rf"(<(?:\w+:)?{name}>)[^<]*", rf"\g<1>{value}", text)
    return ask(institution, "POST", "/certificates/v1", envelope(text))


def test_the_act_is_counted_once_for_a_key_and_its_answer_carries_the_callers_id(tmp_path):
    institution = opened(without_rules("transport", tmp_path))
    answers = [statement(institution, "op-1"), statement(institution, "op-1"), statement(institution, "op-2")]
    assert [json.loads(answer.body)["requestId"] for answer in answers] == ["op-1", "op-1", "op-2"]
    counts = {row["operation_id"]: row["count"] for row in institution.ledger.effects()}
    assert counts == {"op-1": 1, "op-2": 1}


@pytest.mark.parametrize(
    ("case", "status", "acts"),
    [("refused-vehicle-seized", 409, 0), ("technical-error", 500, 0), ("succeeded-from-arabic-indic-digits", 201, 1)],
)
def test_a_test_person_reaches_each_case_and_only_a_success_is_an_act(tmp_path, case, status, acts):
    institution = opened(without_rules("transport", tmp_path))
    assert statement(institution, "op", person_of(institution, case)).status == status
    assert len(institution.ledger.effects()) == acts


def test_what_a_refusing_or_unclear_case_really_does_can_be_written(tmp_path):
    folder = without_rules("transport", tmp_path)
    with (folder / "sandbox.toml").open("a", encoding="utf-8") as file:
        file.write("\n[operations.vehicle-statement.outcomes]\nunlisted-code = { done = true }\n")
    institution = opened(folder)
    statement(institution, "op", person_of(institution, "unlisted-code"))
    assert [row["operation_id"] for row in institution.ledger.effects()] == ["op"]


def test_a_switch_can_name_the_case(tmp_path):
    institution = opened(without_rules("transport", tmp_path))
    query = {"category": "1", "ownerNationalNumber": "88000000017"}
    said = ask(institution, "GET", "/v1/vehicles/01/204517", b"", bearer(institution), query, "refused-vehicle-seized")
    assert said.status == 409


def test_persons_of_the_packages_own_file_are_mapped_to_cases_by_their_outcome(tmp_path):
    folder = without_rules("transport", tmp_path)
    person = '[persons.99000000042]\noutcome = "vehicle_seized"\nar = "محجوزة"\nen = "Seized"\n'
    (folder / "persons.toml").write_text(person, "utf-8")
    assert statement(opened(folder), "op", "99000000042").status == 409


def test_a_soap_package_validates_answers_counts_and_tells_an_inquiry_what_it_knows(tmp_path):
    folder = without_rules("education", tmp_path)
    institution = opened(folder)
    assert b"<" in soap(institution, folder, "inquire", RequestId="never").body
    unknown = soap(institution, folder, "inquire", RequestId="never").body.decode()
    assert "Status>30<" in unknown
    for _ in range(2):
        assert "op-7" in soap(institution, folder, "submit", RequestId="op-7").body.decode()
    assert [(row["operation_id"], row["count"]) for row in institution.ledger.effects()] == [("op-7", 2)]
    assert "Status>00<" in soap(institution, folder, "inquire", RequestId="op-7").body.decode()
    with pytest.raises(NotUnderstoodError) as refused:
        soap(institution, folder, "submit", NationalNumber="12")
    assert b"Fault" in refused.value.answer.body


def test_the_outcome_of_a_submissions_person_holds_for_its_inquiry(tmp_path):
    folder = without_rules("education", tmp_path)
    institution = opened(folder)
    number = person_of(institution, "pending-being-looked-up")
    soap(institution, folder, "submit", RequestId="op-8", NationalNumber=number)
    assert "Status>02<" in soap(institution, folder, "inquire", RequestId="op-8").body.decode()


def test_without_samples_the_wsdl_answers(tmp_path):
    folder = without_rules("education", tmp_path)
    text = (folder / "samples/check/succeeded/request.xml").read_text("utf-8")
    body = re.sub(r"^<\?xml.*?\?>", "", text).strip()
    shutil.rmtree(folder / "samples")
    said = ask(opened(folder), "POST", "/certificates/v1", envelope(body))
    assert said.status == 200
    assert re.search(r"Status>\d\d<", said.body.decode())


OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Vehicles", "version": "1"},
    "paths": {
        "/v1/vehicle-statements": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
                },
                "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Told"}}}}},
            }
        },
        "/v1/vehicles/{g}/{p}": {
            "get": {
                "parameters": [{"name": "category", "in": "query", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "found"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Ask": {"type": "object", "required": ["plateNumber"], "properties": {"plateNumber": {"type": "string", "pattern": "^[0-9]{4,7}$"}}},
            "Told": {"type": "object", "required": ["number"], "properties": {"number": {"type": "string", "pattern": "^VS-[0-9]{5}$"}}},
        }
    },
}  # fmt: skip


def with_openapi(tmp_path):
    folder = without_rules("transport", tmp_path)
    (folder / "openapi" / "transport.json").write_text(json.dumps(OPENAPI), "utf-8")
    return folder


def test_a_request_that_the_openapi_document_does_not_allow_is_refused_and_does_nothing(tmp_path):
    institution = opened(with_openapi(tmp_path))
    said = statement(institution, "op", plateNumber="A1")
    assert (said.status, json.loads(said.body)["error"]) == (422, "not_valid")
    assert "plateNumber" in json.loads(said.body)["problem"]
    assert institution.ledger.effects() == []
    assert statement(institution, "op").status == 201


def test_a_parameter_that_the_openapi_document_wants_must_be_there_in_its_type(tmp_path):
    institution = opened(with_openapi(tmp_path))
    answers = [
        ask(institution, "GET", "/v1/vehicles/01/204517", b"", bearer(institution), query)
        for query in ({}, {"category": "one"}, {"category": "1"})
    ]
    assert [answer.status for answer in answers] == [422, 422, 200]


def test_without_samples_the_openapi_document_answers(tmp_path):
    folder = with_openapi(tmp_path)
    shutil.rmtree(folder / "samples")
    said = statement(opened(folder), "op")
    assert said.status == 201
    assert re.fullmatch(r"VS-\d{5}", json.loads(said.body)["number"])


@pytest.mark.parametrize(
    ("name", "operation", "key", "place"),
    [
        ("education", "submit", "operation_id", ("body", "RequestId")),
        ("education", "inquire", "subject", ("body", "RequestId")),
        ("education", "submit", "person", ("body", "Applicant", "NationalNumber")),
        ("transport", "vehicle-statement", "operation_id", ("headers", "idempotency-key")),
        ("transport", "vehicle-check", "person", ("query", "ownerNationalNumber")),
        ("transport", "vehicle-check", "operation_id", None),
        ("syriatel_cash", "initiate", "payer", ("body", "customerMSISDN")),
        ("syriatel_cash", "confirm", "subject", ("body", "transactionID")),
    ],
)
def test_the_places_on_the_wire_are_found_through_the_mapping(tmp_path, name, operation, key, place):
    package = load_package(without_rules(name, tmp_path))
    sample = package.folder / "samples" / operation / "succeeded" / "canonical.json"
    places = places_of(
        package.mappings[operation].request, json.loads(sample.read_text("utf-8")), {"merchant": "963930000900"}
    )
    assert getattr(places, key) == place
