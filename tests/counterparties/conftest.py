"""One gateway in front of the counterparties that are installed here; what is missing is missing by name."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tests.counterparties import by_jaxws, by_npm_soap, by_soapbar
from tests.counterparties.starting import Counterparty
from tests.gateways import GatewayProcess
from tests.journeys.house import DISPATCH, House


@pytest.fixture(scope="package")
def counterparties(tmp_path_factory) -> Iterator[Mapping[str, Counterparty]]:
    """Those that are installed, by the name of their connector; all end with the last test here."""
    found: dict[str, Counterparty] = {}
    with ExitStack() as ends:
        if not by_jaxws.MISSING:
            found |= ends.enter_context(by_jaxws.jaxws(tmp_path_factory.mktemp("jaxws")))
        if not by_npm_soap.MISSING:
            found |= ends.enter_context(by_npm_soap.npm_soap())
        if not by_soapbar.MISSING:
            found |= ends.enter_context(by_soapbar.soapbar())
        yield found


@pytest.fixture(scope="package")
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
