"""Poison is set aside while its lane goes on, and what was parked is replayed, throttled; on both databases."""

from sqlalchemy import update

from gateway.dead_letters.desk import DeadLetters, Order
from gateway.dead_letters.planner import Sort
from gateway.store.claims import claim
from gateway.store.dead_letters import Choice
from gateway.store.jobs import NEVER, intend
from gateway.store.requests import accept
from gateway.store.stumbles import rescue_counted, stumble
from gateway.store.tables import attempts, events, jobs, requests
from mappings.status import Attempt, Request
from tests.unit.gateway.dead_letters.test_planner import KNOWN
from tests.unit.gateway.store.records import LANE, new_attempt, new_request, rows_of, sending

ORDER = Order(by="rana", reason="the mapping was mended", per_second=2.0)


async def parked(store, channel, count):
    """So many requests that nothing was sent for."""
    common = {"claim_for": None, "service": "a.service", "mapping_version": "ministry@2"}
    rows = [new_request(channel, **common) for _ in range(count)]
    await store.write(accept, rows)

    def park(conn):
        ids = [row.id for row in rows]
        conn.execute(update(requests).where(requests.c.id.in_(ids)).values(state="parked", reason="mapping_failed"))
        conn.execute(update(jobs).where(jobs.c.request_id.in_(ids)).values(due_at=NEVER, tries=5))

    await store.write(park)
    return rows


async def change(store, table, request_id, **values):
    """Set columns of a request's rows as they would be after something that the test does not play."""
    key = table.c.id if table is requests else table.c.request_id
    await store.write(lambda conn: conn.execute(update(table).where(key == request_id).values(**values)))


async def state_of(store, request_id):
    (row,) = await rows_of(store, requests, id=request_id)
    return row.state, row.reason


async def test_o2_a_job_at_which_workers_fail_is_set_aside_and_the_lane_goes_on(store, channel):
    poison, sound = new_request(channel, claim_for=None), new_request(channel, claim_for=None)
    await store.write(accept, [poison, sound])
    for becomes in ("freed", "freed", "quarantined"):
        await change(store, jobs, poison.id, due_at=1)
        (work,) = await store.write(claim, "w1", {LANE: 1}, 30_000)
        assert work.request_id == poison.id
        assert await store.write(stumble, poison.id, work.token, 3) == becomes
        assert await store.write(stumble, poison.id, work.token, 3) == "fenced"
    assert await state_of(store, poison.id) == ("parked", "poison")
    (work,) = await store.write(claim, "w1", {LANE: 2}, 30_000)
    assert work.request_id == sound.id
    assert [row.kind for row in await rows_of(store, events, request_id=poison.id)] == ["accepted", "parked"]


async def test_o2_a_request_that_cannot_be_read_is_set_aside_and_does_not_keep_the_others(store, channel, clock):
    poison = new_request(channel, claim_for=None, content=b"\xff is no content")
    sound = new_request(channel, claim_for=None)
    await store.write(accept, [poison, sound])
    (work,) = await store.write(claim, "w1", {LANE: 5}, 30_000, None, None, 2)
    assert work.request_id == sound.id
    clock.advance(10)
    assert await store.write(claim, "w1", {LANE: 5}, 30_000, None, None, 2) == []
    assert await state_of(store, poison.id) == ("parked", "poison")


async def test_o2_a_job_whose_workers_die_is_set_aside(store, channel, clock):
    row = new_request(channel, claim_for=None)
    await store.write(accept, [row])
    for life in ("g1", "g2"):
        assert len(await store.write(claim, life, {LANE: 1}, 30_000)) == 1
        clock.advance(31)
        heir = "g3" if store.dialect == "sqlite" else None
        assert await store.write(rescue_counted, heir, 2) == 1
    assert await state_of(store, row.id) == ("parked", "poison")
    assert await store.write(claim, "g9", {LANE: 1}, 30_000) == []


async def test_o3_a_replay_goes_at_its_pace_and_tells_the_timeline_who_let_it_go_and_why(store, channel):
    rows = await parked(store, channel, 4)
    desk = DeadLetters(store, KNOWN)
    planned = await desk.parked(Choice(reason="mapping_failed"), 10)
    assert [(each.letter.id, each.sort) for each in planned] == [(row.id, Sort.SAFE) for row in rows]
    assert (await desk.replay(planned, ORDER))["safe"] == 4
    assert (await desk.replay(planned, ORDER))["safe"] == 0  # they are under way
    due = {job.request_id: job.due_at for job in await rows_of(store, jobs)}
    assert [due[row.id] - due[rows[0].id] for row in rows] == [0, 500, 1000, 1500]
    (told,) = [row for row in await rows_of(store, events, request_id=rows[3].id) if row.kind == "replayed"]
    assert "rana" in told.facts
    assert "the mapping was mended" in told.facts
    (job,) = await rows_of(store, jobs, request_id=rows[3].id)
    assert (job.tries, job.lane) == (0, LANE)


async def test_o3_what_may_have_arrived_is_asked_about_and_a_changed_mapping_waits_for_a_word(store, channel):
    doubtful, old = await parked(store, channel, 2)
    await change(store, jobs, doubtful.id, claimed_by="w1", token=1)
    assert await store.batch(intend, sending(doubtful, new_attempt()))
    await change(store, attempts, doubtful.id, state=Attempt.REVIEW.value)
    await change(store, jobs, doubtful.id, claimed_by=None)
    await change(store, requests, old.id, mapping_version="ministry@1")
    desk = DeadLetters(store, KNOWN)
    planned = await desk.choose(Choice(), [doubtful.id, old.id, "no such request"])
    assert [each.sort for each in planned] == [Sort.INQUIRE_FIRST, Sort.SAFE]
    assert await desk.replay(planned, ORDER) == {"safe": 0, "inquire_first": 1, "unsafe": 0, "done": 0}
    assert (await state_of(store, doubtful.id))[0] == Request.IN_DOUBT.value
    (work,) = await store.write(claim, "w1", {"ministry.inquire": 1, LANE: 1}, 30_000)
    assert work.open_attempt is not None
    assert (work.request_id, work.open_attempt.state) == (doubtful.id, Attempt.IN_DOUBT)
    accepting = Order("rana", "as agreed", accept_new_mapping=True)
    assert (await desk.replay(planned, accepting))["safe"] == 1
