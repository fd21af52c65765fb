"""Acts of an institution that nobody can be asked about, that can be asked about, and requests that were given up."""

import pytest
from sqlalchemy import update

from gateway.store.callbacks import hold
from gateway.store.decisions.tables import decisions
from gateway.store.exchanges import find_attempt
from gateway.store.jobs import NEVER
from gateway.store.settlements import settle
from gateway.store.stumbles import rescue_counted
from gateway.store.tables import attempts, jobs, requests
from gateway.work import Evidence, Settlement, Settling
from mappings.status import Attempt, Request
from tests.unit.gateway.api.test_openapi import resolved
from tests.unit.gateway.callbacks.conftest import ANSWER, SERVICE, office, open_scene
from tests.unit.gateway.decisions.conftest import People, codes

__all__ = ["office"]
STAMP = """
[operations.stamp]
wire = "POST /stamps"
role = "submit"
effect = "none"
"""
MAPPING = f"request:\n  body: {{id: operation_id, plate: input.plate_number}}\nanswer:{ANSWER}"
STAMPING = SERVICE.replace("office.act", "office.stamp").replace('operation = "submit"', 'operation = "stamp"')


@pytest.fixture
async def scene(database, keyring_path, tmp_path, clock, office):
    """The office also stamps: nobody can be asked afterwards whether it did."""
    mappings, services = {"stamp": MAPPING}, {"office.stamp": STAMPING}
    opened = open_scene(
        tmp_path, database, keyring_path, clock, office, manifest=STAMP, mappings=mappings, services=services
    )
    async with opened as running:
        yield running


@pytest.fixture
async def people(scene) -> People:
    hired = People(scene.client, scene.store)
    await hired.hire()
    return hired


async def stamped(scene, key="k-1"):
    """A stamp whose answer was lost."""
    scene.office.answers["stamp"] = 500
    request = await scene.submit(key, service="office.stamp")
    return await scene.until_state(request["id"], "in_doubt")


async def sent(scene):
    """An act whose answer was lost; it can be asked about, and is in an hour."""
    scene.office.answers["submit"] = 500
    request = await scene.submit()
    return await scene.until_state(request["id"], "in_doubt")


def answered_late(request, attempt):
    """What a worker brings that hung past its lease: the institution had done it."""
    seen = Evidence("answer", "succeeded", "")
    settlement = Settlement(Request.COMPLETED, 0, "", {}, attempt_state=Attempt.SUCCEEDED, evidence=seen)
    return Settling(
        request["id"], -1, Request.IN_PROGRESS, settlement, attempt.id, None, True, None, None, None, channel_id="web"
    )


def actions(case):
    return {each["action"]: each["people"] for each in case["actions"]}


async def states(scene):
    return [(row.number, row.state) for row in await scene.rows(attempts)]


async def test_a_stamp_that_two_people_call_done_goes_on_and_one_called_not_done_ends_refused(scene, people):
    done, not_done = await stamped(scene), await stamped(scene, "k-2")
    assert actions(await people.doubt(done["id"])) == {"done": 2, "not_done": 2, "resend": 2}
    await people.decide(done["id"], "done")
    await people.decide(not_done["id"], "not_done")
    await scene.until_state(done["id"], "completed")
    refused = await scene.until_state(not_done["id"], "refused")
    assert refused["reason"]["code"] == "not_done_by_decision"
    assert scene.office.count("stamp") == 2, "and nothing was sent again"


async def test_a_stamp_that_is_sent_again_closes_the_old_attempt_first_and_keeps_what_is_said_of_it_later(
    scene, people
):
    request = await stamped(scene)
    proposal = await people.proposed(request["id"], "resend")
    assert "office.stamp" in proposal["twice"]["en"]
    scene.office.answers["stamp"] = {"status": "done"}
    assert (await people.approve(proposal)).status_code == 200
    await scene.until_state(request["id"], "completed")
    assert await states(scene) == [(1, "absent"), (1, "succeeded")]
    (first, second) = await scene.rows(attempts)
    assert first.operation_id == second.operation_id, "the same act"
    assert scene.office.count("stamp") == 2

    await scene.store.batch(settle, answered_late(request, first))
    (told,) = (await people.doubt(request["id"]))["decisions"]
    assert "jisr_decisions_contradicted 1.0" in (await scene.client.get("/metrics")).text
    assert (told["contradicted"]["source"], told["contradicted"]["fenced"]) == ("answer", True), "people are told"


async def test_an_inquiry_needs_one_person_and_an_act_that_is_called_done_is_fetched_and_never_sent_again(
    scene, people
):
    request = await sent(scene)
    assert actions(await people.doubt(request["id"])) == {"inquire": 1, "done": 2, "not_done": 2, "resend": 2}
    scene.office.answers["inquire"] = {"status": "lost"}
    asked = await people.ask("plain", f"doubts/{request['id']}/inquire", "POST")
    assert asked.status_code == 202, asked.text

    async def inquired():
        return scene.office.count("inquire") == 1

    await scene.until(inquired, "the question")
    await scene.until_state(request["id"], "in_doubt", "parked")
    scene.office.answers["inquire"] = {"status": "waits"}
    await people.decide(request["id"], "done")
    await scene.until_state(request["id"], "with_institution")
    scene.office.answers["inquire"] = {"status": "done"}
    scene.clock.advance(3601)
    await scene.until_state(request["id"], "completed")
    assert scene.office.count("submit") == 1


async def test_the_institution_s_own_word_outranks_what_people_propose(scene, people):
    request = await sent(scene)
    proposal = await people.proposed(request["id"], "not_done")
    (attempt,) = await scene.rows(attempts)
    await scene.store.batch(settle, answered_late(request, attempt))
    late = await people.approve(proposal)
    anew = await people.propose(request["id"], "resend")
    assert codes(late, anew) == [(409, "doubt_changed"), (409, "evidence_contradicts")]
    assert (await scene.read(request["id"]))["state"] == "in_doubt"


async def test_a_given_up_request_that_nothing_stands_open_of_may_go_on_by_one_person_or_end_by_two(scene, people):
    first, second = await scene.submit(), await scene.submit("k-2")

    def park(conn):
        ids = [first["id"], second["id"]]
        conn.execute(update(requests).where(requests.c.id.in_(ids)).values(state="parked", reason="mapping_failed"))
        conn.execute(update(jobs).where(jobs.c.request_id.in_(ids)).values(due_at=NEVER, lane="office.submit"))
        conn.execute(update(attempts).where(attempts.c.request_id.in_(ids)).values(state="not_sent"))

    for each in (first, second):
        await scene.until_state(each["id"], "with_institution")
    await scene.store.write(park)
    scene.office.answers["submit"] = {"status": "done"}
    assert actions(await people.doubt(first["id"])) == {"resend": 1, "not_done": 2}

    alone = await people.proposed(first["id"], "resend")
    assert (alone["state"], alone["people"], alone["twice"]) == ("approved", 1, None)
    await scene.until_state(first["id"], "completed")
    await people.decide(second["id"], "not_done")
    ended = await scene.until_state(second["id"], "refused")
    assert ended["reason"]["code"] == "ended_by_decision"


async def test_the_list_of_what_waits_has_the_oldest_first_and_can_be_narrowed_to_what_is_proposed(scene, people):
    first, second = await stamped(scene), await stamped(scene, "k-2")
    await people.proposed(second["id"], "done")
    listed = (await people.ask("plain", "doubts")).json()
    for name, answer in (("DoubtPage", listed), ("WholeDoubt", await people.doubt(second["id"]))):
        assert [error.message for error in resolved(name).iter_errors(answer)] == []
    every = listed["items"]
    assert [each["id"] for each in every] == [first["id"], second["id"]]
    proposed = (await people.ask("plain", "doubts?proposed=true")).json()["items"]
    assert [each["proposal"]["action"] for each in proposed] == ["done"]
    assert (await people.ask("plain", "doubts?reason=poison")).json()["items"] == []
    page = (await people.ask("plain", "doubts?limit=1")).json()
    rest = (await people.ask("plain", f"doubts?limit=1&cursor={page['next_cursor']}")).json()
    assert [page["items"][0]["id"], rest["items"][0]["id"], rest["next_cursor"]] == [first["id"], second["id"], None]
    (open_one,) = (await people.ask("plain", "decisions?state=proposed")).json()["items"]
    assert open_one["request"] == second["id"]
    metrics = (await scene.client.get("/metrics")).text
    assert "jisr_decisions_open 1.0" in metrics


async def test_a13_a_proposal_that_was_edited_in_its_row_is_not_what_was_read(scene, people):
    request = await stamped(scene)
    proposal = await people.proposed(request["id"], "not_done")
    await scene.store.write(lambda conn: conn.execute(update(decisions).values(action="done")))
    read = (await people.ask("checker", f"decisions/{proposal['id']}")).json()
    assert (read["action"], read["digest"]) == ("done", proposal["digest"])
    assert codes(await people.approve(read)) == [(409, "decision_changed")]
    assert codes(await people.propose(request["id"], "done", "plain")) == [(403, "role_missing")]
    assert (await scene.read(request["id"]))["state"] == "in_doubt"


async def test_what_a_server_holds_that_dies_over_a_decision_is_not_sent_again_by_the_next_one(scene, people):
    request = await stamped(scene)
    proposal = await people.proposed(request["id"], "not_done")
    (attempt,) = await scene.rows(attempts)

    def die(conn):
        assert hold(conn, request["id"], find_attempt(conn, attempt.id), "another", 1) is not None

    heir = "next" if scene.store.dialect == "sqlite" else None
    for _life in ("first", "second"):
        await scene.store.write(die)
        assert codes(await people.approve(proposal)) == [(409, "conflict")], "somebody has it just now"
        scene.clock.advance(60)
        assert await scene.store.write(rescue_counted, heir, 5) == 1
    (job,) = await scene.store.read(lambda conn: conn.execute(jobs.select()).all())
    assert (job.claimed_by, job.due_at) == (None, NEVER)
    assert (await people.approve(proposal)).status_code == 200
    await scene.until_state(request["id"], "refused")
    assert scene.office.count("stamp") == 1


async def test_a_proposal_expires_and_its_maker_may_take_it_back(scene, people):
    first, second = await stamped(scene), await stamped(scene, "k-2")
    late, early = await people.proposed(first["id"], "done"), await people.proposed(second["id"], "done")
    taken = await people.refuse(early, "maker")
    assert (taken.json()["state"], taken.json()["answer"]) == ("withdrawn", "not so")
    scene.clock.advance(73 * 3600)
    assert codes(await people.approve(late)) == [(409, "decision_closed")]
    assert (await people.proposed(first["id"], "not_done"))["state"] == "proposed", "and makes way for another"
    told = (await people.doubt(first["id"]))["decisions"]
    assert [each["state"] for each in told] == ["expired", "proposed"]
