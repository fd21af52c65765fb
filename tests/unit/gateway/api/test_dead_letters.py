"""Dead letters over the API: who may look, what a plan says, and that a replay needs a reason and acts once."""

import pytest
from sqlalchemy import update

from gateway.api.openapi_dead_letters import REPLAYS, SELECTIONS
from gateway.store.jobs import NEVER
from gateway.store.principals import set_roles
from gateway.store.tables import jobs, requests
from tests.unit.gateway.api.rows import PARKED_AT as LANE
from tests.unit.gateway.api.rows import put_parked
from tests.unit.gateway.api.test_openapi import resolved

AT = "/v1/admin/dead-letters"
WHY = {"reason": "the ministry mended its answer; ticket 4711"}


async def act(api, path, body, who="layla", key="k-1"):
    return await api.submit(body, key, who, f"{AT}/{path}")


def installed(api):
    """The mapping version that a vehicle statement would start with now."""
    return api.services.dead_letters.known.mapping_versions[LANE]


def fits(name, answer):
    return [error.message for error in resolved(name).iter_errors(answer)] == []


async def test_letters_are_listed_planned_and_replayed_as_the_reference_says(api):
    now = installed(api)
    put = api.services.store.write
    first = await put(lambda conn: put_parked(conn, mapping=now))
    doubtful = await put(
        lambda conn: put_parked(conn, mapping=now, connector="syriatel_cash", operation="confirm", state="in_doubt")
    )
    old = await put(lambda conn: put_parked(conn, mapping="transport@0"))
    page = (await api.get(f"{AT}?limit=2&reason=mapping_failed", who="layla")).json()
    assert fits("DeadLetterPage", page)
    assert [(each["id"], each["replay"]["sort"]) for each in page["items"]] == [(first, "safe"), (doubtful, "unsafe")]
    rest = (await api.get(f"{AT}?limit=2&cursor={page['next_cursor']}", who="layla")).json()
    assert ([each["id"] for each in rest["items"]], rest["next_cursor"]) == ([old], None)
    assert (await api.get(f"{AT}?service=a.b", who="layla")).json()["items"] == []
    one = (await api.get(f"{AT}/{old}", who="layla")).json()
    assert fits("DeadLetter", one)
    assert one["mapping"] == {"from": "transport@0", "to": now}

    planned = await act(api, "plan", {"lane": LANE}, key=None)
    assert fits("ReplayPlan", planned.json())
    assert planned.json()["summary"] == {
        "safe": 2,
        "inquire_first": 0,
        "unsafe": 1,
        "done": 0,
        "mappings": [{"from": "transport@0", "to": now, "count": 1}],
    }
    assert (await api.get(f"{AT}/{first}", who="layla")).json()["state"] == "parked", "a plan does nothing"

    order = {"selection": {"reason": "mapping_failed"}, **WHY, "per_second": 0.5}
    done = await act(api, "replay", order)
    assert (done.status_code, fits("Replayed", done.json())) == (202, True), done.text
    assert done.json()["went"] == {"safe": 1, "inquire_first": 0, "unsafe": 0, "done": 0}
    again = await act(api, "replay", order)
    assert (again.json(), again.headers["idempotency-replayed"]) == (done.json(), "true")
    assert (await act(api, "replay", {**order, "per_second": 1})).json()["code"] == "idempotency_key_reused"
    new = {**order, "new_mapping": True}
    assert (await act(api, "replay", new, key="k-2")).json()["went"]["safe"] == 1
    assert (await api.get(f"{AT}/{doubtful}", who="layla")).json()["state"] == "parked"
    whole = (await api.get(f"/v1/requests/{first}/events", who="layla")).json()["items"][-1]
    assert whole["facts"] == {"by": "layla", "because": WHY["reason"], "sort": "safe"}
    told = (await api.get(f"/v1/requests/{first}/events")).json()["items"][-1]
    assert (told["kind"], told["facts"]) == ("replayed", {"sort": "safe"}), "what operators wrote is not the channel's"


async def test_one_letter_is_replayed_by_its_id_and_what_moved_on_meanwhile_is_done(api):
    one = await api.services.store.write(lambda conn: put_parked(conn, mapping=installed(api)))
    order = {"selection": {"ids": [one]}, **WHY}
    assert (await act(api, "replay", order)).json()["went"]["safe"] == 1
    later = (await act(api, "replay", order, key="k-2")).json()
    assert (later["summary"]["done"], later["went"]["safe"]) == (1, 0)
    assert later["items"][0]["replay"]["code"] == "goes_on"


async def test_a8_dead_letters_are_for_operators_and_a_replay_for_those_of_the_role(api):
    one = await api.services.store.write(put_parked)
    await api.services.store.write(set_roles, "layla", ["checker"])
    refused = await act(api, "replay", {"selection": {"ids": [one]}, **WHY})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_missing")
    assert (await api.get(f"{AT}/{one}", who="layla")).json()["state"] == "parked"
    for who in ("web", "school"):
        answers = [await api.get(f"{AT}{part}", who=who) for part in ("", f"/{one}")]
        answers += [await act(api, "plan", {}, who), await act(api, "replay", {"selection": {"ids": [one]}}, who)]
        assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "forbidden")}
    for wrong in ("1", "01890000-0000-7000-8000-000000000000", "%00"):
        assert (await api.get(f"{AT}/{wrong}", who="layla")).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "key", "code", "pointers"),
    [
        ({"selection": {"ids": ["x" * 36]}, **WHY}, "k", "invalid_request", {"/selection/ids/0"}),
        ({"selection": {"ids": ["1"]}, "reason": " \u00a0"}, "k", "invalid_request", {"/selection/ids/0", "/reason"}),
        ({"selection": {}, **WHY}, "k", "invalid_request", {"/selection"}),
        ({"selection": {"lane": LANE}}, "k", "invalid_request", {"/reason"}),
        ({"selection": {"lane": LANE}, "reason": "a\u202eb"}, "k", "invalid_request", {"/reason"}),
        ({"selection": {"lane": LANE}, **WHY, "per_second": 0}, "k", "invalid_request", {"/per_second"}),
        ({"selection": {"lane": LANE}, **WHY, "by": "somebody"}, "k", "invalid_request", {"/by"}),
        ({"selection": {"lane": LANE}, **WHY}, None, "idempotency_key_missing", set()),
        (b"[]", "k", "malformed_json", set()),
    ],
)
async def test_a_replay_that_is_asked_for_wrongly_touches_nothing(api, body, key, code, pointers):
    one = await api.services.store.write(put_parked)
    refused = await act(api, "replay", body, key=key)
    told = refused.json()
    assert (told["code"], {error["pointer"] for error in told.get("errors", [])}) == (code, pointers), told
    assert (await api.get(f"{AT}/{one}", who="layla")).json()["state"] == "parked"


async def test_what_a_worker_holds_is_left_to_it(api):
    one = await api.services.store.write(lambda conn: put_parked(conn, mapping=installed(api)))
    held = update(jobs).where(jobs.c.request_id == one).values(claimed_by="w9", lease_until=NEVER)
    await api.services.store.write(lambda conn: conn.execute(held))
    assert (await act(api, "replay", {"selection": {"ids": [one]}, **WHY})).json()["went"]["safe"] == 0
    rows = await api.services.store.read(lambda conn: conn.execute(requests.select()).all())
    assert [row.state for row in rows] == ["parked"]


def test_the_examples_of_the_reference_fit_it():
    assert all(resolved("DeadLetterSelection").is_valid(each["value"]) for each in SELECTIONS.values())
    assert all(resolved("DeadLetterReplay").is_valid(each["value"]) for each in REPLAYS.values())
