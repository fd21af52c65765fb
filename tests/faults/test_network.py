"""N1 to N9: the institution cannot be reached, is silent, hangs up, or answers what no contract has."""

import re

import pytest

from tests.faults.listener import listening
from tests.faults.looking import (
    Calling,
    certificate,
    codes,
    evidence,
    kinds,
    payment_of,
    rows,
    stem_of,
    timeline,
    until_asked,
)
from tests.gateways import VEHICLE, until
from tests.sandboxes import start_sandbox, stop_sandbox

#: Mode, value, and the code that the timeline tells. The answer comes, and is not of the contract.
SPOILED = {
    "n6_html": ("html", None, "upstream_protocol"),
    "n6_empty": ("empty", None, "upstream_protocol"),
    "n6_content_type": ("wrong_content_type", None, "upstream_protocol"),
    "n6_charset": ("wrong_charset", None, "upstream_protocol"),
    "n6_bom": ("bom", None, "upstream_protocol"),
    "n7_fault": ("fault", None, "upstream_fault"),
    "n7_503_html": ("status", 503, "upstream_server_failed"),
    "n8_wrong_element": ("wrong_element", None, "upstream_protocol"),
    "n8_missing_element": ("missing_element", None, "upstream_protocol"),
}
#: SOAP alone: its XSD forbids what is not listed; JSON that says more than is read is no fault (see contracts).
SPOILED_SOAP = SPOILED | {"n8_extra_element": ("extra_element", None, "upstream_protocol")}


def rows_of(table):
    return [pytest.param(*row, id=name) for name, row in table.items()]


def unique(request):
    return request.node.name


@pytest.fixture
def register(standing, sandbox, request):
    """The transport sandbox, whose token the gateway holds already: the next call is the act itself."""
    assert standing.submit(VEHICLE, f"warm-{unique(request)}", wait=20).status_code == 201
    return sandbox("transport")


def submit_paid(gateway, sandbox, request, prepare):
    """A paid certificate, up to the ministry's submission, for which `prepare` sets the fault."""
    asked = until_asked(gateway, unique(request))
    prepare()
    gateway.act(asked, {"otp": sandbox("syriatel_cash").otp(payment_of(asked))}, f"otp-{unique(request)}")
    return asked


def lane(gateway, name):
    """Exchanges that hold a place of the lane, as the metrics tell."""
    with gateway.client() as http:
        page = http.get("/metrics").text
    found = re.search(rf'jisr_lane_in_flight{{lane="{re.escape(name)}"}} ([0-9.]+)', page)
    assert found, page
    return float(found[1])


def test_n1_an_institution_that_is_off_is_waited_for_without_spending_a_try(make_gateway, sandbox, tmp_path):
    transport = start_sandbox("transport")
    wallet = start_sandbox("syriatel_cash", ledger=tmp_path / "ledger")
    others = {"transport": transport.settings, "syriatel_cash": wallet.settings}
    gateway = make_gateway(connectors={"education": sandbox("education").settings} | others)
    gateway.start()
    asked = until_asked(gateway, "n1-paid")
    otp = wallet.otp(payment_of(asked))
    try:
        stop_sandbox(transport)
        stop_sandbox(wallet)

        # the payer's code is not used up by a wallet that was never reached: it is asked for again
        told = gateway.act(asked, {"otp": otp}, "n1-otp").json()
        assert (told["state"], told["next_action"]["kind"]) == ("awaiting_citizen", "confirm_otp")
        assert told["reason"]["code"] == "upstream_unreachable"

        waiting = gateway.submit(VEHICLE, "n1-free").json()
        until(lambda: kinds(gateway, waiting).count("delayed") >= 4, "four refused connections")
        facts = [event["facts"] for event in timeline(gateway, waiting) if event["kind"] == "delayed"]
        assert {fact["code"] for fact in facts} == {"upstream_unreachable"}
        assert [fact["attempt"] for fact in facts[:4]] == [1, 2, 3, 4], "each attempt is recorded"
        assert 0.1 <= facts[0]["seconds"] <= 0.4 <= facts[3]["seconds"] + 0.1, "each wait is longer, up to the cap"
        (job,) = rows(gateway, f"SELECT tries, waits FROM jobs WHERE request_id = '{waiting['id']}'")
        assert job[0] == 0, "an outage spends no try"
        assert job[1] >= 4

        transport = start_sandbox("transport", port=transport.port)
        wallet = start_sandbox("syriatel_cash", ledger=tmp_path / "ledger", port=wallet.port)
        gateway.until_state(waiting["id"], "completed")
        assert transport.count() == 1
        gateway.act(told, {"otp": otp}, "n1-otp-again")
        gateway.until_state(asked["id"], "completed")
        assert wallet.count() == 1
    finally:
        stop_sandbox(transport)
        stop_sandbox(wallet)


def test_n2_silence_ends_at_the_deadline_and_gives_the_lane_back(standing, sandbox, request):
    places = standing.dispatch["lanes"]["education.check"]
    sandbox("education").switch("silence", operation="check", times=places)
    silent = [standing.submit(certificate(), f"{unique(request)}-{n}").json() for n in range(places)]
    until(lambda: lane(standing, "education.check") == places, "a full lane")
    behind = standing.submit(certificate(), f"{unique(request)}-behind").json()
    free = standing.submit(VEHICLE, f"{unique(request)}-free", wait=20)
    assert free.status_code == 201, "another institution's lane does not wait"
    for one in [*silent, behind]:
        standing.until_state(one["id"], "awaiting_citizen")
    assert [codes(standing, one) for one in silent] == [["upstream_timeout"]] * places
    assert codes(standing, behind) == []
    until(lambda: lane(standing, "education.check") == 0, "an empty lane")
    deadline = standing.dispatch["deadlines"]["education.check"]
    for one in silent:
        query = f"SELECT milliseconds FROM attempts WHERE request_id = '{one['id']}' AND code = 'upstream_timeout'"
        ((milliseconds,),) = rows(standing, query)
        assert deadline * 950 <= milliseconds < deadline * 1000 + 3000


@pytest.mark.parametrize("operation", ["check", "vehicle-statement"])
def test_n3_an_answer_that_drips_ends_at_the_deadline(standing, sandbox, register, request, operation):
    of, body = ("education", certificate()) if operation == "check" else ("transport", VEHICLE)
    sandbox(of).switch("drip", 300, operation=operation, times=1)
    asked = standing.submit(body, unique(request)).json()
    standing.until_state(asked["id"], "awaiting_citizen", "completed")
    assert codes(standing, asked) == ["upstream_timeout"]
    (first, *_) = evidence(standing, asked)
    assert first.code == "upstream_timeout"
    assert first.response, "the bytes that had come are kept"


def test_n4_a_cut_after_an_idempotent_act_is_answered_by_the_same_act_again(standing, register, request):
    before = register.calls("vehicle-statement")
    register.switch("cut_after", operation="vehicle-statement", times=1)
    done = standing.submit(VEHICLE, unique(request), wait=20).json()
    standing.until_state(done["id"], "completed")
    assert codes(standing, done) == ["upstream_connection_lost"]
    assert register.calls("vehicle-statement") == before + 2
    assert register.count(f"{stem_of(done)}-0") == 1
    query = f"SELECT count(*) FROM attempts WHERE request_id = '{done['id']}' AND state = 'in_doubt'"
    assert rows(standing, query) == [(0,)], "the answer to the repeat is the truth of the first try too"


@pytest.mark.parametrize(
    ("mode", "value"),
    [
        pytest.param("cut_after", None, id="n4"),
        pytest.param("silence", None, id="n2"),
        pytest.param("html", None, id="n6"),
    ]
    + [pytest.param("truncate", size, id=f"n5_{size}") for size in (1, 200, 700)]
    + [pytest.param("status", {"code": 500, "after_effect": True}, id="n7")],
)
def test_a_lost_answer_to_a_submission_is_inquired_about_and_never_submitted_again(
    standing, sandbox, request, mode, value
):
    ministry = sandbox("education")
    asked = submit_paid(standing, sandbox, request, lambda: ministry.switch(mode, value, operation="submit", times=1))
    standing.until_state(asked["id"], "completed")
    assert "answer_lost" in kinds(standing, asked)
    assert ministry.calls("submit") == 1
    assert ministry.count(f"{stem_of(asked)}-2") == 1
    assert sandbox("syriatel_cash").count() == 1


@pytest.mark.parametrize("size", [1, 2, 17, 60, 150, 400])
def test_n5_a_truncated_answer_never_completes_a_request(standing, register, request, size):
    register.switch("truncate", size, operation="vehicle-statement", times=2)
    done = standing.submit(VEHICLE, unique(request), wait=20).json()
    done = standing.until_state(done["id"], "completed")
    assert codes(standing, done) == ["upstream_protocol", "upstream_protocol"], "not by the cut ones"
    assert len(done["documents"]) == 1
    assert [len(row.response) for row in evidence(standing, done)][:2] == [size, size]
    assert register.count(f"{stem_of(done)}-0") == 1


@pytest.mark.parametrize(("mode", "value", "code"), rows_of(SPOILED_SOAP))
def test_n6_n7_n8_a_soap_answer_that_is_not_of_the_contract_is_told_kept_and_asked_for_again(
    standing, sandbox, request, mode, value, code
):
    sandbox("education").switch(mode, value, operation="check", times=1)
    asked = until_asked(standing, unique(request))
    assert codes(standing, asked) == [code]
    kept_raw(standing, asked, code, mode)


@pytest.mark.parametrize(("mode", "value", "code"), rows_of(SPOILED))
def test_n6_n7_n8_a_json_answer_that_is_not_of_the_contract_is_told_kept_and_asked_for_again(
    standing, register, request, mode, value, code
):
    register.switch(mode, value, operation="vehicle-statement", times=1)
    done = standing.submit(VEHICLE, unique(request), wait=20).json()
    standing.until_state(done["id"], "completed")
    assert codes(standing, done) == [code]
    assert register.count(f"{stem_of(done)}-0") == 1
    kept_raw(standing, done, code, mode)


def kept_raw(gateway, request, code, mode):
    first = evidence(gateway, request)[0]
    done = first.operation == "vehicle-statement" and mode != "html"
    assert first.code == code
    assert first.http_status == {"status": 503, "fault": 500}.get(mode, 201 if done else 200)
    marks = {"html": b"<html>", "bom": b"\xef\xbb\xbf", "status": b"503", "wrong_charset": b""}
    assert marks.get(mode, b"") in first.response
    assert (first.response == b"") == (mode == "empty")
    if first.response:
        assert first.response not in first.sealed, "raw bytes are kept sealed"
    if mode == "wrong_charset":
        with pytest.raises(UnicodeDecodeError):
            first.response.decode("utf-8")


@pytest.mark.parametrize("status", [302, 307, 308])
def test_n9_a_redirect_is_a_failure_and_is_never_followed(standing, sandbox, register, request, status):
    with listening() as elsewhere:
        away = {"url": f"{elsewhere.url}/elsewhere", "code": status}
        register.switch("redirect", away, times=1)
        sandbox("education").switch("redirect", away, times=1)
        asked = until_asked(standing, unique(request))
        done = standing.submit(VEHICLE, f"{unique(request)}-free", wait=20).json()
        standing.until_state(done["id"], "completed")
        sandbox("syriatel_cash").switch("redirect", away, operation="confirm", times=1)
        otp = sandbox("syriatel_cash").otp(payment_of(asked))
        told = standing.act(asked, {"otp": otp}, f"otp-{unique(request)}").json()
        assert elsewhere.connections == 0
    assert codes(standing, asked)[0] == "upstream_redirect"
    assert codes(standing, done) == ["upstream_redirect"]
    assert told["state"] == "in_doubt", "whoever redirects has read the code"
    assert sandbox("syriatel_cash").calls("confirm") == 1


def test_n4_a_safe_read_that_was_cut_is_read_again(standing, sandbox, request):
    sandbox("education").switch("cut_before", operation="check", times=2)
    asked = Calling(lambda: standing.submit(certificate(), unique(request), wait=20)).end()
    assert asked is not None
    assert (asked.status_code, asked.json()["next_action"]["kind"]) == (202, "confirm_otp")
    assert codes(standing, asked.json()) == ["upstream_connection_lost"] * 2
