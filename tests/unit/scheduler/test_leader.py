"""One leader, each tick once, nothing dropped in silence; on both databases."""

import asyncio

import pytest
from sqlalchemy.util import await_only

from gateway.store.errors import StoreUnavailable
from gateway.store.schedule import fires
from gateway.store.schedule.fence import FencedStore, fenced_by
from gateway.store.schedule.lead import leader_of
from scheduler.planning import MOST_WAITING
from scheduler.timetable import CatchUp
from tests.unit.scheduler.conftest import LEASE_SECONDS, MINUTE, mark

only_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


def shown(history):
    return [(fire.fire_time, fire.state, fire.cause, fire.ticks, fire.code) for fire in history]


async def test_a_new_schedule_waits_for_its_next_tick_and_runs_it_once(house, to_the_next, clock):
    node = await house.node()
    await node.look()
    assert await house.history() == []
    tick = to_the_next()
    await node.look()
    await node.look()
    (fire,) = await house.history()
    assert (fire.fire_time, fire.state, fire.cause, fire.by, fire.runs) == (tick, "succeeded", "tick", "w0", 1)
    assert tick <= fire.started_at <= fire.ended_at
    assert node.ended == 1


@only_postgresql
async def test_d10_two_schedulers_at_the_same_tick_run_it_once(house, clock):
    nodes = [await house.node(every=LEASE_SECONDS / 3) for _ in range(2)]
    for _ in range(6):
        await asyncio.gather(*(node.look() for node in nodes))
        clock.advance(LEASE_SECONDS / 3)
    assert sorted(node.ended for node in nodes) == [0, 5], "there is one leader"
    assert [(fire.state, fire.runs) for fire in await house.history()] == [("succeeded", 1)] * 5


@only_postgresql
async def test_d10_two_schedulers_that_both_find_the_leader_gone_run_what_is_due_once(house, clock):
    gone = await house.node()
    await gone.look()
    for _ in range(5):
        nodes = [await house.node() for _ in range(2)]
        clock.advance(60)
        await asyncio.gather(*(node.look() for node in nodes))
        assert sorted(node.ended for node in nodes) == [0, 1]
    assert [(fire.state, fire.runs) for fire in await house.history()] == [("succeeded", 1)] * 5


@only_postgresql
async def test_a_chore_that_writes_for_long_does_not_cost_its_leader_the_lead(house, clock):
    node, other = await house.node(), await house.node()
    await node.look()
    token, holding, go_on = node.leader.token, asyncio.Event(), asyncio.Event()

    async def write_for_long():
        with fenced_by(token):
            await FencedStore(node.store).write(hold_up)

    def hold_up(conn):
        mark(conn, "long")
        holding.set()
        await_only(go_on.wait())

    writing = asyncio.ensure_future(write_for_long())
    await holding.wait()
    clock.advance(2 * LEASE_SECONDS)
    await other.look()
    assert other.leader.token is None, "nobody takes over in the middle of a write"
    looking = asyncio.ensure_future(node.leader.step())
    go_on.set()
    await asyncio.gather(writing, looking)
    assert node.leader.token == token


async def test_d10_a_leader_that_slept_over_two_leases_changes_no_row_when_it_goes_on(house, to_the_next, clock):
    slow = await house.node(every=3600)
    await slow.look()
    tick = to_the_next(3600)
    await slow.hang()  # it has made its first write, and sleeps before its second
    await slow.wrote.wait()
    clock.advance(2 * LEASE_SECONDS)
    heir = await house.node(every=3600)
    await heir.leader.step()
    await heir.leader.settled()
    before = await house.history(), await house.marks()
    assert before[1] == ["w0-1-begun", "w1-1-begun", "w1-1-ended"]
    assert shown(before[0])[0] == (tick, "succeeded", "tick", 1, None)
    assert (before[0][0].by, before[0][0].runs) == ("w1", 2)
    slow.gate.set()
    await slow.leader.settled()
    assert (await house.history(), await house.marks()) == before
    assert slow.ended == 0
    if house.first.dialect == "postgresql":
        await slow.leader.step()
        assert slow.leader.token is None
    assert await house.first.read(leader_of) == "w1"


async def test_whose_lease_ran_out_goes_on_when_nobody_took_over(house, to_the_next, clock):
    node = await house.node()
    await node.look()
    token = node.leader.token
    clock.advance(10 * LEASE_SECONDS)
    await node.look()
    assert node.leader.token == token
    assert [fire.state for fire in await house.history()][-1] == "succeeded"


async def test_who_stops_lets_another_one_lead_at_once(house, to_the_next):
    one, other = await house.node(), await house.node()
    await one.look()
    await one.leader.stop(5)
    to_the_next()
    await other.look()
    assert other.ended == 1


@pytest.mark.parametrize(
    ("policy", "seconds", "expected"),
    [
        pytest.param("skip", 59, [(3, "skipped", "late", 3, "missed")], id="skip_late"),
        pytest.param(
            "skip", 2, [(2, "skipped", "late", 2, "missed"), (3, "succeeded", "tick", 1, None)], id="skip_in_time"
        ),
        pytest.param(
            "once",
            59,
            [(2, "skipped", "late", 2, "covered_by_a_later_one"), (3, "succeeded", "late", 1, None)],
            id="once",
        ),
        pytest.param("each", 59, [(tick, "succeeded", "late", 1, None) for tick in (1, 2, 3)], id="each"),
    ],
)
async def test_d11_a_node_that_was_down_over_three_ticks_does_what_the_policy_says(
    house, to_the_next, clock, policy, seconds, expected
):
    every = 600  # longer than a failover takes
    gone = await house.node(CatchUp(policy), every)
    first = to_the_next(every) + every * 1000
    await gone.look()
    await gone.leader.stop(5)
    clock.advance(3 * every + (2 if seconds == 2 else 2 * LEASE_SECONDS + seconds))
    back = await house.node(CatchUp(policy), every)
    await back.look()
    steps = [(first + (number - 1) * every * 1000, *rest) for number, *rest in expected]
    assert shown(await house.history()) == steps
    assert back.ended == sum(state == "succeeded" for _, state, *_ in steps)
    clock.advance(every - (clock.now_ms() - steps[-1][0]) / 1000 + 1)
    await back.look()
    assert shown(await house.history())[len(steps) :] == [(first + 3 * every * 1000, "succeeded", "tick", 1, None)]


async def test_d11_a_long_time_down_is_caught_up_with_in_portions_and_without_a_gap(house, clock):
    gone = await house.node(CatchUp.EACH, 1)
    await gone.look()
    clock.advance(70)
    back = await house.node(CatchUp.EACH, 1)
    await back.look()
    times = [fire.fire_time for fire in await house.history()]
    assert times == list(range(times[0], times[0] + 1000 * len(times), 1000))
    assert len(times) >= 70 > MOST_WAITING
    assert back.ended == len(times)


@only_postgresql
@pytest.mark.parametrize("hours", [2, -2])
async def test_d9_a_jump_of_a_node_s_wall_clock_schedules_nothing_twice_and_nothing_late(
    house, to_the_next, clock, hours
):
    node = await house.node()
    await node.look()
    for _ in range(3):
        to_the_next()
        await node.look()
    clock.jump(hours * 3600)
    for _ in range(3):
        clock.advance(60)
        await node.look()
    times = [fire.fire_time for fire in await house.history()]
    assert times == list(range(times[0], times[0] + 6 * MINUTE, MINUTE))
    assert node.ended == 6


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_d9_on_one_machine_a_clock_that_is_set_back_schedules_nothing_twice(house, to_the_next, clock):
    node = await house.node()
    await node.look()
    for _ in range(3):
        to_the_next()
        await node.look()
    clock.jump(-150)
    for _ in range(4):
        clock.advance(60)
        await node.look()
    times = [fire.fire_time for fire in await house.history()]
    assert times == list(range(times[0], times[0] + MINUTE * len(times), MINUTE))
    assert node.ended == len(times) == 4, "it went on when the clock had come up to the ticks that fired"


async def test_a_chore_that_fails_is_told_with_its_code_and_runs_again_at_its_next_tick(house, to_the_next):
    node = await house.node()
    await node.look()
    for error in (StoreUnavailable("away"), ZeroDivisionError("99000000017"), None):
        node.fails = error
        to_the_next()
        await node.look()
    history = await house.history()
    assert [(fire.state, fire.code) for fire in history] == [
        ("failed", "StoreUnavailable"),
        ("failed", "ZeroDivisionError"),
        ("succeeded", None),
    ]


async def test_ticks_that_fall_due_while_it_runs_are_covered_by_one_run_after_it(house, to_the_next):
    node = await house.node()
    await node.look()
    first = to_the_next()
    await node.hang()
    for _ in range(3):
        to_the_next()
        await node.leader.step()
    node.gate.set()
    await node.leader.settled()
    await node.look()
    assert node.ended == 2
    assert [(fire.fire_time - first, fire.state) for fire in await house.history()] == [
        (0, "succeeded"),
        (MINUTE, "skipped"),
        (2 * MINUTE, "skipped"),
        (3 * MINUTE, "succeeded"),
    ]


@pytest.mark.parametrize(("policy", "begun"), [("once", 3), ("skip", 1)])
async def test_a_run_whose_leaders_die_is_begun_again_a_few_times_unless_it_is_to_be_skipped(
    house, to_the_next, clock, policy, begun
):
    tick = 0
    for _ in range(5):
        node = await house.node(CatchUp(policy), 3600)
        if not tick:
            await node.look()
            tick = to_the_next(3600)
        await node.hang()
        clock.advance(2 * LEASE_SECONDS if house.first.dialect == "postgresql" else 0)
    fire = await house.first.read(fires.find, "chore", tick)
    assert (fire.state, fire.code, fire.runs) == ("interrupted", "leader_lost", begun)
