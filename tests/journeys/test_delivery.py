"""How results reach citizens: by post with the tracking in the timeline, back to the sender, and at a centre."""

import pytest

from tests.gateways import APPLICANT
from tests.offices import body, effects

ADDRESS = {"governorate": "tartus", "city": "طرطوس", "street": "شارع المثال"}


def posted(person=APPLICANT["national_number"], mobile="0930000009", **address):
    request = body("card", person, delivery={"method": "post", "address": {**ADDRESS, **address}})
    request["applicant"]["mobile"] = mobile
    return request


def tracked(running, request_id):
    with running.client() as http:
        events = http.get(f"/v1/requests/{request_id}/events").json()["items"]
    return [event["facts"]["event"] for event in events if event["kind"] == "tracked"]


def test_a_parcel_is_registered_once_and_tracked_to_the_door(running, sandbox):
    made = running.submit(posted(mobile="0930007001"), "d-1").json()
    done = running.until_state(made["id"], "completed")
    assert done["documents"], "what the institution issued is there too"
    assert tracked(running, done["id"]) == ["registered", "in_transit", "out_for_delivery", "delivered"]
    assert effects(sandbox("post"), "parcel") == 1


def test_a_parcel_that_came_back_is_left_to_people_and_says_so(running):
    made = running.submit(posted(mobile="0930007002"), "d-2").json()
    left = running.until_state(made["id"], "parked")
    assert left["reason"]["code"] == "parcel_returned"
    assert {left["reason"][reader]["ar"] for reader in ("citizen", "clerk", "technician")}
    assert tracked(running, left["id"])[-1] == "returned"


def test_while_the_post_is_away_the_parcel_waits_and_is_registered_once(running, sandbox):
    sandbox("post").switch("cut_after", operation="ship", times=1)
    made = running.submit(posted(), "d-3").json()
    running.until_state(made["id"], "completed")
    assert effects(sandbox("post"), "parcel") == 1


def test_a_result_waits_at_the_centre_until_it_is_handed_over(running):
    with running.client() as http:
        centres = {centre["id"]: centre for centre in http.get("/v1/centres").json()["items"]}
    assert set(centres) == {"damascus", "tartous", "sweida", "daraa"}
    assert centres["tartous"]["governorate"]["name"]["ar"] == "طرطوس"

    wanted = body("card", APPLICANT["national_number"], delivery={"method": "centre", "centre": "tartous"})
    made = running.submit(wanted, "d-4", wait=20).json()
    waiting = running.until_state(made["id"], "delivering")
    assert waiting["reason"]["code"] == "waiting_at_centre"
    path = f"/v1/requests/{made['id']}/handed-over"
    with running.client() as http, running.client(running.add("channel", f"other-{made['id']}")) as stranger:
        assert stranger.post(path).status_code == 404
        assert http.post(path.replace("handed-over", "cancel")).json()["code"] == "cannot_cancel"
        answers = [http.post(path) for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "completed")] * 2
    with running.client() as http:
        assert http.post(f"/v1/requests/{_electronic(running)}/handed-over").json()["code"] == "cannot_hand_over"


def _electronic(running):
    return running.submit(body("card", APPLICANT["national_number"]), "d-5", wait=20).json()["id"]


@pytest.mark.parametrize(
    ("delivery", "wrong"),
    [
        ({"method": "post"}, {("/delivery/address", "required")}),
        ({"method": "centre"}, {("/delivery/centre", "required")}),
        ({"method": "centre", "centre": "aleppo"}, {("/delivery/centre", "centre_unknown")}),
        ({"method": "electronic", "centre": "daraa"}, {("/delivery/centre", "delivery_not_expected")}),
        (
            {"method": "post", "address": {**ADDRESS, "governorate": "atlantis"}},
            {("/delivery/address/governorate", "not_in_list")},
        ),
    ],
)
def test_a_delivery_that_cannot_be_made_is_refused_at_once(running, delivery, wrong):
    answer = running.submit(body("card", APPLICANT["national_number"], delivery=delivery), "d-6")
    assert answer.status_code == 422
    assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == wrong
