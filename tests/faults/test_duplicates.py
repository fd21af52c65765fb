"""D1 to D4: the same call twice, or fifty times at once."""

import re

import pytest

from tests.faults.looking import Calling, certificate, rows, stem_of, until_asked
from tests.gateways import VEHICLE


def unique(request):
    return re.sub("[^a-z0-9_-]", "-", request.node.name.lower())


def found_under(gateway, reference, key=None):
    with gateway.client(key) as http:
        return http.get("/v1/requests", params={"reference": reference}).json()["items"]


def test_d1_fifty_parallel_posts_under_one_key_make_one_request(standing, sandbox, request):
    name = unique(request)[:100]
    body = VEHICLE | {"reference": name}
    calls = [Calling(lambda: standing.submit(body, name, wait=20)) for _ in range(50)]
    answers = [call.end() for call in calls]
    assert all(answer is not None for answer in answers)
    ids = {answer.json()["id"] for answer in answers if answer is not None and answer.status_code in (201, 202)}
    assert {answer.status_code for answer in answers if answer is not None} <= {201, 202, 409}
    (one,) = ids
    made = [answer for answer in answers if answer is not None and "idempotency-replayed" not in answer.headers]
    assert len([answer for answer in made if answer.status_code in (201, 202)]) == 1
    standing.until_state(one, "completed")
    assert [item["id"] for item in found_under(standing, name)] == [one]
    assert sandbox("transport").count(f"{stem_of({'id': one})}-0") == 1
    assert sandbox("transport").count() == 1
    replayed = standing.submit(body, name)
    assert (replayed.status_code, replayed.json()["state"]) == (201, "completed")


def test_d2_the_same_key_with_another_body_is_refused_and_the_first_stays(standing, sandbox, request):
    name = unique(request)[:100]
    first = standing.submit(VEHICLE | {"reference": name}, name, wait=20)
    other = VEHICLE | {"reference": name, "input": VEHICLE["input"] | {"plate_number": "654321"}}
    refused = standing.submit(other, name, wait=20)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    again = standing.submit(VEHICLE | {"reference": name}, name)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(found_under(standing, name)) == 1
    assert sandbox("transport").count() == 1


def test_d2_spelling_the_same_body_otherwise_is_the_same_body(standing, sandbox, request):
    name = unique(request)[:100]
    first = standing.submit(VEHICLE | {"reference": name}, name, wait=20)
    with standing.client() as http:
        reordered = dict(reversed((VEHICLE | {"reference": name}).items()))
        again = http.post("/v1/requests", json=reordered, headers={"Idempotency-Key": name})
    assert (again.status_code, again.json()["id"]) == (first.status_code, first.json()["id"])
    assert sandbox("transport").count() == 1


def test_d2_a_key_of_a_request_does_not_stand_for_an_action(standing, request):
    name = unique(request)
    asked = until_asked(standing, name)
    refused = standing.act(asked, {"resend": True}, name)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert standing.get(asked["id"])["next_action"]["id"] == asked["next_action"]["id"]


def test_d3_the_same_key_of_two_channels_is_two_keys(standing, sandbox, request):
    name = unique(request)[:100]
    other = standing.add("channel", name)
    mine = standing.submit(VEHICLE | {"reference": name}, name, wait=20)
    theirs = standing.submit(VEHICLE | {"reference": name}, name, wait=20, client=standing.client(other))
    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["id"] != theirs.json()["id"]
    assert [item["id"] for item in found_under(standing, name)] == [mine.json()["id"]]
    assert [item["id"] for item in found_under(standing, name, other)] == [theirs.json()["id"]]
    assert sandbox("transport").count() == 2


@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param(None, "idempotency_key_missing", id="missing"),
        pytest.param("", "idempotency_key_invalid", id="empty"),
        pytest.param("k" * 300, "idempotency_key_invalid", id="oversized"),
        pytest.param("a\tb", "idempotency_key_invalid", id="control"),
        pytest.param("a b", "idempotency_key_invalid", id="space"),
        pytest.param("مفتاح".encode(), "idempotency_key_invalid", id="not_ascii"),
    ],
)
def test_d4_a_bad_key_is_refused_on_requests_and_actions(standing, sandbox, request, key, code):
    asked = until_asked(standing, f"d4-{unique(request)}", certificate())
    headers = {} if key is None else {"Idempotency-Key": key}
    (before,) = rows(standing, "SELECT count(*) FROM requests")
    with standing.client() as http:
        path = f"/v1/requests/{asked['id']}/actions/{asked['next_action']['id']}"
        for refused in (
            http.post("/v1/requests", json=VEHICLE, headers=headers),
            http.post(path, json={"otp": "123456"}, headers=headers),
        ):
            assert refused.status_code == 400, refused.text
            assert refused.json()["code"] in (code, "idempotency_key_missing")
    assert rows(standing, "SELECT count(*) FROM requests") == [before]
    assert sandbox("syriatel_cash").calls("confirm") == 0


def test_d4_two_keys_in_one_call_are_refused(standing):
    with standing.client() as http:
        pairs = [("Idempotency-Key", "a"), ("Idempotency-Key", "b"), *http.headers.multi_items()]
        refused = http.build_request("POST", "/v1/requests", json=VEHICLE, headers=pairs)
        answer = http.send(refused)
    assert answer.status_code == 400
