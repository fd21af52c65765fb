"""Health and figures: ready means that a commit was just made."""

import pytest

from gateway.store.errors import StorageFull
from tests.unit.gateway.api.conftest import Api
from tests.unit.gateway.api.rows import put_intent, put_request


async def test_a_process_that_answers_lives_and_one_that_commits_is_ready(api: Api) -> None:
    assert (await api.client.get("/health/live")).json() == {"status": "ok"}
    ready = await api.client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"database": "ok", "disk": "ok", "accepting": "ok"}
    assert ready.json()["webhooks"] == {"failing": 0, "waiting": 0, "oldest_seconds": 0}


async def test_s1_a_full_disk_makes_it_not_ready_and_room_makes_it_ready_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(api.services.store), "write", full)
        answer = await api.client.get("/health/ready")
        assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "failing")
    assert (await api.client.get("/health/ready")).status_code == 200


async def test_a_stopping_process_is_not_ready(api: Api) -> None:
    api.app.state["streams"].close()
    assert (await api.client.get("/health/ready")).json()["checks"]["accepting"] == "failing"


async def test_figures_tell_states_ages_payments_and_lanes(api: Api) -> None:
    store = api.services.store
    old = api.services.clock.now_ms() - 90_000
    parked = await store.write(lambda conn: put_request(conn, "web", "parked", state_since=old))
    await store.write(lambda conn: put_request(conn, "web", "parked"))
    await store.write(put_intent, parked, "in_doubt")
    text = (await api.client.get("/metrics")).text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['jisr_requests{state="parked"}'] == "2.0"
    assert lines['jisr_requests{state="completed"}'] == "0.0"
    assert lines["jisr_requests_parked"] == "2.0"
    assert lines["jisr_requests_in_doubt"] == "0.0"
    assert lines['jisr_payments{state="in_doubt"}'] == "1.0"
    assert 90 <= float(lines['jisr_oldest_seconds{state="parked"}']) < 1000
    assert float(lines['jisr_lane_places{lane="education.submit"}']) > 0
    assert lines['jisr_lane_in_flight{lane="education.submit"}'] == "0.0"


async def test_figures_are_read_again_after_a_second(api: Api) -> None:
    before = (await api.client.get("/metrics")).text
    await api.services.store.write(put_request, "web", "parked")
    api.services.clock.advance(1)
    assert (await api.client.get("/metrics")).text != before
