"""Three institutions over their own wires against the JAX-WS reference implementation and Apache WSS4J.

What they prove that our own sandboxes cannot: the contract is read by another generator, every message is held against
another schema processor, attachments, encodings and signatures are written and verified by another implementation.
"""

import ssl

import httpx
import pytest

from connectors.kit.sandbox.certificates import certificates_of
from tests.counterparties import by_jaxws
from tests.counterparties.starting import delayed, envelope_of
from tests.journeys.house import example, with_person

pytestmark = pytest.mark.skipif(by_jaxws.MISSING, reason=by_jaxws.REASON)
PLAYED_BY = by_jaxws.jaxws

TRANSCRIPT = "damascus-university.transcript"
DEFERMENT = "damascus-university.military-deferment"
REGISTER = "trade.commercial-register"
PASSPORT = "interior.passport"
SCAN_BYTES = 3 * 1024 * 1024


# -- Damascus University: MTOM, windows-1256, declared faults ---------------------------------------------------------------
def test_the_universitys_document_comes_as_an_attachment_and_arrives_whole(house, counterparties):
    university = counterparties["damascus_university"]
    done = house.walk(example(TRANSCRIPT))

    assert (done["state"], done["reason"]) == ("completed", None)
    (content,) = house.documents(done)
    assert content.startswith(b"%PDF-1.4")
    assert len(content) > SCAN_BYTES
    assert done["documents"][0]["name"] == "كشف-العلامات.pdf"
    (act,) = university.seen(done)
    assert act["seen"] == {"name": "سلمى عادل الخطيب", "mother": "هدى", "kind": "TRANSCRIPT"}
    assert 'type="application/xop+xml"' in university.answers()[-1]


def test_a_deferments_copy_is_read_whatever_its_digits(house, counterparties):
    done = house.walk(example(DEFERMENT))

    assert done["state"] == "completed"
    with house.gateway.client() as http:
        result = http.get(done["links"]["result"]).json()["result"]
    assert result == {"recruitment_office": "tartus", "recruitment_copy": "7-10"}


def test_a_declared_fault_with_http_500_is_the_same_refusal_as_with_200(house, counterparties):
    unknown = house.walk(with_person(TRANSCRIPT, "99000000901"))
    owing = house.walk(with_person(TRANSCRIPT, "99000000904"))

    assert (unknown["state"], unknown["reason"]["code"]) == ("refused", "student_unknown")
    assert (owing["state"], owing["reason"]["code"]) == ("refused", "student_fees_due")
    assert counterparties["damascus_university"].seen(owing) == []


def test_what_the_university_signs_later_comes_as_an_attachment_by_inquiry(house, counterparties):
    done = house.walk(with_person(TRANSCRIPT, "99000000911"))

    assert done["state"] == "completed"
    assert house.effects(done, "damascus_university") == {"document": 1}
    received = [event for event in house.events(done) if event["facts"].get("code") == "received"]
    assert received
    assert len(house.documents(done)[0]) > SCAN_BYTES


# -- Internal Trade: rpc/literal, xsi:type, dates and numbers as text --------------------------------------------------------
def test_the_register_reads_our_xsi_types_and_we_read_those_of_its_toolkit(house, counterparties):
    body = example(REGISTER)
    body["applicant"]["birth_date"] = "1990-05-07"
    done = house.walk(body)
    by_name = house.walk(
        {**with_person(REGISTER, "99000000027"), "input": {"trade_name": "محل العينة", "governorate": "damascus"}}
    )

    assert (done["state"], by_name["state"]) == ("completed", "completed")
    (company,), (trader,) = (counterparties["internal_trade"].seen(one) for one in (done, by_name))
    assert company["seen"] == {"name": "سلمى عادل الخطيب", "born": "07/05/1990", "by": "14725"}
    assert trader["seen"]["by"] == "محل العينة"
    assert [one["documents"][0]["name"] for one in (done, by_name)] == ["مستخرج.pdf"] * 2


def test_an_extract_that_is_prepared_later_comes_by_inquiry_and_a_missing_entry_is_refused(house):
    later = house.walk(with_person(REGISTER, "99000000001"))
    missing = house.walk(with_person(REGISTER, "99000000020"))

    assert later["state"] == "completed"
    assert house.effects(later, "internal_trade") == {"extract": 1}
    assert (missing["state"], missing["reason"]["code"]) == ("refused", "register_entry_not_found")


def test_a_fault_that_no_contract_declares_is_tried_again_and_never_a_refusal(house):
    assert not delayed(house, with_person(REGISTER, "99000000090"), "upstream_fault")["final"]


# -- Interior: mutual TLS, X.509 both ways -----------------------------------------------------------------------------------
def test_interior_verifies_our_signatures_and_we_verify_those_of_wss4j(house, counterparties):
    done = house.walk(example(PASSPORT))

    assert done["state"] == "completed"
    assert house.effects(done, "interior") == {"application": 1, "appointment": 1}
    application, appointment = counterparties["interior"].seen(done)
    assert application["seen"]["given"] == "سلمى"
    assert application["seen"]["kind"] == "RENEW"
    assert appointment["seen"]["slot"].startswith("DAM1-")


def test_a_better_photo_is_sent_in_a_signed_message_of_its_own(house, counterparties):
    done = house.walk(with_person(PASSPORT, "99000000702"))

    assert done["state"] == "completed"
    first, photo, _ = counterparties["interior"].seen(done)
    assert first["seen"]["photo"] != photo["seen"]["photo"]


def test_an_application_that_is_examined_first_goes_on_by_inquiry_and_a_withheld_passport_is_refused(house):
    later = house.walk(with_person(PASSPORT, "99000000705"))
    withheld = house.walk(with_person(PASSPORT, "99000000722"))

    assert later["state"] == "completed"
    assert house.effects(later, "interior") == {"application": 1, "appointment": 1}
    assert (withheld["state"], withheld["reason"]["code"]) == ("refused", "passport_withheld")


def test_a_signed_fault_is_believed_and_waited_out(house):
    assert not delayed(house, with_person(PASSPORT, "99000000791"), "upstream_busy")["final"]


def test_interior_does_nothing_for_an_unsigned_message_or_without_our_certificate(counterparties):
    certificates = certificates_of("interior")
    address = f"{counterparties['interior'].settings['base_url']}/passports/v1"
    trusting = ssl.create_default_context(cafile=str(certificates.path("authority")))
    message, headers = envelope_of("interior", "submit/succeeded"), {"Content-Type": "text/xml"}
    done = counterparties["interior"].effects()

    with httpx.Client(verify=trusting, trust_env=False) as stranger, pytest.raises(httpx.TransportError):
        stranger.post(address, content=message, headers=headers)
    trusting.load_cert_chain(certificates.path("client"), certificates.path("client", "key"))
    with httpx.Client(verify=trusting, trust_env=False) as client:
        refused = client.post(address, content=message, headers=headers)

    assert refused.status_code == 500
    assert b"Fault" in refused.content
    assert counterparties["interior"].effects() == done
