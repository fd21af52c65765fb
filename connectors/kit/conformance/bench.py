"""What a case works with: the package, one operation, its connector, and the institution's sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from connectors.kit.conformance.canned import Canned, Said, playing
from connectors.kit.conformance.case import Failure, Variant, require
from connectors.kit.conformance.sandbox_process import SandboxProcess
from connectors.kit.conformance.subject import Subject, in_one_word
from connectors.kit.contract import Call, Connector, Effect, Operation, Outcome, Ports
from connectors.kit.errors import ConnectorError
from connectors.kit.outcome_file import quote_of
from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.tokens import LocalTokens
from connectors.registry import open_connector

_PATIENCE_SECONDS = 10


@asynccontextmanager
async def opened(subject: Subject, port: int) -> AsyncIterator[Connector]:
    """The package's connector, with the settings of its sandbox, spoken to at this port."""
    settings = sandbox_settings(subject.folder, port)
    connector = open_connector(subject.package, Ports(settings, LocalTokens(), lambda: datetime.now(UTC)))
    try:
        yield connector
    finally:
        await connector.close()


async def say(connector: Connector, operation: str, call: Call) -> Outcome:
    """Prepare and send."""
    return await connector.send(connector.prepare(operation, call))


async def heard(connector: Connector, operation: str, call: Call) -> tuple[str, Outcome | ConnectorError]:
    """What came of it in one word ("succeeded", "refused:code", "error:code"), and the thing itself."""
    try:
        outcome = await say(connector, operation, call)
    except ConnectorError as error:
        return f"error:{error.code}", error
    return in_one_word(outcome.status.value, outcome.code), outcome


async def until(condition: Callable[[], bool]) -> bool:
    """Wait until it holds; gives whether it did within ten seconds, which are more than enough on any machine."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.01)
    except TimeoutError:
        return False
    return True


def acted_id(call: Call) -> str:
    """The operation id under which the institution's ledger counts the act; a citizen's answer is one of its own."""
    if call.document.get("action"):
        return call.operation_id
    return str(call.document["subject_operation_id"] or call.operation_id)


@dataclass(frozen=True, slots=True)
class Stage:
    """One operation of one package, its connector, and the institution's sandbox."""

    subject: Subject
    operation: Operation
    connector: Connector
    sandbox: SandboxProcess

    async def ready(self, person: str | None = None) -> Call:
        """A call that can be made now: what it refers to was submitted or initiated before."""
        before = self._before()
        if before is None:
            return await self._prepared(self._call(self.operation.name, person))
        first = await self._prepared(self._call(before.name, person))
        word, result = await heard(self.connector, before.name, first)
        require(
            not isinstance(result, ConnectorError),
            f"لا يمكن تجربة {self.operation.name}: العملية {before.name} التي تسبقها انتهت إلى {word}. ({result})",
            f"{self.operation.name} cannot be tried: {before.name}, which goes before it, ended as {word}. ({result})",
        )
        return self.following(first)

    async def _prepared(self, call: Call) -> Call:
        """The call, with what the steps before it bring of the institution itself: a quote is good for a day only."""
        call = await self._quoted(call)
        steps = dict(call.document.get("steps") or {})
        for role in steps:
            asked = next((other for other in self.connector.operations.values() if other.role == role), None)
            if asked is None or asked.effect is not Effect.SAFE:
                continue
            _, result = await heard(self.connector, asked.name, call)
            if isinstance(result, Outcome) and result.data:
                steps[role] = dict(result.data)
        return replace(call, document={**call.document, "steps": steps})

    async def _quoted(self, call: Call) -> Call:
        """With a price that the institution names now, where the call says one; as it is when it names none."""
        asked = next((other for other in self.connector.operations.values() if other.role == "quote"), None)
        if asked is None or not call.document.get("quote"):
            return call
        _, result = await heard(self.connector, asked.name, call)
        if not isinstance(result, Outcome) or result.quote is None:
            return call
        quote = quote_of(result.quote)
        fee = {name: quote[name] for name in ("amount_minor", "currency", "denomination")}
        return replace(call, document={**call.document, "quote": quote, "fee": fee})

    def following(self, first: Call) -> Call:
        """The call of this operation that refers to `first`."""
        own_id = str(uuid4())
        document = {**first.document, "operation_id": own_id, "subject_operation_id": first.operation_id}
        if (action := self._answers()) is not None:
            document["action"] = action
        return Call(own_id, document, self._secrets(first.operation_id))

    def again(self, call: Call, **changes: Any) -> Call:
        """The same call for one more try."""
        return replace(call, **changes)

    def other(self, role: str) -> Operation:
        """This connector's operation with that role. Raises Failure when there is none."""
        for operation in self.connector.operations.values():
            if operation.role == role:
                return operation
        raise Failure(
            f"لا عملية بالدور {role} في manifest.toml، وتحتاجها {self.operation.name}؛ صرّح بها.",
            f"manifest.toml has no operation with role {role}, which {self.operation.name} needs; declare it.",
            self.subject.at("manifest.toml", f"operations.{self.operation.name}"),
        )

    def on(self, operation: Operation) -> "Stage":
        """The same stage for another operation."""
        return replace(self, operation=operation)

    def _before(self) -> Operation | None:
        operations = self.connector.operations.values()
        match self.operation.role:
            case "inquire":
                return next((other for other in operations if other.inquire == self.operation.name), None)
            case "confirm" | "resend":
                return self.other("initiate")
            case "cancel":
                return self.other("submit")
        return self._asking() if self._answers() is not None else None

    def _asking(self) -> Operation:
        """The submission that an answer belongs to: that of the same service, where there are several."""
        service = self.subject.document(self.operation.name)["request"]["service"]
        for operation in self.connector.operations.values():
            if operation.role == "submit":
                document = self.subject.document(operation.name)
                if not document.get("action") and document["request"]["service"] == service:
                    return operation
        return self.other("submit")

    def _answers(self) -> dict[str, Any] | None:
        """What its sample has of a citizen's answer, for an operation that takes one; it goes after the submission."""
        action: dict[str, Any] | None = self.subject.document(self.operation.name).get("action")
        return action

    def _call(self, operation: str, person: str | None) -> Call:
        document = self.subject.document(operation)
        document["subject_operation_id"] = ""  # nothing goes before it
        if person is not None:
            document = self.subject.with_person(document, person)
        secrets = {} if operation != self.operation.name else self.subject.sample(operation).call().secrets
        return Call(document["operation_id"], document, secrets)

    def _secrets(self, subject_id: str) -> dict[str, str]:
        if "otp" not in self.operation.secrets:
            return dict(self.subject.sample(self.operation.name).call().secrets)
        try:
            return {"otp": self.sandbox.otp(subject_id)}
        except IndexError:
            raise Failure(
                f"تحتاج {self.operation.name} إلى otp، ولم يرسل النظام التجريبي رسالة بها لهذه العملية.",
                f"{self.operation.name} needs an otp, and the sandbox sent no message with one for this act.",
                self.subject.at("sandbox.toml"),
            ) from None


@dataclass(frozen=True, slots=True)
class Bench:
    """One check's tools."""

    subject: Subject
    operation: Operation | None  #: None for a case of the whole package.
    variant: Variant
    sandbox: Callable[[], SandboxProcess]  #: Gives the running sandbox, clean since this check began.

    def on(self, operation: Operation) -> "Bench":
        """The same tools for one operation."""
        return replace(self, operation=operation)

    @property
    def name(self) -> str:
        """The operation's name; only in cases that are proven for each operation."""
        assert self.operation is not None
        return self.operation.name

    @property
    def declared(self) -> Operation:
        """The operation; only in cases that are proven for each operation."""
        assert self.operation is not None
        return self.operation

    @asynccontextmanager
    async def staged(self) -> AsyncIterator[Stage]:
        """A clean sandbox and a connector that speaks to it."""
        process = self.sandbox()
        async with opened(self.subject, process.port) as connector:
            yield Stage(self.subject, self.declared, connector, process)

    @asynccontextmanager
    async def replayed(self, said: Said, token_said: Said | None = None) -> AsyncIterator[tuple[Canned, Connector]]:
        """A server that gives this answer, and a connector that speaks to it."""
        async with (
            playing(self.subject, said, token_said) as server,
            opened(self.subject, server.port) as connector,
        ):
            yield server, connector
