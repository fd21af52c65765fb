"""What every conformance test starts from: the packages that exist, their samples, and a connector opened on one."""

import json
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.kit.contract import Call, Connector, Effect, Operation, Outcome, Ports
from connectors.kit.errors import ConnectorError
from connectors.kit.sandbox_institution import sandbox_settings
from connectors.kit.tokens import LocalTokens
from connectors.registry import Package, find_packages, open_connector

PACKAGES: Mapping[str, Package] = find_packages()
PAYMENTS = "payments"


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of samples/<operation>/<case>/."""

    package: str
    operation: str
    case: str
    folder: Path

    def json(self, name: str) -> Any:
        """One of its JSON files."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.folder / name).is_file()

    def call(self) -> Call:
        """The call that its canonical.json describes."""
        document = self.json("canonical.json")
        secrets = document.pop("secrets", {})
        return Call(document["operation_id"], document, secrets)


def samples_of(package: Package) -> list[Sample]:
    """All samples of a package, in order."""
    folders = sorted(path.parent for path in (package.folder / "samples").glob("*/*/canonical.json"))
    return [Sample(package.name, folder.parent.name, folder.name, folder) for folder in folders]


SAMPLES = [sample for package in PACKAGES.values() for sample in samples_of(package)]


def manifest_of(name: str) -> Mapping[str, Any]:
    """The manifest as it stands in the file."""
    return tomllib.loads((PACKAGES[name].folder / "manifest.toml").read_text(encoding="utf-8"))


def codes_of(name: str) -> Mapping[str, Any]:
    """codes.toml as it stands in the file."""
    return tomllib.loads((PACKAGES[name].folder / "codes.toml").read_text(encoding="utf-8"))


def token_path(name: str) -> str:
    """Where this package fetches its token; empty when it has none."""
    manifest = manifest_of(name)
    authentication = manifest.get("authentication", {})
    if authentication.get("kind") == "token_operation":
        return str(manifest["operations"][authentication["operation"]]["wire"].split(" ", 1)[1])
    return str(authentication.get("token_path", ""))


@asynccontextmanager
async def opened(name: str, port: int) -> AsyncIterator[Connector]:
    """The package's connector, with the settings of its sandbox, spoken to at this port."""
    settings = sandbox_settings(PACKAGES[name].folder, port)
    connector = open_connector(PACKAGES[name], Ports(settings, LocalTokens(), lambda: datetime.now(UTC)))
    try:
        yield connector
    finally:
        await connector.close()


def operations_of(name: str) -> Mapping[str, Operation]:
    """The package's operations that are called for their own sake: all but the token's."""
    settings = sandbox_settings(PACKAGES[name].folder, 9)
    connector = open_connector(PACKAGES[name], Ports(settings, LocalTokens(), lambda: datetime.now(UTC)))
    return {key: operation for key, operation in connector.operations.items() if operation.role != "token"}


def _pairs(fits: Callable[[str, Operation], bool]) -> list[Any]:
    """(package, operation) as parameters of a test."""
    return [
        pytest.param(name, key, id=f"{name}-{key}")
        for name in PACKAGES
        for key, operation in operations_of(name).items()
        if fits(name, operation)
    ]


OPERATIONS = _pairs(lambda _, __: True)
WRITES = _pairs(lambda _, operation: operation.effect is not Effect.SAFE)
READS = _pairs(lambda _, operation: operation.effect is Effect.SAFE)
SOAP = _pairs(lambda name, _: manifest_of(name)["kind"] == "soap")
WITH_TOKEN = _pairs(lambda name, _: token_path(name) != "")


def base_document(name: str, operation: str) -> dict[str, Any]:
    """The canonical document of the operation's sample `succeeded`, with an operation id of its own."""
    (sample,) = (one for one in samples_of(PACKAGES[name]) if (one.operation, one.case) == (operation, "succeeded"))
    document: dict[str, Any] = sample.json("canonical.json")
    document.pop("secrets", None)
    document["operation_id"] = str(uuid4())
    return document


def with_person(name: str, document: dict[str, Any], key: str) -> dict[str, Any]:
    """The document with a test person in it: by mobile number for payments, by national number for the others."""
    number = key.replace("x", "0")
    if PACKAGES[name].folder.parent.name == PAYMENTS:
        return {**document, "payer": {"mobile": f"+{number}"}}
    return {**document, "applicant": {**document["applicant"], "national_number": number}}


async def say(connector: Connector, operation: str, call: Call) -> Outcome:
    """Prepare and send."""
    return await connector.send(connector.prepare(operation, call))


async def heard(connector: Connector, operation: str, call: Call) -> tuple[str, Outcome | ConnectorError]:
    """What came of it in one word ("succeeded", "refused:code", "error:code"), and the thing itself."""
    try:
        outcome = await say(connector, operation, call)
    except ConnectorError as error:
        return f"error:{error.code}", error
    final = outcome.status.value in ("succeeded", "absent")
    return outcome.status.value if final or not outcome.code else f"{outcome.status.value}:{outcome.code}", outcome
