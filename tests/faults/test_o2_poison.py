"""O2: a request of which the whole process dies, each time: it is set aside, the others finish, an operator replays it."""

import contextlib

import httpx

from tests.faults.looking import kinds, stem_of
from tests.gateways import QUICK, VEHICLE, until


def parked_by(gateway, crash_at, reference):
    """Start it again as often as it dies, until the request of this reference is set aside; what the list shows."""
    for _ in range(12):
        gateway.start(crash_at=crash_at, ready=False)
        until(lambda: gateway.process.poll() is not None or listed(gateway, reference, "parked"), "the next end")
        if gateway.process.poll() is None:
            return listed(gateway, reference, "parked")
    raise AssertionError(f"it dies for ever: {gateway.log[-2000:]}")


def listed(gateway, reference, state):
    try:
        with gateway.client() as http:
            return http.get(f"/v1/requests?reference={reference}&state={state}").json()["items"]
    except httpx.TransportError:
        return []


def test_o2_a_request_of_which_the_process_dies_is_set_aside_and_replayed_by_its_id(make_gateway, sandbox, monkeypatch):
    monkeypatch.setenv("CRASH_BY", "SEGV")
    gateway, transport = make_gateway(dispatch=QUICK | {"poison_after": 3}), sandbox("transport")
    operator = gateway.add("operator", "layla", roles=["maker"])
    transport.switch("latency", 300, operation="vehicle-statement")
    deadly = "work.begin@deadly"
    gateway.start(crash_at=deadly)
    sound = [gateway.submit(VEHICLE, f"sound-{number}").json() for number in range(4)]
    body = VEHICLE | {"reference": "deadly"}
    with contextlib.suppress(httpx.TransportError):  # it may die before it has answered
        gateway.submit(body, "deadly")
    gateway.wait_dead()
    (poison,) = parked_by(gateway, deadly, "deadly")
    assert gateway.log.count('"event":"serving"') == 4, "it died three times, and then no more"
    for request in sound:
        gateway.until_state(request["id"], "completed")
        assert transport.count(f"{stem_of(request)}-0") == 1
    told = gateway.get(poison["id"])
    assert (told["state"], told["reason"]["code"]) == ("parked", "poison")
    assert told["reason"]["clerk"]["ar"]
    gateway.stop()
    gateway.start()
    with gateway.client(operator) as http:
        order = {"selection": {"ids": [poison["id"]]}, "reason": "the program was mended"}
        went = http.post("/v1/admin/dead-letters/replay", json=order, headers={"Idempotency-Key": "r1"})
    assert (went.status_code, went.json()["went"]["safe"]) == (202, 1), went.text
    gateway.until_state(poison["id"], "completed")
    assert "replayed" in kinds(gateway, poison)
    assert transport.count(f"{stem_of(poison)}-0") == 1
    assert transport.count() == 5
