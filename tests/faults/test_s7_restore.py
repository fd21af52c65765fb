"""S7: yesterday's backup is put back after the day's work was done; the ledgers show that nothing is done again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.looking import kinds, payment_of, rows, stem_of, until_asked
from tests.gateways import VEHICLE, GatewayProcess, until
from tests.sandboxes import SandboxProcess
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]
OPERATIONS = {"education": "submit", "transport": "vehicle-statement", "syriatel_cash": "confirm"}


@dataclass
class Day:
    """A gateway with requests at several places, and what its institutions have done so far."""

    gateway: GatewayProcess
    sandboxes: dict[str, SandboxProcess]
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def morning(self) -> None:
        """One is done, one waits for its payer, one is paid, one waits for its turn; neither office takes anything."""
        self.requests["done"] = self.gateway.submit(VEHICLE, "done", wait=20).json()
        self.gateway.until_state(self.requests["done"]["id"], "completed")
        for name in ("education", "transport"):
            self.sandboxes[name].switch("status", {"code": 503, "retry_after": 1}, operation=OPERATIONS[name])
        self.requests["asked"] = until_asked(self.gateway, "asked")
        self.requests["paid"] = until_asked(self.gateway, "paid")
        self.pay("paid")
        self.requests["repeatable"] = self.gateway.submit(VEHICLE, "repeatable").json()
        until(lambda: all(self._was_put_off(name) for name in ("paid", "repeatable")), "two that were put off")

    def _was_put_off(self, name: str) -> bool:
        return "delayed" in kinds(self.gateway, self.requests[name])

    def rest(self) -> None:
        """Everything goes its whole way, one request more too; then the gateway dies."""
        for name in ("education", "transport"):
            self.sandboxes[name].switches_off()
        self.pay("asked")
        self.requests["lost"] = self.gateway.submit(VEHICLE, "lost").json()
        for request in self.requests.values():
            self.gateway.until_state(request["id"], "completed")
        self.gateway.kill()

    def pay(self, name: str) -> None:
        """Answer with the wallet's code."""
        request, wallet = self.requests[name], self.sandboxes["syriatel_cash"]
        said = self.gateway.act(request, {"otp": wallet.otp(payment_of(request))}, f"otp-{request['id']}")
        assert said.status_code < 300, said.text

    def done(self) -> dict[str, Any]:
        """What the institutions did, and how often they were asked to."""
        return {name: (each.effects(), each.calls(OPERATIONS[name])) for name, each in self.sandboxes.items()}

    def mode(self) -> str:
        return str(httpx.get(f"{self.gateway.url}/health/ready").json()["mode"])

    def resting(self) -> int:
        """Requests in doubt whose job waits for a person."""
        query = (
            "SELECT count(*) FROM jobs JOIN requests ON requests.id = jobs.request_id "
            f"WHERE state = 'in_doubt' AND claimed_by IS NULL AND due_at = {2**62}"
        )
        return int(rows(self.gateway, query)[0][0])


def test_s7_after_yesterdays_backup_is_restored_nothing_is_done_twice(make_gateway, sandbox, jisr, tmp_path):
    day = Day(make_gateway(), {name: sandbox(name) for name in OPERATIONS})
    day.gateway.start()
    day.morning()
    folder = backed_up(day, jisr, tmp_path / "backups")
    day.rest()
    done = day.done()
    assert [sum(row["count"] for row in effects) for effects, _ in done.values()] == [2, 3, 2]

    put_back(day, jisr, folder)
    day.gateway.start()
    assert day.mode() == "restore"
    held = look_at_restore_mode(day)
    assert day.done() == done, "nothing was done, and nothing was asked for"
    look_as_operator(day, jisr)
    day.gateway.kill()
    day.gateway.start()
    assert day.mode() == "restore", "a restart does not end it"

    ended = jisr("--config", day.gateway.config, "restore", "--finish")
    assert ended.returncode == 0, ended.stderr
    assert day.mode() == "normal"
    day.gateway.until_state(held["id"], "completed")
    repeated = day.gateway.until_state(day.requests["repeatable"]["id"], "completed")
    transport = day.sandboxes["transport"]
    assert transport.count(f"{stem_of(repeated)}-0") == 1, "the same key, and so the same act"
    assert transport.count() == 4, "the one that was held is new"
    assert day.gateway.get(day.requests["asked"]["id"])["state"] == "in_doubt", "nobody can be asked about a payment"
    assert {name: day.done()[name] for name in ("education", "syriatel_cash")} == {
        name: done[name] for name in ("education", "syriatel_cash")
    }


def backed_up(day: Day, jisr: Any, place: Path) -> Path:
    took = jisr("--config", day.gateway.config, "backup", place)
    assert took.returncode == 0, took.stderr
    (folder,) = place.iterdir()
    assert str(folder) in took.stdout
    assert not list(folder.rglob("*keyring*")), "the keys stay apart"
    return folder


def put_back(day: Day, jisr: Any, folder: Path) -> None:
    refused = jisr("--config", day.gateway.config, "restore", folder)
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    back = jisr("--config", day.gateway.config, "restore", folder, "--force")
    assert back.returncode == 0, back.stderr
    assert "kept aside" in back.stdout


def look_at_restore_mode(day: Day) -> dict[str, Any]:
    """What can be asked about ends by itself, the rest stays in doubt, what is new is held; one of those."""
    gateway, requests = day.gateway, day.requests
    gateway.until_state(requests["paid"]["id"], "completed")
    held: dict[str, Any] = gateway.submit(VEHICLE, "new").json()
    assert (held["state"], held["reason"]["code"]) == ("accepted", "held_by_restore")
    with gateway.client() as http:
        missing = http.get(f"/v1/requests/{requests['lost']['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_in_backup")
    for name in ("asked", "repeatable"):
        told = gateway.until_state(requests[name]["id"], "in_doubt")
        assert (told["reason"]["code"], told["next_action"]) == ("restored", None)
    until(lambda: day.resting() == 2, "an idle gateway")
    assert gateway.get(requests["asked"]["id"])["payment"]["state"] == "in_doubt"
    assert gateway.get(requests["done"]["id"])["state"] == "completed"
    assert gateway.get(held["id"])["reason"]["code"] == "held_by_restore"
    return held


def look_as_operator(day: Day, jisr: Any) -> None:
    with day.gateway.client(day.gateway.add("operator", "op")) as http:
        answer = http.get("/v1/admin/restore")
        figures = http.get("/metrics").text
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["on"], told["open_then"], told["in_doubt"], told["held"]) == (True, 3, 2, 1)
    assert "jisr_restore_mode 1.0" in figures
    assert "Restore mode is on" in jisr("--config", day.gateway.config, "restore", "--status").stdout
