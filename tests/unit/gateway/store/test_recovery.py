"""What the dead leave behind: their jobs, what they were sending, and the probe of an open lane; on both databases."""

from gateway.lanes.breaker import Health, Probed, Tripped
from gateway.lanes.bulkhead import Limit
from gateway.store.claims import claim
from gateway.store.jobs import intend
from gateway.store.lines import BreakerPolicy, read_lines, tell_lines
from gateway.store.recovery import recover
from gateway.store.requests import accept
from gateway.store.tables import jobs
from mappings.status import Attempt
from tests.unit.gateway.store.records import LANE, new_attempt, new_request, rows_of, sending

LEASE_MS = 30_000
POLICY = BreakerPolicy(first_ms=1000, most_ms=8000, successes=3, calm_ms=60_000)
PROBE = {LANE: Limit(probe_ms=600_000)}


async def rescued(store, *, by="w2", lanes=(LANE,), clock):
    """What `by` finds when "w1" has said nothing for longer than its lease."""
    clock.advance(31)
    alive = by if store.dialect == "sqlite" else None
    return await store.write(recover, alive, 5, by, LEASE_MS, lanes)


async def test_c4_what_a_dead_worker_was_sending_is_claimed_by_whoever_finds_it_and_the_rest_is_free(
    store, channel, clock
):
    sent, unsent = new_request(channel), new_request(channel)
    for row in (sent, unsent):
        await store.batch(accept, row)
    assert await store.batch(intend, sending(sent, new_attempt()))
    found = await rescued(store, clock=clock)
    assert found.count == 2
    (work,) = found.interrupted
    assert work.request_id == sent.id
    assert work.open_attempt is not None
    assert work.open_attempt.state is Attempt.SENDING
    held = {job.request_id: (job.claimed_by, job.token) for job in await rows_of(store, jobs)}
    assert held == {sent.id: ("w2", work.token), unsent.id: (None, 2)}
    assert work.token == 3, "neither the dead worker nor whoever looked in between may settle any more"
    assert 30 <= found.seconds < 60, "since the last sign of life, which was the claim"


async def test_judging_waits_for_no_breaker_while_sending_does(store, channel, clock):
    sent, unsent = new_request(channel), new_request(channel)
    for row in (sent, unsent):
        await store.batch(accept, row)
    assert await store.batch(intend, sending(sent, new_attempt()))
    await store.write(tell_lines, [Tripped(LANE, "upstream_timeout", pause_ms=10**9)], POLICY)
    found = await rescued(store, clock=clock)
    assert [work.request_id for work in found.interrupted] == [sent.id]
    assert await store.write(claim, "w2", {LANE: 5}, LEASE_MS, PROBE) == []


async def test_what_is_not_known_here_or_kills_again_is_left_to_the_ordinary_way(store, channel, clock):
    row = new_request(channel)
    await store.batch(accept, row)
    assert await store.batch(intend, sending(row, new_attempt()))
    assert (await rescued(store, lanes=("another.lane",), clock=clock)).interrupted == ()
    (work,) = await store.write(claim, "w1", {LANE: 1}, LEASE_MS)
    assert work.open_attempt is not None
    again = await rescued(store, clock=clock)
    assert (again.count, again.interrupted) == (1, ())


async def test_a_rescue_of_nothing_tells_nothing(store, channel):
    await store.batch(accept, new_request(channel))
    alive = "w1" if store.dialect == "sqlite" else None
    found = await store.write(recover, alive, 5, "w1", LEASE_MS, [LANE])
    assert (found.count, found.seconds, found.interrupted) == (0, 0.0, ())


async def test_c5_the_probe_of_an_open_lane_is_free_at_once_when_its_worker_died(store, channel, clock):
    await store.batch(accept, new_request(channel, claim_for=None))
    await store.batch(accept, new_request(channel, claim_for=None, lane="other.lane"))
    for lane in (LANE, "other.lane"):
        await store.write(tell_lines, [Tripped(lane, "upstream_timeout")], POLICY)
    clock.advance(2)
    other = {"other.lane": Limit(probe_ms=600_000)}
    assert len(await store.write(claim, "w1", {LANE: 1}, LEASE_MS, PROBE)) == 1
    assert len(await store.write(claim, "w2", {"other.lane": 1}, 10**6, other)) == 1
    assert await store.write(claim, "w2", {LANE: 1}, LEASE_MS, PROBE) == [], "one probe at a time"
    assert (await rescued(store, clock=clock)).count == 1
    waits = {line.lane: line.probe_in_ms > 0 for line in await store.read(read_lines, 0)}
    assert waits == {LANE: False, "other.lane": True}, "the living worker's probe is its own"
    assert len(await store.write(claim, "w2", {LANE: 1}, LEASE_MS, PROBE)) == 1
    assert await store.write(tell_lines, [Probed(LANE, Health.GOOD)], POLICY) == {}
