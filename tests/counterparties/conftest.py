"""A gateway in front of the counterparties that a file of tests is about."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.counterparties.starting import Counterparty
from tests.gateways import GatewayProcess
from tests.journeys.house import DISPATCH, House


@pytest.fixture(scope="module")
def counterparties(request, tmp_path_factory) -> Iterator[Mapping[str, Counterparty]]:
    """Those of the file's own program, `PLAYED_BY`, by the name of their connector; they end with its last test.

    Tests are shared out by files, so each program is built and started once, whatever the number of processes.
    """
    with request.module.PLAYED_BY(tmp_path_factory.mktemp("counterparties")) as found:
        yield found


@pytest.fixture(scope="module")
def house(tmp_path_factory, counterparties, sandbox_processes) -> Iterator[House]:
    """The gateway on SQLite; only the wallet is a sandbox of ours."""
    folder = tmp_path_factory.mktemp("foreign")
    settings: dict[str, Mapping[str, Any]] = {name: one.settings for name, one in counterparties.items()}
    settings["syriatel_cash"] = sandbox_processes("syriatel_cash").settings
    gateway = GatewayProcess(folder, f"sqlite:///{folder / 'jisr.db'}", settings, dict(DISPATCH))
    gateway.install()
    gateway.start()
    yield House(gateway, lambda name: counterparties.get(name) or sandbox_processes(name))
    gateway.stop()
