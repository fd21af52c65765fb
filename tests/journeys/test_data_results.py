"""A service whose result is data: from the request to the result, over the institution's own wire."""

from typing import Any

import jsonschema_rs
import pytest

from gateway.catalogue import read_service
from gateway.settings import BUILTIN_SERVICES
from tests.gateways import APPLICANT

CARD = {"service": "takamol.card-status", "applicant": APPLICANT, "input": {"card_number": "٦٣٩١٠٠٠٠١٢٣٤٤٨٢١"}}


@pytest.fixture
def running(make_gateway, sandbox):
    """A gateway that knows Takamol alone."""
    gateway = make_gateway(connectors={"takamol": sandbox("takamol").settings})
    gateway.start()
    return gateway


def test_a_result_that_is_data_reaches_the_channel_that_asked_and_nobody_else(running, sandbox):
    answer = running.submit(CARD, "card-1", wait=20)
    assert answer.status_code == 201, answer.text
    request = answer.json()
    assert (request["state"], request["documents"]) == ("completed", [])
    assert running.get(request["id"])["links"] == request["links"]

    href = request["links"]["result"]
    with running.client() as http:
        brought = http.get(href).json()
        described = http.get("/v1/services/takamol.card-status").json()["result"]
    assert brought == {
        "service": "takamol.card-status",
        "result": {
            "card_state": "active",
            "card_ends_with": "4821",
            "issued_on": "2023-04-12",
            "valid_until": "2028-04-11",
            "members": 5,
        },
    }
    jsonschema_rs.Draft202012Validator(described["schema"]).validate(brought["result"])
    assert described["labels"]["card_state"]["ar"] == "حالة البطاقة"
    for kind, status in (("channel", 404), ("operator", 403)):
        with running.client(running.add(kind, f"other-{kind}")) as http:
            assert http.get(href).status_code == status
    assert sandbox("takamol").effects() == []


def test_what_has_no_result_yet_says_so(running, sandbox):
    sandbox("takamol").switch("fault", operation="card-status", times=1)
    request = running.submit(CARD, "card-2").json()
    assert "result" not in request["links"]
    with running.client() as http:
        assert http.get(f"/v1/requests/{request['id']}/result").status_code == 404
    assert "result" in running.until_state(request["id"], "completed")["links"]


def test_a_refusal_reaches_the_channel_with_its_three_texts(running):
    body = {**CARD, "applicant": {**APPLICANT, "national_number": "99000000060"}}
    request = running.submit(body, "card-3", wait=20).json()
    assert (request["state"], request["reason"]["code"]) == ("refused", "card_not_found")
    assert all(request["reason"][reader]["ar"] for reader in ("citizen", "clerk", "technician"))
    assert "result" not in request["links"]


def test_a_result_of_a_name_that_two_steps_brought_is_the_later_one():
    service = read_service(BUILTIN_SERVICES / "takamol.card-status.toml")
    steps: dict[str, Any] = {"check": {"members": 4, "card_ends_with": "1"}, "submit": {"members": 5, "other": True}}
    assert service.result_of(steps) == {"members": 5, "card_ends_with": "1"}
