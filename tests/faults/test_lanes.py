"""N12, N15 and planned outages on the wire: real gateways on both databases, real sandboxes that go and come back."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.looking import stem_of
from tests.gateways import QUICK, VEHICLE, until
from tests.sandboxes import start_sandbox, stop_sandbox

LANE = "transport.vehicle-statement"


@pytest.fixture
def transport():
    """The register's server, as the test's own process; gives how to end it and to start it again."""
    office = Office()
    yield office
    office.off()


class Office:
    """A sandbox that goes off and on at one port."""

    def __init__(self):
        self.sandbox = start_sandbox("transport")
        self.running = True

    def off(self):
        if self.running:
            stop_sandbox(self.sandbox)
            self.running = False

    def on(self):
        self.sandbox = start_sandbox("transport", port=self.sandbox.port)
        self.running = True


def send(http, key):
    """A vehicle statement that does not wait."""
    return http.post("/v1/requests", json=VEHICLE, headers={"Idempotency-Key": key})


def metric(gateway, name, lane=LANE):
    with gateway.client() as http:
        page = http.get("/metrics").text
    found = re.search(rf'{name}{{lane="{re.escape(lane)}"}} ([0-9.]+)', page)
    assert found, page
    return float(found[1])


def test_n15_n12_an_outage_makes_a_queue_that_drains_by_urgency_and_age_and_harms_nobody_else(
    make_gateway, sandbox, transport
):
    free = {"education": sandbox("education").settings, "syriatel_cash": sandbox("syriatel_cash").settings}
    gateway = make_gateway(
        connectors={"transport": transport.sandbox.settings} | free,
        dispatch=QUICK | {"lanes": {LANE: 1}, "rates": {LANE: 50.0}},
    )
    desk = gateway.add("channel", "desk", priority="desk")
    gateway.start()
    transport.off()
    with gateway.client() as web, gateway.client(desk) as at_desk:
        waiting = [send(web, f"web-{number}").json() for number in range(12)]
        until(lambda: metric(gateway, "jisr_lane_breaker_open") == 1, "an open breaker")
        urgent = [send(at_desk, f"desk-{number}").json() for number in range(4)]
        assert web.get(f"/v1/services/{VEHICLE['service']}/availability").json()["state"] == "unreachable"
        until(lambda: web.get(f"/v1/requests/{waiting[-1]['id']}").json()["expected_at"], "an estimate")
        transport.on()
        until(lambda: metric(gateway, "jisr_lane_breaker_open") == 0, "a closed breaker")
        until(lambda: metric(gateway, "jisr_lane_waiting") == 0, "an empty queue")
        for one in waiting:
            gateway.until_state(one["id"], "completed")
        for one in urgent:
            assert at_desk.get(f"/v1/requests/{one['id']}").json()["state"] == "completed"
    done = [effect["operation_id"].split("-")[0] for effect in transport.sandbox.effects()]
    first, *others = done  # the probe: whoever was most urgent when the line came back
    order = [stem_of(each) for each in [*urgent, *waiting]]
    assert first in order[: len(urgent)]
    assert others == [each for each in order if each != first]
    assert transport.sandbox.count() == len(done)  # each once
    assert [line for line in gateway.log.splitlines() if '"breaker"' in line and '"open"' in line]


def test_n12_a_silent_institution_is_left_alone_while_another_ones_requests_go_through(make_gateway, sandbox):
    transport, education, wallet = (sandbox(name) for name in ("transport", "education", "syriatel_cash"))
    gateway = make_gateway(
        connectors={each.name: each.settings for each in (transport, education, wallet)},
        dispatch=QUICK | {"lanes": {LANE: 3}, "deadlines": {LANE: 0.3}, "breaker_first_seconds": 30.0}
        | {"breaker_max_seconds": 30.0},
    )  # fmt: skip
    gateway.start()
    transport.switch("silence", operation="vehicle-statement")
    with gateway.client() as http:
        for number in range(20):
            assert send(http, f"silent-{number}").status_code == 202
        until(lambda: metric(gateway, "jisr_lane_breaker_open") == 1, "an open breaker")
        until(lambda: metric(gateway, "jisr_lane_in_flight") == 0, "nothing in flight")
        asked = transport.calls("vehicle-statement")
        assert asked < 10
        assert send(http, "behind").status_code == 202  # still accepted, durably
        other = metric(gateway, "jisr_lane_breaker_open", "education.check")
        assert other == 0
        until(lambda: metric(gateway, "jisr_lane_waiting") == 21, "all of them waiting")
        assert transport.calls("vehicle-statement") == asked


def test_a_planned_outage_is_told_before_and_what_came_meanwhile_is_sent_after_it(make_gateway, sandbox):
    transport = sandbox("transport")
    gateway = make_gateway(connectors={"transport": transport.settings})
    calendar = gateway.folder / "calendar.toml"
    ends = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    calendar.write_text(
        f"""
        [[institutions.transport.outages]]
        from = {(ends - timedelta(hours=3)).isoformat()}
        to = {ends.isoformat()}
        operations = ["vehicle-statement"]
        reason.ar = "صيانة مخدّم السجل"
        reason.en = "Maintenance of the register's server"
        """,
        "utf-8",
    )
    gateway.config.write_text(f'calendar_file = "calendar.toml"\n{gateway.config.read_text()}')
    gateway.start()
    told = gateway.submit(VEHICLE, "meanwhile", wait=1)
    assert told.status_code == 202
    with gateway.client() as http:
        availability = http.get(f"/v1/services/{VEHICLE['service']}/availability").json()
    assert availability["state"] == "closed"
    assert availability["outage"]["en"] == "Maintenance of the register's server"
    assert datetime.fromisoformat(availability["opens_at"]) == ends
    assert datetime.fromisoformat(availability["expected_at"]) >= ends
    waiting = gateway.get(told.json()["id"])
    assert datetime.fromisoformat(waiting["expected_at"]) >= ends
    assert metric(gateway, "jisr_lane_closed") == 1
    assert transport.calls("vehicle-statement") == 0
    assert gateway.stop() == 0
    calendar.write_text("", "utf-8")
    gateway.start()
    gateway.until_state(waiting["id"], "completed")
    assert transport.count() == 1
