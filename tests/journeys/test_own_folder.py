"""A ministry's own folder of packages, outside the project: found, called, and kept waiting while it is closed."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.kit.sandbox.server import find_folder
from jisr.setup import toml
from tests.gateways import APPLICANT, VEHICLE, until

SERVICES = Path(__file__).resolve().parents[2] / "config" / "services"
WHOLE_DAY = '["00:00-24:00"]'
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _office(root: Path, name: str, hours: str = "") -> Path:
    """The Directorate of Transport's package under another name, as a ministry would keep its own."""
    folder = root / name
    shutil.copytree(find_folder("transport"), folder)
    manifest = folder / "manifest.toml"
    text = manifest.read_text("utf-8").replace('name = "transport"', f'name = "{name}"')
    manifest.write_text(text + hours, "utf-8")
    return folder


def _service(folder: Path, name: str) -> str:
    """The vehicle statement, offered by the office under its own id and without a fee."""
    folder.mkdir(exist_ok=True)
    text = (SERVICES / "transport.vehicle-statement.toml").read_text("utf-8")
    text = text.replace("transport", name)
    (folder / f"{name}.toml").write_text(text, "utf-8")
    return f"{name}.vehicle-statement"


@pytest.fixture
def running(make_gateway, sandbox, tmp_path):
    """`running(hours)`: a gateway that knows the office by `connector_paths` alone, and the office's service."""

    def start(hours: str = ""):
        root = tmp_path / "ministry"
        root.mkdir()
        _office(root, "registry_office", hours)
        service = _service(tmp_path / "services", "registry_office")
        gateway = make_gateway(
            connectors={"registry_office": sandbox("transport").settings}, services=[str(tmp_path / "services")]
        )
        gateway.config.write_text(f"connector_paths = {toml([str(root)])}\n{gateway.config.read_text()}")
        gateway.start()
        return gateway, {**VEHICLE, "service": service, "applicant": APPLICANT}

    return start


def test_a_package_in_a_ministrys_own_folder_serves_a_request(running, sandbox):
    gateway, body = running()
    asked = gateway.submit(body, "own-1", wait=20).json()
    done = gateway.until_state(asked["id"], "completed")
    assert done["documents"][0]["media_type"] == "application/pdf"
    assert sandbox("transport").count() == 1
    assert "closed" not in _availability(gateway, body["service"])["state"]


def test_while_an_institution_is_closed_its_requests_wait_and_nothing_is_sent(running, sandbox):
    """The office opens on the day after tomorrow only."""
    opening = (datetime.now(UTC) + timedelta(days=2)).date()
    hours = f'\n[hours]\nzone = "UTC"\n[hours.week]\n{DAYS[opening.weekday()]} = {WHOLE_DAY}\n'
    gateway, body = running(hours)

    told = _availability(gateway, body["service"])
    assert (told["state"], told["opens_at"]) == ("closed", f"{opening.isoformat()}T00:00:00Z")
    assert "closed now" in told["text"]["en"]
    answer = gateway.submit(body, "own-2")
    assert answer.status_code == 202
    state = gateway.get(answer.json()["id"])["state"]
    until(lambda: _waited_seconds(gateway, state) > 0.5, "the worker to have looked for work five times")
    assert gateway.get(answer.json()["id"])["state"] == state == "accepted"
    assert sandbox("transport").count() == 0


def _availability(gateway, service):
    with gateway.client() as http:
        found = http.get(f"/v1/services/{service}/availability")
    assert found.status_code == 200
    return found.json()


def _waited_seconds(gateway, state):
    text = httpx.get(f"{gateway.url}/metrics", timeout=10).text
    found = re.search(rf'jisr_oldest_seconds{{state="{state}"}} (\S+)', text)
    assert found is not None
    return float(found[1])
