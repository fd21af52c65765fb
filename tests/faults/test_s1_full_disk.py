"""S1: the disk of a running gateway fills up to the last byte, and has room again; nobody restarts anything."""

import httpx

from tests.disks import fill, small_disk
from tests.faults.looking import rows
from tests.gateways import VEHICLE, GatewayProcess, until

__all__ = ["small_disk"]
PDF = b"%PDF-1.7\n" + b"0" * 200_000 + b"\n%%EOF\n"


def ready(gateway: GatewayProcess) -> int:
    return httpx.get(f"{gateway.url}/health/ready", timeout=30).status_code


def test_s1_a_disk_that_fills_up_loses_nothing_and_is_noticed_when_it_has_room_again(small_disk, sandbox):
    transport = sandbox("transport")
    folder = small_disk / "gateway"
    folder.mkdir()
    gateway = GatewayProcess(folder, f"sqlite:///{folder / 'jisr.db'}", {"transport": transport.settings})
    gateway.install()
    gateway.start()
    try:
        done = gateway.submit(VEHICLE, "before", wait=20).json()
        gateway.until_state(done["id"], "completed")
        transport.switch("latency", 3000, operation="vehicle-statement")
        sent = gateway.submit(VEHICLE, "sent").json()
        until(lambda: transport.count() == 2, "the act whose answer is on its way")
        filler = fill(small_disk)
        until(lambda: ready(gateway) == 503, "a gateway that says that it is not ready")
        for number in range(5):
            refused = gateway.submit(VEHICLE, f"full-{number}")
            assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
            assert int(refused.headers["retry-after"]) > 0
        with gateway.client() as http:
            assert http.post("/v1/attachments", content=PDF).status_code == 503, "documents have no room either"
        assert gateway.get(done["id"])["state"] == "completed", "what is there can be read"
        until(lambda: transport.in_flight() == 0, "the answer, for which there is no room")
        assert gateway.get(sent["id"])["state"] == "in_progress"
        transport.switches_off()
        filler.unlink()
        gateway.until_state(sent["id"], "completed")
        until(lambda: ready(gateway) == 200, "a gateway that is ready again")
        after = gateway.submit(VEHICLE, "full-0")
        assert after.status_code == 202
        gateway.until_state(after.json()["id"], "completed")
        assert gateway.upload(PDF)
        assert rows(gateway, "SELECT count(*) FROM requests") == [(3,)], "what was refused was not taken in"
        assert transport.count() == 3
        assert [row["count"] for row in transport.effects()] == [1, 1, 1]
    finally:
        assert gateway.stop() == 0, gateway.log[-3000:]
