"""O1: the gateway is told to end while its clients keep sending."""

import threading
import time

import httpx

from tests.faults.looking import Calling, rows, stem_of
from tests.gateways import VEHICLE, until

CLIENTS = 6


class Client(threading.Thread):
    """Sends requests over one kept connection until the gateway is gone; remembers what it was answered."""

    def __init__(self, gateway, number):
        super().__init__(daemon=True)
        self.gateway, self.number = gateway, number
        self.answered: dict[str, str] = {}
        self.unanswered: list[str] = []

    def run(self):
        with self.gateway.client() as http:
            for count in range(10_000):
                key = f"o1-{self.number}-{count}"
                try:
                    answer = http.post("/v1/requests", json=VEHICLE, headers={"Idempotency-Key": key})
                except httpx.TransportError:
                    self.unanswered.append(key)
                    return
                if answer.status_code == 503:
                    self.unanswered.append(key)
                    return
                assert answer.status_code in (201, 202), answer.text
                self.answered[key] = answer.json()["id"]


def test_o1_sigterm_under_load_loses_nothing_and_does_nothing_twice(make_gateway, sandbox):
    gateway, transport = make_gateway(), sandbox("transport")
    transport.switch("latency", 150, operation="vehicle-statement")
    gateway.start()
    clients = [Client(gateway, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    until(lambda: all(len(client.answered) >= 8 for client in clients), "some load")
    until(lambda: transport.count() >= 3, "some acts")
    begun = time.monotonic()
    status = gateway.stop()
    assert status == 0, gateway.log[-2000:]
    assert time.monotonic() - begun < 5 + 10, "shutdown_seconds and a generous margin"
    for client in clients:
        client.join(timeout=30)
        assert not client.is_alive()
    assert rows(gateway, "SELECT count(*) FROM jobs WHERE claimed_by IS NOT NULL") == [(0,)], "leases were given back"
    assert '"event":"worker_stopped"' in gateway.log
    assert '"level":"error"' not in gateway.log

    transport.switches_off()
    gateway.start()
    ids = {request_id for client in clients for request_id in client.answered.values()}
    keys = [key for client in clients for key in client.unanswered]
    assert len(keys) == CLIENTS, "each client lost its last call"
    for key in keys:
        retried = gateway.submit(VEHICLE, key)
        assert retried.status_code in (201, 202)
        ids.add(retried.json()["id"])
    total = sum(len(client.answered) for client in clients) + len(keys)
    assert len(ids) == total
    everything = "SELECT count(*) FROM requests WHERE state <> 'completed'"
    until(lambda: rows(gateway, everything) == [(0,)], "everything that was accepted is completed")
    assert rows(gateway, "SELECT count(*) FROM requests") == [(total,)], "0 lost, 0 invented"
    counts = {row["operation_id"]: row["count"] for row in transport.effects()}
    assert counts == {f"{stem_of({'id': request_id})}-0": 1 for request_id in ids}, "0 lost, 0 twice"


def test_o1_a_caller_that_waits_does_not_hold_the_end_up(make_gateway, sandbox):
    gateway, transport = make_gateway(), sandbox("transport")
    transport.switch("silence", operation="vehicle-statement")
    gateway.start()
    calling = Calling(lambda: gateway.submit(VEHICLE, "o1", wait=30))
    until(lambda: transport.count() == 1, "the act whose answer does not come")
    begun = time.monotonic()
    assert gateway.stop() == 0, gateway.log[-2000:]
    assert time.monotonic() - begun < 5 + 10, "shutdown_seconds and a generous margin"
    answer = calling.end()
    assert answer is None or answer.status_code in (202, 503)
    transport.switches_off()
    gateway.start()
    retried = gateway.submit(VEHICLE, "o1")
    gateway.until_state(retried.json()["id"], "completed")
    assert transport.count() == 1
