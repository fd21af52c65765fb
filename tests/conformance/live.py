"""Calls against a running sandbox: what has to happen before an operation can be called, and the call itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from connectors.kit.contract import Call, Connector, Operation
from tests.conformance.packages import base_document, heard, opened, with_person
from tests.sandboxes import SandboxProcess


@dataclass(frozen=True, slots=True)
class Stage:
    """One operation of one package, its connector, and the institution's sandbox."""

    name: str
    operation: Operation
    connector: Connector
    sandbox: SandboxProcess

    async def ready(self, person: str | None = None) -> Call:
        """A call that can be made now: what it refers to was submitted or initiated before."""
        before = self._before()
        if before is None:
            return self._call(self.operation.name, person)
        first = self._call(before.name, person)
        _, result = await heard(self.connector, before.name, first)
        assert not isinstance(result, Exception), result
        return self.following(first)

    def following(self, first: Call) -> Call:
        """The call of this operation that refers to `first`."""
        own_id = str(uuid4())
        document = {**first.document, "operation_id": own_id, "subject_operation_id": first.operation_id}
        secrets = {"otp": self.sandbox.otp(first.operation_id)} if "otp" in self.operation.secrets else {}
        return Call(own_id, document, secrets)

    def again(self, call: Call, **changes: Any) -> Call:
        """The same call for one more try."""
        return replace(call, **changes)

    def other(self, role: str) -> Operation:
        """This connector's operation with that role."""
        return next(operation for operation in self.connector.operations.values() if operation.role == role)

    def on(self, operation: Operation) -> "Stage":
        """The same stage for another operation."""
        return replace(self, operation=operation)

    def _before(self) -> Operation | None:
        operations = self.connector.operations.values()
        if self.operation.role == "inquire":
            return next(operation for operation in operations if operation.inquire == self.operation.name)
        return self.other("initiate") if self.operation.role in ("confirm", "resend") else None

    def _call(self, operation: str, person: str | None) -> Call:
        document = base_document(self.name, operation)
        if person is not None:
            document = with_person(self.name, document, person)
        return Call(document["operation_id"], document)


def acted_id(call: Call) -> str:
    """The operation id under which the institution's ledger counts the act."""
    return str(call.document["subject_operation_id"] or call.operation_id)


@asynccontextmanager
async def staged(name: str, operation: str, sandbox: Callable[[str], SandboxProcess]) -> AsyncIterator[Stage]:
    """A clean sandbox and a connector that speaks to it."""
    process = sandbox(name)
    async with opened(name, process.port) as connector:
        yield Stage(name, connector.operations[operation], connector, process)
