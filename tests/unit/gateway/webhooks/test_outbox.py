"""C6: what is to be told is written in the transaction that makes it so, by every way a request can move."""

import pytest
from sqlalchemy import select, update

from gateway.errors import Problem
from gateway.next_action import CONFIRM_OTP
from gateway.store.actions import cancel, expire
from gateway.store.dead_letters import Replaying, replay
from gateway.store.jobs import intend
from gateway.store.requests import accept
from gateway.store.settlements import settle
from gateway.store.stumbles import quarantine
from gateway.store.tables import jobs
from gateway.store.webhooks.subscribers import listening_channels
from gateway.store.webhooks.tables import deliveries, endpoints
from gateway.work import Next, Settlement
from mappings.status import Request
from tests.house.tree import ROOT
from tests.unit.gateway.store.records import LANE, new_attempt, new_request, sending, settling


async def told(store, request_id):
    query = select(deliveries).where(deliveries.c.request_id == request_id).order_by(deliveries.c.sequence)
    rows = await store.read(lambda conn: conn.execute(query).all())
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    return [(row.type.removeprefix("jisr.request."), row.facts) for row in rows]


def asking(row, attempt, number, previous):
    settlement = Settlement(Request.AWAITING_CITIZEN, 0, "confirm", {}, reason="otp_wrong" if number > 1 else None)
    settlement.next_action = {"id": f"a{number}", "kind": CONFIRM_OTP, "methods": ["w"]}
    settlement.expires_in_ms = 1000
    return going_on(row, attempt, settlement, previous)


def going_on(row, attempt, settlement, previous):
    settlement.next = Next(LANE)
    more = {"channel_id": "web", "intended": False, "keep_for": "w1"}
    return settling(row, attempt, settlement=settlement, previous=previous, **more)


async def test_c6_every_move_is_told_once_and_what_is_no_move_is_not(scene, receiver):
    store = scene.store
    await scene.listen(receiver)
    row = await scene.accept()
    await store.batch(intend, sending(row, new_attempt()))
    await store.batch(intend, sending(row, new_attempt()))
    advanced = going_on(row, new_attempt(), Settlement(Request.IN_PROGRESS, 1, "", {}), Request.ACCEPTED)
    assert (await store.batch(settle, advanced)).kept
    await store.batch(settle, asking(row, new_attempt(), 1, Request.IN_PROGRESS))
    await store.batch(settle, asking(row, new_attempt(), 2, Request.AWAITING_CITIZEN))
    lines = await told(store, row.id)
    assert [state for state, _ in lines] == ["accepted", "in_progress", "awaiting_citizen", "awaiting_citizen"]
    assert '"kind":"confirm_otp"' in lines[2][1]
    assert '"id":"a2"' in lines[3][1]
    assert '"reason":"otp_wrong"' in lines[3][1]
    scene.clock.advance(5)
    assert await store.write(expire, 10) == [row.id]
    assert (await told(store, row.id))[-1][0] == "expired"


async def test_c6_a_settlement_that_lost_its_job_tells_nothing(scene, receiver):
    await scene.listen(receiver)
    row = await scene.accept()
    attempt = new_attempt()
    await scene.store.batch(intend, sending(row, attempt))
    stale = settling(row, attempt, token=99, channel_id="web")
    assert not (await scene.store.batch(settle, stale)).valid
    assert [state for state, _ in await told(scene.store, row.id)] == ["accepted", "in_progress"]


async def test_c6_what_people_do_is_told_and_what_is_refused_is_not(scene, receiver):
    await scene.listen(receiver)
    row = await scene.accept()
    await scene.store.write(cancel, "web", row.id, ())
    await scene.store.write(cancel, "web", row.id, ())
    with pytest.raises(Problem):
        await scene.store.write(cancel, "app", row.id, ())
    lines = await told(scene.store, row.id)
    assert [state for state, _ in lines] == ["accepted", "cancelled"]
    assert '"reason":"cancelled_by_channel"' in lines[1][1]


async def test_o2_what_is_set_aside_and_let_go_on_is_told(scene, receiver):
    await scene.listen(receiver)
    row = await scene.accept()
    await scene.store.write(quarantine, [row.id])
    await scene.store.write(lambda conn: conn.execute(update(jobs).values(claimed_by=None)))
    replaying = Replaying(row.id, LANE)
    assert await scene.store.write(replay, [replaying]) == {row.id}
    lines = await told(scene.store, row.id)
    assert [state for state, _ in lines] == ["accepted", "parked", "in_progress"]
    assert '"reason":"poison"' in lines[1][1]


def test_every_file_that_moves_a_request_writes_into_the_outbox():
    """Whoever adds another way must tell the channel of it."""
    moving = [path for path in (ROOT / "gateway").rglob("*.py") if "update(requests)" in path.read_text("utf-8")]
    assert len(moving) >= 5
    assert [path.name for path in moving if "store.webhooks.outbox" not in path.read_text("utf-8")] == []


async def test_each_address_gets_the_types_that_it_asked_for_and_only_of_its_channel(scene, make_receiver):
    every, ends, others = [await make_receiver() for _ in range(3)]
    await scene.listen(every)
    await scene.listen(ends, types=("jisr.request.completed", "jisr.request.refused"))
    await scene.listen(others, "app")
    rows = [new_request("web"), new_request("app"), new_request("web")]
    await scene.store.write(accept, rows)
    await scene.complete(rows[0])
    await scene.run()
    assert every.states.count("accepted") == 2
    assert ends.states == ["completed"]
    assert others.states == ["accepted"]
    assert every.events[-1]["id"] == ends.events[-1]["id"]


async def test_a_channel_without_an_address_costs_no_statement(scene, receiver):
    """The list is believed for ten seconds; an old one is not, so that nothing of another node's is lost."""
    await scene.listen(receiver, "app")
    await scene.sender.learn()
    known = scene.store.subscribers
    assert (known.may_listen("web"), known.may_listen("app"), known.may_listen("")) == (False, True, True)
    row = await scene.accept("web")
    await scene.complete(row)
    assert await told(scene.store, row.id) == []
    await scene.listen(receiver, "web")
    assert known.may_listen("web"), "an address that was added here is known at once"
    await scene.sender.learn()
    await scene.store.write(lambda conn: conn.execute(update(endpoints).values(state="disabled")))
    assert await scene.store.read(listening_channels) == []
    scene.clock.advance(11)
    assert known.may_listen("nobody")


async def test_secrets_and_addresses_are_sealed(scene, receiver):
    _, secret = await scene.listen(receiver)
    query = select(endpoints.c.url, endpoints.c.secret)
    raw = await scene.store.read(lambda conn: conn.exec_driver_sql(str(query.compile(dialect=conn.dialect))).all())
    stored = b"".join(bytes(each) for each in raw[0])
    assert b"127.0.0.1" not in stored
    assert secret.encode() not in stored
    assert b"whsec" not in stored


async def test_the_log_is_forgotten_after_its_time_with_its_tries(scene, receiver):
    from gateway.store.webhooks.log import forget
    from gateway.store.webhooks.tables import attempts

    await scene.listen(receiver)
    await scene.accept()
    await scene.run()
    receiver.answers = [500]
    await scene.accept()
    await scene.run()
    scene.clock.advance(40)
    assert await scene.store.write(forget, 60_000, 10) == 0
    assert await scene.store.write(forget, 30_000, 10) == 1
    left = await scene.store.read(
        lambda conn: (conn.execute(select(deliveries.c.state)).all(), conn.execute(select(attempts.c.outcome)).all())
    )
    assert left == ([("waiting",)], [("status",)])
