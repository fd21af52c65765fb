"""D6, D7, A7 and crashes over Takamol's own wire: its sandbox calls the running gateway back."""

import signal

import pytest

from tests.faults.looking import kinds, rows
from tests.gateways import APPLICANT, QUICK, until

FAMILY = {
    "service": "takamol.family-update",
    "applicant": APPLICANT,
    "input": {
        "card_number": "6391000012344821",
        "change": "add_member",
        "member_national_number": "99000000999",
        "member_name": "ليان الخطيب",
        "member_relation": "daughter",
        "extract_number": "12345",
        "extract_date": "2026-01-10",
        "extract_governorate": "damascus",
    },
}


@pytest.fixture
def takamol(sandbox):
    """Takamol's sandbox; it calls nobody before and after the test."""
    card = sandbox("takamol")
    card.control("POST", "callbacks", {"url": ""})
    yield card
    card.control("POST", "callbacks", {"url": ""})


@pytest.fixture
def gateway(make_gateway, takamol):
    """A gateway that is not started yet; the sandbox knows its address."""
    made = make_gateway(connectors={"takamol": takamol.settings}, dispatch=QUICK | {"inquiry_seconds": [60, 60]})
    takamol.control("POST", "callbacks", {"url": f"{made.url}/callbacks/takamol"})
    return made


def verdicts(gateway):
    return [row[0] for row in rows(gateway, "SELECT verdict FROM callbacks ORDER BY id")]


def test_d6_d7_results_that_come_early_or_twice_or_in_the_ordinary_way_are_taken_once(gateway, takamol):
    gateway.start()
    for number, mode in enumerate((None, "callback_early", "callback_twice")):
        if mode:
            takamol.switch(mode, operation="result", times=1)
        request = gateway.submit(FAMILY, f"family-{number}").json()
        gateway.until_state(request["id"], "completed")
        assert kinds(gateway, request).count("completed") == 1
    assert takamol.count() == 3
    until(lambda: len(verdicts(gateway)) >= 3 and None not in verdicts(gateway), "every message to be judged")
    assert "applied" in verdicts(gateway)
    assert set(verdicts(gateway)) <= {"applied", "recorded"}, "recorded: on a busy machine an inquiry may be first"


def test_a7_what_takamol_did_not_sign_is_believed_only_when_it_is_asked(gateway, takamol):
    gateway.start()
    for number, mode in enumerate(("callback_unsigned", "callback_badly_signed")):
        takamol.switch(mode, operation="result", times=1)
        request = gateway.submit(FAMILY, f"family-{number}").json()
        gateway.until_state(request["id"], "completed")
        assert takamol.calls("inquire") >= number + 1
    assert set(verdicts(gateway)) <= {"inquired", "ignored"}
    assert takamol.count() == 2


@pytest.mark.parametrize("point", ["callback.after_commit", "callback.before_settle"])
def test_c6_a_message_that_was_committed_survives_the_gateways_death(gateway, takamol, point):
    gateway.start(crash_at=point)
    request = gateway.submit(FAMILY, "family").json()
    assert gateway.wait_dead() == -signal.SIGKILL
    assert verdicts(gateway) == [None]
    gateway.start()
    gateway.until_state(request["id"], "completed")
    assert kinds(gateway, request).count("completed") == 1
    assert takamol.count() == 1
    until(lambda: verdicts(gateway) != [None], "the message to be judged")
    assert verdicts(gateway) in (["applied"], ["recorded"]), "recorded: an inquiry fell due meanwhile and was first"


def test_a_test_systems_result_reaches_the_test_sides_settings_and_never_the_live_ones(make_gateway, takamol):
    """Each side has an address of its own; what the test system signs proves nothing at the live one's, and back."""
    live = {"base_url": "http://127.0.0.1:9", "api_key": "live-only", "callback_secret": "live-only-callbacks"}
    slow = QUICK | {"inquiry_seconds": [60, 60]}
    gateway = make_gateway(connectors={"takamol": live | {"test": takamol.settings}}, dispatch=slow)
    gateway.start()
    key = gateway.add("channel", "developers", test=True)
    with gateway.client(key) as tester:
        takamol.control("POST", "callbacks", {"url": f"{gateway.url}/callbacks/takamol"})
        at_the_live_door = gateway.submit(FAMILY, "family-live-door", client=gateway.client(key)).json()
        until(lambda: "ignored" in verdicts(gateway), "the message at the live door to be judged")
        assert tester.get(f"/v1/requests/{at_the_live_door['id']}").json()["state"] == "with_institution"

        takamol.control("POST", "callbacks", {"url": f"{gateway.url}/callbacks/test.takamol"})
        mine = gateway.submit(FAMILY, "family-test-door", client=gateway.client(key)).json()
        done = until(
            lambda: found if (found := tester.get(f"/v1/requests/{mine['id']}").json())["final"] else None, "it"
        )
        events = tester.get(done["links"]["events"]).json()["items"]
    assert (done["state"], done["test"]) == ("completed", True)
    assert {event["facts"]["connector"] for event in events if "connector" in event["facts"]} == {"test.takamol"}
    assert verdicts(gateway) == ["ignored", "applied"]
    assert takamol.count() == 2
