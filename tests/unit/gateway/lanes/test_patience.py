"""How long a request has waited: only while its institution could be reached; on both databases."""

from datetime import timedelta

from msgspec.structs import replace

from connectors.kit.errors import Closed
from gateway.lanes.breaker import tripped
from gateway.lanes.patience import Patience
from gateway.store.lines import BreakerPolicy, tell_lines
from tests.unit.gateway.lanes.lanes import LANE, POLICY, Time, lanes_of
from tests.unit.gateway.lanes.test_calendar import DAYS, damascus
from tests.unit.gateway.test_settle import SUBMIT, work

DAY_MS = 86_400_000
ONE_HOUR = replace(POLICY, max_wait_hours=1.0)


def at(clock, moment):
    """Set the wall clock; no other clock follows."""
    clock.jump((moment - clock.utcnow()).total_seconds())
    return int(moment.timestamp() * 1000)


async def test_nights_and_holidays_do_not_count(store, clock):
    lanes = lanes_of(Time(), hours=DAYS)
    began = at(clock, damascus(26, 15))  # Thursday, half an hour before it closes
    at(clock, damascus(29, 8, 20))  # Sunday
    waited = await Patience(store, lanes, clock).spent_ms(work(SUBMIT, created_at=began), LANE, ONE_HOUR)
    assert round(waited / 60_000) == 50


async def test_time_before_the_present_state_does_not_count(store, clock):
    """Days in which the citizen had not paid yet are no outage of the ministry's."""
    now = at(clock, damascus(25, 12))
    patience = Patience(store, lanes_of(Time()), clock)
    waited = await patience.spent_ms(work(SUBMIT, created_at=now - 9 * DAY_MS, since=now - 5_000), LANE, ONE_HOUR)
    assert 5_000 <= waited < 60_000


async def test_time_for_which_the_institution_said_that_it_was_closed_does_not_count(store, clock):
    closed = Closed("closed")
    closed.retry_after_seconds = 16 * 3600
    policy = BreakerPolicy(first_ms=5_000, most_ms=60_000, successes=3, calm_ms=60_000)
    began = clock.now_ms()
    clock.advance(1800)
    await store.write(tell_lines, [tripped(LANE, closed)], policy)
    clock.advance(timedelta(hours=17).total_seconds())
    waited = await Patience(store, lanes_of(Time()), clock).spent_ms(work(SUBMIT, created_at=began), LANE, ONE_HOUR)
    assert round(waited / 60_000) == 90
