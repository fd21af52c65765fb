"""The packages that exist, as subjects of the conformance suite, and a connector opened on one."""

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from connectors.kit.conformance import bench
from connectors.kit.conformance.bench import heard, say
from connectors.kit.conformance.subject import Subject, open_subject
from connectors.kit.contract import Connector
from connectors.registry import Package, find_packages
from gateway.errors import CATALOGUE

__all__ = ["PACKAGES", "SUBJECTS", "base_document", "heard", "manifest_of", "opened", "say"]

PACKAGES: Mapping[str, Package] = find_packages()
SUBJECTS: Mapping[str, Subject] = {
    name: open_subject(package.folder, catalogue=frozenset(CATALOGUE)) for name, package in PACKAGES.items()
}


def manifest_of(name: str) -> Mapping[str, Any]:
    """The manifest as it stands in the file."""
    return tomllib.loads((PACKAGES[name].folder / "manifest.toml").read_text(encoding="utf-8"))


@asynccontextmanager
async def opened(name: str, port: int) -> AsyncIterator[Connector]:
    """The package's connector, with the settings of its sandbox, spoken to at this port."""
    async with bench.opened(SUBJECTS[name], port) as connector:
        yield connector


def base_document(name: str, operation: str) -> dict[str, Any]:
    """The canonical document of the operation's sample `succeeded`, with an operation id of its own."""
    return SUBJECTS[name].document(operation)
