"""What the skeletons say beside a field, so that an author need not open the contract."""

import json

import yaml

from connectors.kit.importing.fields import Field
from connectors.kit.importing.hints import hint
from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.wsdl_import import import_wsdl
from tests.unit.connectors.kit.importing.contracts import TYPES, openapi, schema, write, wsdl


def test_a_field_that_names_the_request_is_ours_and_in_an_inquiry_that_of_the_act(tmp_path):
    folder, _ = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl()), tmp_path)

    for operation, suggested in (("submit-permit", "operation_id"), ("inquire-permit", "subject_operation_id")):
        text = (folder / f"mapping/{operation}.yaml").read_text("utf-8")
        assert f"RequestId: input.request_id  # xsd:string, required (perhaps {suggested})" in text


def test_a_mobile_number_is_suggested_as_the_contracts_pattern_has_it():
    for pattern, form in ((r"^(?:\+963\d{9})$", "e164"), (r"^963\d{9}$", "international"), (r"\d+", "local")):
        assert hint(Field("Mobile", "mobile", "", patterns=(pattern,))) == f"mobile(applicant.mobile, '{form}')"
    assert hint(Field("Mobile", "mobile", "", patterns=("(",))) == "mobile(applicant.mobile, 'local')"


def test_choices_and_defaults_are_said_and_a_childs_name_is_not_the_applicants(tmp_path):
    content = (
        '<xs:choice><xs:element name="Centre" type="xs:string"/><xs:sequence><xs:element name="Street" type="xs:string"/>'
        '<xs:element name="Town" type="xs:string"/></xs:sequence></xs:choice>'
        '<xs:element name="Copies" type="xs:int" default="1"/><xs:element name="FirstName" type="xs:string"/>'
        '<xs:element name="Child" minOccurs="0" maxOccurs="9"><xs:complexType><xs:sequence>'
        '<xs:element name="FirstName" type="xs:string"/></xs:sequence></xs:complexType></xs:element>'
    )
    types = TYPES.replace('<xs:element name="RequestId" type="xs:string"/>', content, 1)

    folder, _ = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(schema(types))), tmp_path)

    text = (folder / "mapping/submit-permit.yaml").read_text("utf-8")
    assert "Centre: input.centre  # xsd:string, 0..1, either this or (Street, Town)" in text
    assert "Town: input.town  # xsd:string, 0..1, either this or Centre" in text
    assert "Copies: input.copies  # xsd:int, required, default 1" in text
    assert "FirstName: input.first_name  # xsd:string, required (perhaps applicant.name.given)\n" in text
    assert "FirstName: item.first_name  # xsd:string, required\n" in text


def test_an_idempotency_key_is_our_operation_id_and_makes_the_operation_idempotent(tmp_path):
    document = openapi()
    key = {"in": "header", "name": "Idempotency-Key", "required": True, "schema": {"type": "string", "format": "uuid"}}
    document["paths"]["/permits"]["post"]["parameters"] = [key]

    folder, _ = import_openapi("city", write(tmp_path, "city.json", document), tmp_path)

    mapping = yaml.safe_load((folder / "mapping/submit-permit.yaml").read_text("utf-8"))
    assert mapping["request"]["headers"] == {"Idempotency-Key": "operation_id"}
    assert 'effect = "idempotent"' in (folder / "manifest.toml").read_text("utf-8")
    given = json.loads((folder / "samples/submit-permit/succeeded/canonical.json").read_text("utf-8"))["input"]
    assert "idempotency_key" not in given


def test_a_document_is_one_in_either_version_and_a_value_of_a_list_is_text(tmp_path):
    for version, binary in (
        ("3.0.3", {"format": "byte"}),
        ("3.1.0", {"contentEncoding": "base64", "contentMediaType": "application/pdf"}),
    ):
        document = openapi(openapi=version)
        permit = document["components"]["schemas"]["Permit"]
        permit["properties"] |= {"paper": {"type": "string", **binary}, "tone": {"enum": ["a", "b"]}}

        folder, report = import_openapi(f"city{version[2]}", write(tmp_path, "city.json", document), tmp_path)

        answer = yaml.safe_load((folder / "mapping/get-permit-status.yaml").read_text("utf-8"))["answer"]
        assert answer["documents"][0]["content"] == "answer.paper", version
        assert ("pdf" in answer["documents"][0]["media_type"]) is ("contentMediaType" in binary)
        assert answer["data"]["tone"] == "answer.tone"
        assert report.left_out == []


def test_what_the_institution_sends_by_itself_is_named_with_its_line(tmp_path):
    document = openapi(openapi="3.1.0", webhooks={"permitIssued": {"post": {"responses": {}}}})

    _, report = import_openapi("city", write(tmp_path, "city.json", document), tmp_path)

    rows = [row.strip() for row in json.dumps(document, indent=1).splitlines()]
    line = rows.index('"permitIssued": {') + 1
    (said,) = report.hints
    assert said.en.startswith(f"city.json:{line}: The institution calls back")
    assert "[callbacks.NAME]" in said.ar
