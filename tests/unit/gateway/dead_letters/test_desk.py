"""Poison is set aside while its lane goes on, and what was parked is replayed, throttled; on both databases."""

from sqlalchemy import delete, insert, update

from gateway.dead_letters.desk import DeadLetters, Order
from gateway.dead_letters.planner import Sort, summary
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


async def test_o2_those_that_died_beside_a_poison_are_not_set_aside_with_it(store, channel, clock):
    """Nine are always held by the worker that one of them kills; whoever is tried without it is done."""
    rows = [new_request(channel, claim_for=None) for _ in range(9)]
    await store.write(accept, rows)
    poison, deaths = rows[4].id, 0
    while len(await rows_of(store, jobs)) > 1 or deaths < 5:
        held = [work.request_id for work in await store.write(claim, f"g{deaths}", {LANE: 9}, 1_000)]
        if poison in held:
            deaths += 1
            clock.advance(1.1)
            heir = f"g{deaths}" if store.dialect == "sqlite" else None
            assert await store.write(rescue_counted, heir, 5) == len(held)
        else:
            await store.write(lambda conn, held=held: conn.execute(delete(jobs).where(jobs.c.request_id.in_(held))))
            clock.advance(0.5)
    assert deaths == 5
    assert [row.id for row in await rows_of(store, requests, state="parked")] == [poison]


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


async def test_o3_thousands_go_at_their_pace_and_money_is_asked_about_or_left_alone(store, channel, clock):
    rows = await parked(store, channel, 2_000)
    asked, money = rows[:20], rows[20:40]

    def doubt(conn):
        for some, connector, operation in ((asked, "ministry", "submit"), (money, "wallet", "confirm")):
            made = [
                {"id": row.id, "request_id": row.id, "operation_id": row.id, "number": 1, "token": 1}
                | {"connector": connector, "operation": operation, "role": operation, "payload_hash": ""}
                | {"state": Attempt.IN_DOUBT.value, "sending_at": 1}
                for row in some
            ]
            conn.execute(insert(attempts), made)

    await store.write(doubt)
    desk = DeadLetters(store, KNOWN)
    planned = await desk.choose(Choice(reason="mapping_failed"), ())
    assert summary(planned) | {"mappings": []} == {
        "safe": 1_960,
        "inquire_first": 20,
        "unsafe": 20,
        "done": 0,
        "mappings": [],
    }
    begun = clock.now_ms()
    went = await desk.replay(planned, Order("rana", "as agreed", per_second=100))
    assert went == {"safe": 1_960, "inquire_first": 20, "unsafe": 0, "done": 0}
    took = clock.now_ms() - begun
    resting = [row.request_id for row in await rows_of(store, jobs) if row.due_at == NEVER]
    assert sorted(resting) == sorted(row.id for row in money)
    places = {LANE: 5_000, "ministry.inquire": 5_000, "wallet.confirm": 5_000}
    for second in (1, 2):
        clock.advance(1)
        due = await store.write(claim, f"w{second}", places, 30_000)
        assert len(due) <= 100 * (1 + second) + took // 10, "no more than the pace"
        doubts = [work for work in due if work.open_attempt is not None]
        assert all(work.lane == "ministry.inquire" for work in doubts)
        assert second > 1 or {work.request_id for work in doubts} == {row.id for row in asked}
    clock.advance(20)
    assert len(await store.write(claim, "w3", places, 30_000)) > 1_500
