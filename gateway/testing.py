"""Test channels: their requests go to the institutions' test systems over connectors, lanes and settings of their own.

A test connector has a name of its own (`test.education`), so that everything that carries a connector's name is marked:
lanes, attempts, evidence, timeline, documents, metrics, log. It is opened with `[connectors.NAME.test]` alone and with
nothing of `[connectors.NAME]`: a live key never reaches a test system.
"""

from collections.abc import Iterator, Mapping

from connectors.kit.contract import Connector

_PREFIX = "test."


def name_apart(connector: str) -> str:
    """How the test connector of an institution is called."""
    return f"{_PREFIX}{connector}"


def route_name(service: str, *, test: bool) -> str:
    """Under which the route of a service is found."""
    return f"{_PREFIX}{service}" if test else service


class ConnectorsApart(Mapping[str, Connector]):
    """The test connectors, found by the institution's name (as services say it) and by their own (as attempts do)."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._by_name = dict(connectors)

    def __getitem__(self, name: str) -> Connector:
        return self._by_name[name.removeprefix(_PREFIX)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)
