"""The alarm for stranded requests: what is told, what is not, and by whom; on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from connectors.kit.hours import OpeningHours
from gateway.lanes.calendar import Opening, Outage
from gateway.store.tables import jobs
from gateway.stranded import ADVICE, open_since
from jisr.admin import Desk, run
from tests.unit.gateway.api.conftest import api as api  # noqa: PLC0414 - a fixture
from tests.unit.gateway.api.rows import put_request

LANE = "transport.vehicle-statement"
HOUR = 3_600_000


async def put(api, state, hours, **more):
    """A request that stands in the state for so many hours, waiting in its lane."""
    now = api.services.clock.now_ms()

    def put_both(conn):
        request_id = put_request(conn, "web", state, state_since=now - int(hours * HOUR), **more)
        values = dict.fromkeys(("priority", "token", "tries", "waits", "inquiries", "absences"), 0)
        conn.execute(insert(jobs).values(request_id=request_id, lane=LANE, due_at=1, **values))
        return request_id

    return await api.services.store.write(put_both)


async def test_what_is_older_than_its_state_may_be_is_told_everywhere_and_readiness_stays(api):
    limits = {state: api.services.stranded.limit_hours(state, LANE) for state in ADVICE}
    now = api.services.clock.now_ms()
    for state, hours in limits.items():
        time_of_citizen = {"expires_at": now - int((hours + 1) * HOUR)} if state == "awaiting_citizen" else {}
        await put(api, state, hours + 2, **time_of_citizen)
        await put(api, state, hours - 0.1)
    await put(api, "awaiting_citizen", 500, expires_at=now + HOUR)
    await put(api, "completed", 5000)
    await put(api, "parked", 500, test=True)
    told = (await api.client.get("/health/stranded")).json()
    assert told["status"] == "stranded"
    assert {(each["state"], each["institution"], each["count"]) for each in told["items"]} == {
        (state, "transport", 1) for state in limits
    }
    assert (await api.client.get("/health/ready")).status_code == 200
    metrics = (await api.client.get("/metrics")).text
    assert 'jisr_stranded{institution="transport",state="parked"} 1.0' in metrics
    assert 'jisr_stranded_oldest_seconds{institution="transport",state="parked"}' in metrics
    desk = Desk(api.services.store, api.services.settings, stranded=api.services.stranded)
    listed = (await run(desk, "stranded.list", {"limit": 50}))["items"]
    assert {each["state"] for each in listed} == set(limits)
    assert [each["since"] for each in listed] == sorted(each["since"] for each in listed)
    assert all(each["advice"]["ar"] and each["advice"]["en"] and each["age_seconds"] > 0 for each in listed)


async def test_nothing_stranded_is_well(api):
    assert (await api.client.get("/health/stranded")).json() == {"status": "ok", "total": 0, "items": []}


async def test_a_planned_outage_raises_no_alarm_and_its_end_starts_the_count(api, clock):
    now = clock.utcnow()
    lane = api.services.lanes.lane(LANE)
    lane.opening = Opening(None, (Outage(now - timedelta(hours=20), now + timedelta(hours=1)),))
    await put(api, "in_progress", 21)
    await put(api, "in_progress", 26)
    found = await api.services.stranded.now()
    assert [(each.state, each.count) for each in found] == [("in_progress", 1)], "six open hours of 26"
    clock.advance(4.2 * HOUR / 1000)
    assert [each.count for each in await api.services.stranded.now()] == [2]


@pytest.mark.parametrize(("hours", "since"), [(2, "08:00"), (3, "2026-11-24 13:00")])
def test_a_night_does_not_count(hours, since):
    zone = "Asia/Damascus"
    week = OpeningHours.read(zone, [["08:00-14:00"]] * 7)
    now = datetime(2026, 11, 25, 10, 0, tzinfo=week.zone)
    expected = datetime.fromisoformat(since if " " in since else f"2026-11-25 {since}").replace(tzinfo=week.zone)
    found = open_since(Opening(week), now.astimezone(UTC), hours * 3600, int(now.timestamp() * 1000) - 90 * HOUR)
    if hours == 2:  # open since eight: any moment of the night is as good
        assert datetime(2026, 11, 24, 14, tzinfo=week.zone).timestamp() - 1 <= found / 1000 <= expected.timestamp()
    else:
        assert abs(found / 1000 - expected.timestamp()) <= 1
