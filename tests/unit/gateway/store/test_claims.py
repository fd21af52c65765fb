"""Whose turn it is: priorities, channels in turn, the oldest first, rates and probes; on both databases."""

import pytest

from connectors.kit.contract import Outcome, Status
from connectors.kit.errors import Closed, TimedOut
from gateway.lanes.breaker import Health, Probed, Tripped, probed, tripped
from gateway.lanes.bulkhead import Limit
from gateway.security.principals import Kind
from gateway.store.claims import Turns, claim, look
from gateway.store.engine import open_store
from gateway.store.jobs import NEVER
from gateway.store.lines import BreakerPolicy, find_closures, read_lines, take_slot, tell_lines
from gateway.store.principals import add_principal
from gateway.store.requests import accept
from gateway.store.tables import jobs
from tests.unit.gateway.store.records import LANE, new_request, rows_of

PROBE = Limit(probe_ms=60_000)
POLICY = BreakerPolicy(first_ms=5_000, most_ms=60_000, successes=3, calm_ms=60_000)
GOOD = Probed(LANE, Health.GOOD)
BAD = Probed(LANE, Health.BAD, "upstream_timeout")


@pytest.fixture
async def channels(store):
    """Three centres."""
    for name in ("c1", "c2", "c3"):
        await store.write(
            lambda conn, name=name: add_principal(conn, name, f"key-{name}", kind=Kind.CHANNEL, name=name)
        )
    return "c1", "c2", "c3"


async def waiting(store, channel, count, **more):
    """So many requests of the channel, oldest first."""
    rows = [new_request(channel, claim_for=None, **more) for _ in range(count)]
    await store.write(accept, rows)
    return [row.id for row in rows]


async def take(store, most, turns, limits=None):
    works = await store.write(claim, "w1", {LANE: most}, 30_000, limits, turns)
    return [work.request_id for work in works]


async def test_n15_channels_take_turns_and_each_ones_oldest_goes_first(store, channels):
    crowd = await waiting(store, "c1", 30)
    few = await waiting(store, "c2", 2)
    one = await waiting(store, "c3", 1)
    turns = Turns()
    first = await take(store, 6, turns)
    assert sorted(first) == sorted([*crowd[:3], *few, *one])
    assert first[:3] == [crowd[0], few[0], one[0]]
    assert await take(store, 5, turns) == crowd[3:8]


async def test_with_one_place_the_channels_still_take_turns(store, channels):
    piles = {name: await waiting(store, name, 3) for name in channels}
    turns, served = Turns(), []
    for _ in range(9):
        served += await take(store, 1, turns)
    assert served == [piles[name][number] for number in range(3) for name in channels]


async def test_n15_desk_goes_before_mobile_before_web_before_batch(store, channels):
    made = {priority: await waiting(store, "c1", 2, priority=priority) for priority in (3, 2, 0, 1)}
    taken = [await take(store, 1, Turns()) for _ in range(8)]
    assert [each for (each,) in taken] == [*made[0], *made[1], *made[2], *made[3]]


async def test_n15_a_rate_holds_for_all_workers_together(store, channels, database, keyring, clock):
    """A second store is a second worker; on SQLite there is only one, so it takes both turns."""
    await waiting(store, "c1", 40)
    limit = {LANE: Limit(interval_us=100_000, burst_us=500_000)}  # ten a second, half a second may be made up for
    other = store if store.dialect == "sqlite" else await open_store(database.url, keyring, clock)
    clock.advance(3600)
    assert len(await take(store, 20, Turns(), limit)) == 6  # the burst, and the slot of this moment
    assert await take(other, 20, Turns(), limit) == []
    clock.advance(1)
    mine, theirs = await take(store, 4, Turns(), limit), await take(other, 20, Turns(), limit)
    assert (len(mine), len(theirs)) == (4, 2)  # what was not taken within the burst is gone
    if other is not store:
        await other.close()


async def test_an_exchange_that_cannot_wait_takes_a_slot_of_the_rate(store):
    limit = Limit(interval_us=1_000_000, burst_us=1_000_000)
    assert [await store.write(take_slot, LANE, limit) for _ in range(3)] == [True, True, False]


async def test_an_open_lane_lets_one_probe_through_whoever_asks(store, channels, clock):
    oldest, *_ = await waiting(store, "c1", 5)
    await store.write(tell_lines, [tripped(LANE, TimedOut("silent"))], POLICY)
    assert await take(store, 5, Turns(), {LANE: PROBE}) == []  # the pause is not over
    clock.advance(5.1)
    assert await take(store, 5, Turns(), {LANE: PROBE}) == [oldest]
    assert await take(store, 5, Turns(), {LANE: PROBE}) == []
    clock.advance(61)  # whoever probed is dead
    assert len(await take(store, 5, Turns(), {LANE: PROBE})) == 1


async def test_a_probe_that_finds_nothing_to_send_is_given_back(store, channels, clock):
    await store.write(tell_lines, [tripped(LANE, TimedOut("silent"))], POLICY)
    clock.advance(5.1)
    assert await take(store, 5, Turns(), {LANE: PROBE}) == []
    (oldest,) = await waiting(store, "c1", 1)
    assert await take(store, 5, Turns(), {LANE: PROBE}) == [oldest]


async def test_the_breaker_closes_after_three_good_probes_and_doubles_its_pause_after_a_bad_one(store, clock):
    async def pause():
        (line,) = await store.read(read_lines, 60_000)
        return line.probe_in_ms

    assert await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY) == {LANE: "open"}
    assert await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY) == {}  # another worker, as late
    assert 4_000 < await pause() <= 5_000
    for bad, longest in ((1, 10_000), (2, 20_000), (3, 40_000), (4, 60_000)):
        await store.write(tell_lines, [BAD], POLICY)
        assert longest - 1_000 < await pause() <= longest, bad
    assert [await store.write(tell_lines, [each], POLICY) for each in (GOOD, GOOD, BAD)] == [{}, {}, {}]
    assert [await store.write(tell_lines, [GOOD], POLICY) for _ in range(3)] == [{}, {}, {LANE: "closed"}]
    (line,) = await store.read(read_lines, 60_000)
    assert not line.open
    assert 0 <= line.recovered_ms < 1_000
    await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY)  # it was not calm for long enough
    assert await pause() > 59_000
    for _ in range(3):
        await store.write(tell_lines, [GOOD], POLICY)
    clock.advance(61)
    assert await store.read(read_lines, 60_000) == []
    await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY)
    assert await pause() <= 5_000


async def test_n15_what_waited_for_the_line_is_due_when_it_is_back_the_oldest_first(store, channels, clock):
    late, early = await waiting(store, "c1", 2)
    resting = (await waiting(store, "c1", 1))[0]

    def back_off(conn):
        now = clock.now_ms()
        for request_id, due_at, waits in ((late, now + 300_000, 4), (early, now + 10_000, 1), (resting, NEVER, 1)):
            conn.execute(jobs.update().where(jobs.c.request_id == request_id).values(due_at=due_at, waits=waits))

    await store.write(back_off)
    await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY)
    for _ in range(3):
        await store.write(tell_lines, [GOOD], POLICY)
    assert await take(store, 5, Turns()) == [late, early]
    assert (await rows_of(store, jobs, request_id=resting))[0].due_at == NEVER


async def test_times_for_which_an_institution_says_that_it_is_closed_are_kept_as_one(store, clock):
    closed = Closed("closed")
    closed.retry_after_seconds = 3_600
    await store.write(tell_lines, [tripped(LANE, closed)], POLICY)
    ((begun, ends),) = await store.read(find_closures, LANE)
    assert ends - begun == 3_600_000
    clock.advance(900)
    await store.write(tell_lines, [probed(LANE, closed)], POLICY)
    ((again, later),) = await store.read(find_closures, LANE)
    assert (again, round((later - begun) / 1000)) == (begun, 4_500)
    (line,) = await store.read(read_lines, 60_000)
    assert 3_590_000 < line.opens_in_ms <= 3_600_000
    assert 899_000 < line.probe_in_ms <= 900_000
    await store.write(tell_lines, [probed(LANE, Outcome(Status.SUCCEEDED))], POLICY)
    assert (await store.read(read_lines, 60_000))[0].opens_in_ms is None


async def test_a_look_goes_from_lane_to_lane_and_tells_the_lines_when_asked(store, channels):
    await waiting(store, "c1", 3)
    await waiting(store, "c2", 2, lane="a.lane")
    await waiting(store, "c2", 2, lane="z.lane")
    await store.write(lambda conn: conn.execute(jobs.update().where(jobs.c.lane == "z.lane").values(due_at=NEVER)))
    outlook = await store.read(look)
    assert (outlook.lanes, outlook.lines) == (frozenset({LANE, "a.lane"}), None)
    await store.write(tell_lines, [Tripped(LANE, "upstream_timeout")], POLICY)
    (line,) = (await store.read(look, 60_000)).lines
    assert (line.lane, line.open, line.code) == (LANE, True, "upstream_timeout")
