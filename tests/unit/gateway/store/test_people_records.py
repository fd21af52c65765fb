"""What people do to a request: answer, cancel, let it expire; on both databases."""

import asyncio
from typing import Any

import pytest

from gateway.errors import Problem
from gateway.store.actions import Key, Taking, cancel, expire, find_key, take
from gateway.store.jobs import NEVER, intend
from gateway.store.requests import Existing, NewRequest, accept
from gateway.store.settlements import settle
from gateway.store.tables import (
    intents,
    jobs,
    requests,
)
from gateway.work import Settlement
from mappings.status import Attempt, Intent, Request
from tests.unit.gateway.store.records import new_attempt, new_request, rows_of, sending, settling


async def awaiting(store, channel, expires_in_ms: int = 5000) -> NewRequest:
    row, attempt = new_request(channel), new_attempt(role="initiate")
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))
    asked = Settlement(
        Request.AWAITING_CITIZEN,
        0,
        "confirm_otp",
        {},
        next_action={"id": "a1", "kind": "confirm_otp", "methods": []},
        expires_in_ms=expires_in_ms,
        intent_state=Intent.PAYER_ACTION,
        attempt_state=Attempt.SUCCEEDED,
    )
    await store.batch(settle, settling(row, attempt, settlement=asked))
    return row


def taking(row: NewRequest, key: str, **more) -> Taking:
    values: dict[str, Any] = {
        "request_id": row.id,
        "action_id": "a1",
        "kind": "confirm_otp",
        "key": Key(row.channel_id, key, "actions", b"h", b"{}", 1000),
        "version": 2,
        "progress": {},
        "phase": "confirm",
        "lane": "wallet.confirm",
        "worker": "w1",
        "lease_ms": 30_000,
        "attempt": new_attempt(role="confirm", moves_money=True),
        "step": 1,
    }
    return Taking(**values | more)


async def test_an_answer_is_taken_once_and_its_token_is_newer_than_any_before(store, channel):
    row = await awaiting(store, channel)
    (resting,) = await rows_of(store, jobs)
    assert (resting.due_at, resting.claimed_by) == (NEVER, None)
    assert await store.write(take, taking(row, "k1")) == 2
    with pytest.raises(Problem, match="action_not_open"):
        await store.write(take, taking(row, "k2"))
    assert isinstance(await store.write(take, taking(row, "k1")), Existing)
    assert await store.read(find_key, channel, "k2") is None
    assert (await rows_of(store, intents, request_id=row.id))[0].state == "in_progress"


async def test_only_one_of_many_answers_at_once_is_taken(store, channel):
    row = await awaiting(store, channel)
    results = await asyncio.gather(
        *(store.write(take, taking(row, f"k{number}")) for number in range(10)), return_exceptions=True
    )
    assert [result for result in results if not isinstance(result, Problem)] == [2]


async def test_an_unpaid_request_expires_and_a_paid_one_does_not(store, channel, clock):
    late, paid = await awaiting(store, channel), await awaiting(store, channel)
    await store.write(take, taking(paid, "k1"))
    assert await store.write(expire, 10) == []
    clock.advance(6)
    assert await store.write(expire, 10) == [late.id]
    (request,) = await rows_of(store, requests, id=late.id)
    assert (request.state, request.next_action) == ("expired", None)
    assert (await rows_of(store, intents, request_id=late.id))[0].state == "expired"
    assert (await rows_of(store, requests, id=paid.id))[0].state == "in_progress"


async def test_cancelling_is_for_the_owner_and_before_anything_that_cannot_be_taken_back(store, channel):
    roles = ("submit", "confirm")
    row = await awaiting(store, channel)
    with pytest.raises(Problem, match="not_found"):
        await store.write(cancel, "another", row.id, roles)
    await store.write(cancel, channel, row.id, roles)
    await store.write(cancel, channel, row.id, roles)
    assert (await rows_of(store, requests, id=row.id))[0].state == "cancelled"
    touched = await awaiting(store, channel)
    await store.write(take, taking(touched, "k1"))
    with pytest.raises(Problem, match="cannot_cancel"):
        await store.write(cancel, channel, touched.id, roles)
