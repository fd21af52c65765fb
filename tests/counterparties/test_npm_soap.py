"""Education over its own wire against npm's `soap`, which reads the contract by itself and checks our UsernameToken."""

import httpx
import pytest

from tests.counterparties import by_npm_soap
from tests.counterparties.starting import delayed, envelope_of
from tests.journeys.house import example, with_person

pytestmark = pytest.mark.skipif(by_npm_soap.MISSING, reason=by_npm_soap.REASON)
PLAYED_BY = by_npm_soap.npm_soap

COPY = "education.secondary-certificate-copy"


def test_a_certified_copy_comes_from_a_server_that_knows_us_by_our_token(house, counterparties):
    body = example(COPY)
    body["applicant"]["birth_date"] = "2001-02-03"
    done = house.walk(body)

    assert (done["state"], done["reason"]) == ("completed", None)
    assert house.documents(done)[0].startswith(b"%PDF-1.4")
    assert done["documents"][0]["name"] == "صورة-مصدقة.pdf"
    (act,) = counterparties["education"].seen(done)
    assert act["seen"] == {
        "name": "سلمى عادل الخطيب",
        "born": "2001-02-03",
        "language": "ar",
        "year": "2019",
        "branch": "SCIENTIFIC",
        "governorate": "01",
    }


def test_what_is_looked_up_by_hand_comes_by_inquiry_and_is_issued_once(house):
    body = example(COPY)
    body["input"]["year"] = 1985
    done = house.walk(body)

    assert done["state"] == "completed"
    assert house.effects(done, "education") == {"copy": 1}
    told = [event["facts"].get("code") for event in house.events(done) if event["kind"] == "received"]
    assert told[:2] == ["received", "being_looked_up"]


def test_when_the_line_breaks_after_the_act_the_inquiry_brings_what_was_issued_once(house):
    done = house.walk(with_person(COPY, "99000000099"))

    assert done["state"] == "completed"
    assert house.effects(done, "education") == {"copy": 1}
    lost = [event["facts"].get("code") for event in house.events(done) if event["kind"] == "answer_lost"]
    assert lost == ["upstream_connection_lost"]


def test_a_status_refuses_and_so_does_a_fault_that_the_contract_lists(house, counterparties):
    missing = house.walk(with_person(COPY, "99000000020"))
    withheld = house.walk(with_person(COPY, "99000000091"))

    assert (missing["state"], missing["reason"]["code"]) == ("refused", "certificate_not_found")
    assert (withheld["state"], withheld["reason"]["code"]) == ("refused", "record_withheld")
    assert counterparties["education"].seen(missing) == counterparties["education"].seen(withheld) == []


def test_a_fault_that_says_busy_is_waited_out(house):
    assert not delayed(house, with_person(COPY, "99000000092"), "upstream_busy")["final"]


def test_education_does_nothing_for_who_shows_no_token(counterparties):
    education = counterparties["education"]
    done = education.effects()
    message = envelope_of("education", "submit/succeeded")
    refused = httpx.post(
        f"{education.url}/certificates/v1", content=message, headers={"Content-Type": "text/xml"}, trust_env=False
    )

    assert refused.status_code >= 400
    assert education.effects() == done
