"""Higher Education over its own wire against `soapbar`: SOAP 1.2, WS-Addressing and a UsernameToken that it checks."""

import httpx
import pytest

from tests.counterparties import by_soapbar
from tests.counterparties.starting import delayed, envelope_of
from tests.journeys.house import example, with_person

pytestmark = pytest.mark.skipif(by_soapbar.MISSING, reason=by_soapbar.REASON)
PLAYED_BY = by_soapbar.soapbar

SCHOLAR = "higher-education.scholar-status"
NO_POSTGRADUATE = "higher-education.no-postgraduate-application"


def test_a_document_comes_by_inquiry_after_every_station_that_another_framework_tells(house, counterparties):
    body = example(NO_POSTGRADUATE)
    body["applicant"]["birth_date"] = "1998-11-30"
    done = house.walk(body)

    assert (done["state"], done["reason"]) == ("completed", None)
    assert house.documents(done)[0].startswith(b"%PDF-1.4")
    assert done["documents"][0]["name"] == "وثيقة.pdf"
    told = [event["facts"].get("code") for event in house.events(done) if event["kind"] == "received"]
    assert told == ["received", "with_the_department", "awaiting_signature"]
    (file,) = counterparties["higher_education"].seen(done)
    assert file["seen"] == {
        "NationalNumber": "01230004567",
        "GivenName": "سلمى",
        "FatherName": "عادل",
        "MotherName": "هدى",
        "FamilyName": "الخطيب",
        "BirthDate": "1998-11-30",
        "NoPostgraduate": {"University": "DAM", "Faculty": "ITE", "GraduationYear": 2021},
        "Language": "ar",
    }


def test_one_of_three_subjects_is_told_apart(house, counterparties):
    done = house.walk(example(SCHOLAR))

    assert done["state"] == "completed"
    (file,) = counterparties["higher_education"].seen(done)
    assert file["seen"]["Scholar"] == {"DecisionNumber": "731/2019", "Country": "DE"}


def test_a_status_refuses_before_anything_is_done(house, counterparties):
    refused = house.walk(with_person(NO_POSTGRADUATE, "99000000021"))

    assert (refused["state"], refused["reason"]["code"]) == ("refused", "postgraduate_application_exists")
    assert counterparties["higher_education"].seen(refused) == []


def test_a_soap_12_fault_names_the_opening_and_the_request_waits_for_it(house):
    done = house.walk(with_person(NO_POSTGRADUATE, "99000000040"))

    assert done["state"] == "completed"
    assert house.effects(done, "higher_education") == {"file": 1}
    (closed,) = (event["facts"] for event in house.events(done) if event["facts"].get("code") == "institution_closed")
    assert 0 < closed["seconds"] <= 2


def test_a_soap_12_fault_that_says_busy_is_waited_out(house):
    assert not delayed(house, with_person(NO_POSTGRADUATE, "99000000092"), "upstream_busy")["final"]


def test_higher_education_does_nothing_for_who_shows_no_token(counterparties):
    ministry = counterparties["higher_education"]
    done = ministry.effects()
    message = envelope_of("higher_education", "submit/succeeded", "http://www.w3.org/2003/05/soap-envelope")
    headers = {"Content-Type": "application/soap+xml"}
    refused = httpx.post(f"{ministry.url}/documents/v1", content=message, headers=headers, trust_env=False)

    assert refused.status_code >= 400
    assert ministry.effects() == done
