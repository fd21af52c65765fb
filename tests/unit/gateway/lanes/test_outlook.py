"""When a waiting request is expected: from its place in the queue, the lane's pace, and when it opens."""

from datetime import datetime, timedelta
from typing import cast

import pytest

from connectors.kit.contract import Outcome, Status
from gateway.lanes.breaker import Line
from gateway.lanes.outlook import Outlooks, ramped_seconds
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.queues import Queue, Standing, find_standing, waiting
from gateway.store.requests import accept
from tests.unit.gateway.lanes.lanes import LANE, POLICY, Time, lanes_of
from tests.unit.gateway.lanes.test_calendar import DAYS, damascus
from tests.unit.gateway.store.records import new_request

NOON = damascus(25, 12)


class _Store:
    """Gives the queues that a test says; the real ones are read below, on both databases."""

    def __init__(self, queues):
        self.queues = queues

    async def read(self, _function):
        return self.queues


class _Clock:
    def __init__(self, time: Time):
        self._time = time

    def utcnow(self):
        return self._time.now

    def monotonic(self):
        return self._time.monotonic_seconds


def outlooks(lanes, time, queues):
    return Outlooks(cast("Store", _Store(queues)), lanes, POLICY, cast("Clock", _Clock(time)))


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def queue(count, seconds=100):
    return Queue(count, ms(NOON) - seconds * 1000, ms(NOON))


async def test_a_queue_with_a_rate_takes_as_long_as_the_rate_says():
    time = Time(NOON)
    expected = outlooks(lanes_of(time, rate_per_second=20.0), time, {(LANE, 2): queue(600)})
    found = await expected.of_new(LANE, 2)
    assert (found.waiting, found.at) == (600, NOON + timedelta(seconds=60))  # ten places of a second each are fewer
    assert (await expected.of_new(LANE, 1)).waiting == 0  # who is more urgent waits for nobody


async def test_without_a_rate_the_places_and_the_length_of_an_exchange_say_it():
    time = Time(NOON)
    lanes = lanes_of(time)
    lanes.saw(LANE, Outcome(Status.SUCCEEDED), 0.5)
    found = await outlooks(lanes, time, {(LANE, 0): queue(100), (LANE, 2): queue(100)}).of_new(LANE, 2)
    assert (found.waiting, found.at) == (200, NOON + timedelta(seconds=10))


async def test_who_came_first_is_expected_first():
    time = Time(NOON)
    found = outlooks(lanes_of(time, rate_per_second=10.0), time, {(LANE, 1): queue(50), (LANE, 2): queue(100)})
    moments = [await found.of_waiting(Standing(LANE, 2, ms(NOON) - ago * 1000)) for ago in (100, 50, 0)]
    assert moments == [NOON + timedelta(seconds=seconds) for seconds in (5, 10, 15)]


async def test_a_closed_institution_begins_slowly_when_it_opens():
    time = Time(damascus(26, 16))  # Thursday afternoon
    lanes = lanes_of(time, hours=DAYS, rate_per_second=1.0)
    found = await outlooks(lanes, time, {(LANE, 2): queue(55)}).of_new(LANE, 2)
    assert found.at is not None
    assert abs(found.at - damascus(29, 8) - timedelta(seconds=100)) < timedelta(seconds=1)  # the ramp takes 55 calls


async def test_an_open_breaker_is_expected_to_close_with_its_next_probe_or_when_the_institution_says():
    time = Time(NOON)
    lanes = lanes_of(time)
    lanes.learn([Line(LANE, open=True, probe_in_ms=30_000)])
    expected = outlooks(lanes, time, {})
    assert (await expected.of_new(LANE, 2)).at == NOON + timedelta(seconds=30)
    lanes.learn([Line(LANE, open=True, code="institution_closed", probe_in_ms=30_000, opens_in_ms=7_200_000)])
    assert (await expected.of_new(LANE, 2)).at == NOON + timedelta(hours=2)
    assert lanes.is_shut(LANE)


def test_the_ramp_is_as_long_as_the_sum_of_its_pace():
    assert ramped_seconds(60, 1.0, 100) == 60
    assert ramped_seconds(55, 0.1, 100) == pytest.approx(100)
    assert ramped_seconds(65, 0.1, 100) == pytest.approx(110)
    assert ramped_seconds(0, 0.1, 100) == 0
    assert ramped_seconds(10, 0.5, 0) == 10


async def test_queues_are_counted_by_lane_and_priority_and_a_request_knows_where_it_stands(store, channel, clock):
    rows = [new_request(channel, claim_for=None, priority=priority) for priority in (0, 2, 2)]
    await store.write(accept, [*rows, new_request(channel)])  # the last one is held by a worker
    found = await store.read(waiting)
    assert {key: value.count for key, value in found.items()} == {(LANE, 0): 1, (LANE, 2): 2}
    view, standing = await store.read(find_standing, rows[0].id, channel)
    assert (view.id, standing.lane, standing.priority) == (rows[0].id, LANE, 0)
    assert await store.read(find_standing, rows[0].id, "another channel") == (None, None)
