"""The education package: which form each service fills."""

from typing import Any

import pytest
from lxml import etree

from connectors.kit.errors import MappingFailed
from tests.unit.connectors.packages import DOCUMENT, NAMESPACE, call, education

FORMS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "basic-certificate-copy": (
        "BasicCertificate",
        {
            "document_kind": "certificate",
            "level": "preparatory",
            "year": 1994,
            "governorate": "homs",
            "exam_number": "١٢",
        },
        ["CERTIFICATE", "PREPARATORY", "1994", "04", "12"],
    ),
    "secondary-certificate-copy": (
        "SecondaryCertificate",
        {
            "document_kind": "pass_document",
            "year": 2001,
            "branch": "sharia",
            "governorate": "sweida",
            "exam_number": "7",
        },
        ["PASS_DOCUMENT", "2001", "SHARIA", "13", "7"],
    ),
    "failure-notice-copy": (
        "FailureNotice",
        {"level": "secondary", "year": 2010, "governorate": "idlib", "exam_number": "5"},
        ["SECONDARY", "2010", "07", "5"],
    ),
    "employment-statement": ("Employment", {"employee_number": "۴۲", "directorate": "daraa"}, ["42", "12"]),
}


def _document(service, inputs):
    return {**DOCUMENT, "request": {**DOCUMENT["request"], "service": f"education.{service}"}, "input": inputs}


def _body(operation, document):
    prepared = education("http://127.0.0.1:1").prepare(operation, call(document=document))
    return etree.fromstring(prepared.payload.masked.content.body)


@pytest.mark.parametrize("operation", ["check", "submit"])
@pytest.mark.parametrize("service", sorted(FORMS))
def test_each_service_fills_its_form(operation, service):
    form, inputs, values = FORMS[service]
    record = _body(operation, _document(service, inputs)).find(f"{{{NAMESPACE}}}Record")
    assert [child.tag for child in record] == [f"{{{NAMESPACE}}}{form}"]
    assert [field.text for field in record[0]] == values


def test_an_inquiry_asks_by_the_operation_id_of_the_submission():
    body = _body("inquire", {**DOCUMENT, "subject_operation_id": "op-of-submit"})
    assert [child.text for child in body] == ["op-of-submit"]


@pytest.mark.parametrize(
    "change",
    [
        {"year": 1949},
        {"year": None},
        {"governorate": "atlantis"},
        {"exam_number": "x1"},
        {"branch": "music"},
        {"exam_number": "1\0"},
        {"exam_number": "\ud800"},
    ],
)
def test_a20_what_the_schema_refuses_is_never_sent_and_not_shown(change):
    service = "secondary-certificate-copy"
    document = _document(service, {**FORMS[service][1], **change})
    with pytest.raises(MappingFailed) as caught:
        education("http://127.0.0.1:1").prepare("submit", call(document=document))
    assert str(caught.value).startswith("education.submit: ")
    for value in change.values():
        assert str(value) not in str(caught.value).replace("None", "")


def test_a_service_of_another_institution_has_no_form():
    with pytest.raises(MappingFailed):
        _body("check", _document("unknown", {}))


def test_equal_calls_have_equal_hashes_and_another_input_another():
    connector = education("http://127.0.0.1:1")
    assert connector.prepare("submit", call()).payload_hash == connector.prepare("submit", call()).payload_hash
    other = {**DOCUMENT, "input": {**DOCUMENT["input"], "year": 2016}}
    assert (
        connector.prepare("submit", call()).payload_hash
        != connector.prepare("submit", call(document=other)).payload_hash
    )
