"""Accept, claim, intend, settle, rescue: the store functions of dispatch, on both databases."""

import asyncio
import json

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from connectors.kit.contract import Document
from gateway.ids import new_id
from gateway.store.actions import find_key
from gateway.store.claims import Outlook, claim, look
from gateway.store.jobs import intend, release, renew
from gateway.store.requests import Accepted, Existing, accept
from gateway.store.settlements import settle
from gateway.store.stumbles import rescue_counted
from gateway.store.tables import (
    attempts,
    documents,
    events,
    evidence,
    idempotency,
    intents,
    jobs,
    request_documents,
    requests,
)
from gateway.upkeep import forget_keys, revive_inquiries
from gateway.work import Answered, Next, Settlement
from mappings.status import Attempt, Request
from tests.unit.gateway.store.records import LANE, new_attempt, new_request, rows_of, sending, settling


async def test_an_accepted_request_is_there_with_key_event_order_and_claimed_job(store, channel):
    row = new_request(channel)
    assert await store.batch(accept, row) == Accepted(1)
    (request,) = await rows_of(store, requests, id=row.id)
    (job,) = await rows_of(store, jobs, request_id=row.id)
    assert (request.state, request.content) == ("accepted", row.content)
    assert (job.claimed_by, job.token, job.lane) == ("w1", 1, LANE)
    for table in (intents, events, idempotency):
        assert len(await rows_of(store, table, request_id=row.id)) == 1


async def test_d1_many_at_once_with_one_key_are_one_request(store, channel):
    rows = [new_request(channel, key="same") for _ in range(50)]
    results = await asyncio.gather(*(store.batch(accept, row) for row in rows))
    assert sum(isinstance(result, Accepted) for result in results) == 1
    assert len({result.request_id for result in results if isinstance(result, Existing)}) == 1
    assert len(await rows_of(store, requests)) == 1


async def test_a_job_is_left_to_the_queue_when_something_due_waits_in_its_lane(store, channel):
    assert await store.batch(accept, new_request(channel, claim_for=None)) == Accepted(None)
    assert await store.batch(accept, new_request(channel)) == Accepted(None)
    assert await store.batch(accept, new_request(channel, lane="other.lane")) == Accepted(1)


async def test_a_claim_takes_at_most_the_places_most_urgent_first(store, channel):
    order = [2, 0, 1]
    made = {priority: new_request(channel, claim_for=None, priority=priority) for priority in order}
    for row in made.values():
        await store.batch(accept, row)
    first = await store.write(claim, "w1", {LANE: 2}, 30_000)
    second = await store.write(claim, "w2", {LANE: 2}, 30_000)
    assert [work.request_id for work in first] == [made[0].id, made[1].id]
    assert [work.request_id for work in second] == [made[2].id]
    assert first[0].amount_minor == 2500
    assert await store.write(claim, "w3", {LANE: 2}, 30_000) == []


async def test_a_look_names_the_lanes_with_due_work_and_the_next_due_time(store, channel, clock):
    await store.batch(accept, new_request(channel, claim_for=None))
    await store.batch(accept, new_request(channel, lane="other.lane"))  # claimed: nobody waits there
    assert await store.read(look) == Outlook(frozenset({LANE}), None)
    await store.write(claim, "w1", {LANE: 2}, 30_000)
    assert await store.read(look) == Outlook(frozenset(), None)


async def test_a_look_tells_when_delayed_work_falls_due(store, channel):
    row = new_request(channel)
    await store.batch(accept, row)
    delayed = settling(row, new_attempt())
    delayed.settlement.state, delayed.settlement.next = Request.IN_PROGRESS, Next(LANE, 60_000)
    await store.batch(settle, replace(delayed, intended=False, attempt=new_attempt(id=delayed.attempt_id)))
    outlook = await store.read(look)
    assert outlook.lanes == frozenset()
    assert 0 < outlook.next_due_in_ms <= 60_000


async def test_a_stale_token_neither_sends_nor_settles_but_its_evidence_is_kept(store, channel):
    row, attempt = new_request(channel), new_attempt()
    await store.batch(accept, row)
    assert await store.batch(intend, sending(row, attempt))
    assert await store.write(rescue_counted, "another generation", 5) == 1
    assert not await store.batch(intend, sending(row, new_attempt()))
    settled = await store.batch(settle, settling(row, attempt))
    assert not settled.valid
    (request,) = await rows_of(store, requests, id=row.id)
    (seen,) = await rows_of(store, evidence, attempt_id=attempt.id)
    assert request.state == "in_progress"
    assert (seen.fenced, seen.response_bytes) == (True, b"tell")


async def test_a_batch_settles_who_holds_its_job_and_fences_who_does_not(store, channel):
    made = [(new_request(channel), new_attempt()) for _ in range(3)]
    for row, attempt in made:
        await store.batch(accept, row)
        await store.batch(intend, sending(row, attempt))
    stale = replace(settling(*made[0]), token=99)
    settled = await store.write(settle, [stale, *(settling(row, attempt) for row, attempt in made[1:])])
    assert [each.valid for each in settled] == [False, True, True]
    states = [(await rows_of(store, requests, id=row.id))[0].state for row, _ in made]
    assert states == ["in_progress", "completed", "completed"]
    fenced = [(await rows_of(store, evidence, attempt_id=attempt.id))[0].fenced for _, attempt in made]
    assert fenced == [True, False, False]


async def test_c1_a_settlement_is_undone_with_what_is_written_beside_it(store, channel):
    """An institution's message and its settlement are both there or neither, wherever the process dies."""
    row, attempt = new_request(channel), new_attempt()
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))

    def settle_and_die(conn):
        (settled,) = settle(conn, [settling(row, attempt)])
        assert settled.valid
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(settle_and_die)
    (request,) = await rows_of(store, requests, id=row.id)
    assert request.state == "in_progress"
    assert len(await rows_of(store, jobs, request_id=row.id)) == 1


async def test_settling_against_a_rescue_ends_one_way_or_the_other(store, channel):
    """Both at once, many times: a settlement that says it is valid is there, and one that is not changed no state."""
    made = [(new_request(channel), new_attempt()) for _ in range(40)]
    for row, attempt in made:
        await store.batch(accept, row)
        await store.batch(intend, sending(row, attempt))
    settlements = [store.batch(settle, settling(row, attempt)) for row, attempt in made]
    *settled, _ = await asyncio.gather(*settlements, store.write(rescue_counted, "another generation", 5))
    for (row, _), outcome in zip(made, settled, strict=True):
        (request,) = await rows_of(store, requests, id=row.id)
        assert request.state == ("completed" if outcome.valid else "in_progress")
        assert len(await rows_of(store, jobs, request_id=row.id)) == (0 if outcome.valid else 1)


async def test_settling_writes_all_of_it_or_nothing(store, channel):
    row, attempt = new_request(channel), new_attempt()
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))
    told = Answered(channel, row.key, "created", b'{"state":"completed"}')
    wanted = settling(row, attempt, answered=told)
    wanted.settlement.documents = (Document("a.pdf", "application/pdf", b"%PDF-x"),)
    wanted.settlement.issuer = "ministry"
    assert (await store.batch(settle, wanted)).valid
    (request,) = await rows_of(store, requests, id=row.id)
    assert (request.state, request.version) == ("completed", 2)
    assert await rows_of(store, jobs) == []
    (stored,) = await rows_of(store, documents)
    assert (stored.content, stored.size) == (b"%PDF-x", 6)
    assert len(await rows_of(store, request_documents, request_id=row.id)) == 1
    assert (await rows_of(store, attempts, id=attempt.id))[0].state == "succeeded"
    assert (await rows_of(store, intents, request_id=row.id))[0].state == "succeeded"
    existing = await store.read(find_key, channel, row.key)
    assert (existing.status, existing.answer) == ("created", told.body)


async def test_one_document_of_two_requests_is_stored_once(store, channel):
    for _ in range(2):
        row, attempt = new_request(channel), new_attempt(operation_id=new_id())
        await store.batch(accept, row)
        await store.batch(intend, sending(row, attempt))
        wanted = settling(row, attempt)
        wanted.settlement.documents = (Document("a.pdf", "application/pdf", b"%PDF-same"),)
        assert (await store.batch(settle, wanted)).valid
    assert len(await rows_of(store, documents)) == 1
    assert len(await rows_of(store, request_documents)) == 2


async def test_the_next_job_is_kept_unless_somebody_waits_there(store, channel):
    row, attempt = new_request(channel), new_attempt()
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))
    going_on = Settlement(Request.IN_PROGRESS, 1, "", {}, next=Next("other.lane"), attempt_state=Attempt.SUCCEEDED)
    assert (await store.batch(settle, settling(row, attempt, settlement=going_on, keep_for="w1"))).kept
    await store.batch(accept, new_request(channel, lane="third.lane", claim_for=None))
    again = replace(going_on, next=Next("third.lane"))
    kept = (await store.batch(settle, settling(row, attempt, settlement=again, keep_for="w1"))).kept
    assert not kept
    (job,) = await rows_of(store, jobs, request_id=row.id)
    assert (job.claimed_by, job.lane) == (None, "third.lane")


async def test_earlier_tries_of_an_act_share_the_truth_of_the_last_one(store, channel):
    row, first, second = new_request(channel), new_attempt(), new_attempt(number=2)
    await store.batch(accept, row)
    await store.batch(intend, sending(row, first))
    lost = Settlement(Request.IN_PROGRESS, 0, "", {}, next=Next(LANE, tries=1), attempt_state=Attempt.IN_DOUBT)
    await store.batch(settle, settling(row, first, settlement=lost, keep_for="w1"))
    await store.batch(intend, sending(row, second))
    await store.batch(settle, settling(row, second))
    assert {attempt.state for attempt in await rows_of(store, attempts)} == {"succeeded"}


async def test_the_database_refuses_a_second_unsettled_attempt_for_the_same_money(store, channel):
    row = new_request(channel)
    await store.batch(accept, row)
    money = {"role": "confirm", "moves_money": True}
    assert await store.batch(intend, sending(row, new_attempt(**money)))
    with pytest.raises(IntegrityError):
        await store.batch(intend, sending(row, new_attempt(**money)))
    assert len(await rows_of(store, attempts)) == 1


async def test_rescue_frees_what_the_dead_held_and_nothing_else(store, channel, clock):
    row = new_request(channel)
    await store.batch(accept, row)
    if store.dialect == "sqlite":
        assert await store.write(rescue_counted, "w1", 5) == 0
        assert await store.write(rescue_counted, "w2", 5) == 1
    else:
        clock.advance(29)
        assert await store.write(rescue_counted, None, 5) == 0
        assert await store.write(renew, "w1", 30_000, {"another"}) == 0, "only what its worker knows of"
        assert await store.write(renew, "w1", 30_000, {row.id}) == 1
        clock.advance(29)
        assert await store.write(rescue_counted, None, 5) == 0
        clock.advance(2)
        assert await store.write(rescue_counted, None, 5) == 1
    (job,) = await rows_of(store, jobs)
    assert (job.claimed_by, job.token) == (None, 2)


async def test_release_gives_back_what_was_not_sent(store, channel):
    sent, unsent = new_request(channel), new_request(channel)
    await store.batch(accept, sent)
    await store.batch(accept, unsent)
    await store.batch(intend, sending(sent, new_attempt()))
    assert await store.write(release, "w1") == 1
    assert {job.request_id: job.claimed_by for job in await rows_of(store, jobs)} == {sent.id: "w1", unsent.id: None}


async def test_an_open_attempt_that_nobody_asks_about_gets_an_inquiry(store, channel):
    row, attempt = new_request(channel), new_attempt()
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))
    lost = Settlement(Request.IN_DOUBT, 0, "", {}, attempt_state=Attempt.IN_DOUBT)
    await store.batch(settle, settling(row, attempt, settlement=lost))
    assert await store.write(revive_inquiries, {}) == 0
    assert await store.write(revive_inquiries, {("ministry", "submit"): "ministry.inquire"}) == 1
    (work,) = await store.write(claim, "w1", {"ministry.inquire": 1}, 30_000)
    assert work.open_attempt is not None
    assert (work.open_attempt.state, work.lane) == (Attempt.IN_DOUBT, "ministry.inquire")


async def test_keys_are_forgotten_after_their_time(store, channel, clock):
    row = new_request(channel, keep_key_ms=10_000)
    await store.batch(accept, row)
    assert await store.write(forget_keys) == 0
    clock.advance(11)
    assert await store.write(forget_keys) == 1
    assert len(await rows_of(store, requests)) == 1


async def test_nothing_personal_is_readable_in_the_database(store, channel, database, keyring):
    secret = "سلمى الخطيب 01230004567"
    row = new_request(channel, content=json.dumps({"applicant": secret}, ensure_ascii=False).encode())
    await store.batch(accept, row)
    raw = await store.read(
        lambda conn: conn.exec_driver_sql(f"SELECT content FROM requests WHERE id = '{row.id}'").scalar_one()
    )
    assert secret.encode() not in bytes(raw)
    assert keyring.open(bytes(raw)) == row.content
