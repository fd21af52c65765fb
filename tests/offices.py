"""An office that exists for tests alone (tests/journeys/offices), and gateways that know it, the wallet and the post."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jisr.setup import toml
from tests.gateways import APPLICANT, QUICK, GatewayProcess, one_on_each_database
from tests.postgresql import Server
from tests.sandboxes import SandboxProcess

SERVICES = Path(__file__).parent / "journeys" / "offices" / "services"
OFFICE = str(SERVICES.parent / "permit_office")
BESIDE = ("syriatel_cash", "post")
PAYER = {"method": "syriatel_cash", "payer": {"mobile": "0930000001"}}


@pytest.fixture
def office(sandbox: Callable[[str], SandboxProcess]) -> SandboxProcess:
    """The office's sandbox, with nothing done yet."""
    return sandbox(OFFICE)


@pytest.fixture(scope="session")
def office_gateways(
    tmp_path_factory: pytest.TempPathFactory,
    sandbox_processes: Callable[[str], SandboxProcess],
    postgresql_server: Server,
) -> Iterator[Callable[[str], GatewayProcess]]:
    """One running gateway on each database; both end with the session."""
    reached = {name: sandbox_processes(name).settings for name in BESIDE}
    reached["permit_office"] = sandbox_processes(OFFICE).settings

    def installed(folder: Path, url: str) -> GatewayProcess:
        gateway = GatewayProcess(folder, url, reached, dict(QUICK), [str(SERVICES)])
        gateway.install()
        gateway.config.write_text(f"connector_paths = {toml([OFFICE])}\n{gateway.config.read_text()}")
        return gateway

    with one_on_each_database(installed, tmp_path_factory, postgresql_server) as gateway_on:
        yield gateway_on


@pytest.fixture
def running(
    dialect: str,
    office_gateways: Callable[[str], GatewayProcess],
    office: SandboxProcess,  # with nothing done yet
    sandbox: Callable[[str], SandboxProcess],
) -> GatewayProcess:
    """The gateway on this test's database; office, wallet and post have nothing done yet."""
    for name in BESIDE:
        sandbox(name)
    return office_gateways(dialect)


def body(service: str, person: str, **more: Any) -> dict[str, Any]:
    """A request to the office."""
    applicant = {**APPLICANT, "national_number": person}
    return {"service": f"permit_office.{service}", "applicant": applicant, "input": {"plate": "204517"}, **more}


def effects(sandbox: SandboxProcess, what: str) -> int:
    """How often an institution did something."""
    return sum(int(effect["count"]) for effect in sandbox.effects() if effect["what"] == what)
