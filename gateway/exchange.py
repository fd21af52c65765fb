"""One exchange with a counterparty on its way: its plan, its attempt row, its send window, and an early question."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.kit.contract import Outcome, Prepared
from connectors.kit.errors import ConnectorError
from gateway.ids import new_id
from gateway.lanes.breaker import WindowPassed
from gateway.logs import log
from gateway.steps import Plan
from gateway.work import NewAttempt, Work

#: A problem of our own in rendering or reading; the row is judged like any other failure, never lost.
_BROKEN = "connector_failure"


class Broken(ConnectorError):
    """The connector failed in a way that it does not declare."""

    code = _BROKEN
    retryable = False


@dataclass(slots=True)
class SendWindow:
    """Gives up before the first byte when too long has passed since SENDING was committed (monotonic clock)."""

    seconds: float
    monotonic: Callable[[], float]
    committed_at: float | None = None

    def check(self) -> None:
        """Raise WindowPassed, a NotSent, when the window has passed."""
        if self.committed_at is not None and self.monotonic() - self.committed_at > self.seconds:
            raise WindowPassed("the send window has passed")


@dataclass(slots=True)
class Exchange:
    """One exchange on its way: the plan, its attempt row and how its settlement is committed."""

    plan: Plan
    intended: bool
    window: SendWindow
    attempt: NewAttempt | None = None  #: None for an inquiry, which is evidence about an older attempt.
    secrets: Mapping[str, str] = field(default_factory=dict)
    prepared: Prepared | None = None
    failure: ConnectorError | None = None  #: It could not even be rendered.
    asked: asyncio.Task[Outcome | ConnectorError] | None = None  #: Under way already: a read that was asked early.
    answer: Outcome | ConnectorError | None = None  #: What came of it.
    begun: float = field(default_factory=time.perf_counter)

    def drop(self) -> None:
        """The request is not this worker's after all: its early question is given up."""
        if self.asked is not None:
            self.asked.cancel()


def new_attempt(plan: Plan, payload_hash: str, *, number: int) -> NewAttempt:
    """The row of an exchange that is about to be made."""
    return NewAttempt(
        id=new_id(),
        connector=plan.connector.name,
        operation=plan.operation.name,
        role=plan.operation.role,
        operation_id=plan.operation_id,
        number=number,
        payload_hash=payload_hash,
        moves_money=plan.moves_money,
    )


def with_attempt(work: Work, exchange: Exchange) -> Exchange:
    """With its attempt row, which an inquiry has not."""
    if exchange.plan.subject is None:
        payload_hash = exchange.prepared.payload_hash if exchange.prepared else ""
        exchange.attempt = new_attempt(exchange.plan, payload_hash, number=work.tries + work.waits + 1)
    return exchange


async def ask(work: Work, made: Exchange) -> Outcome | ConnectorError:
    """What the institution answers, or why there is no answer; never raises."""
    connector = made.plan.connector
    if made.prepared is None:
        return made.failure or Broken("nothing was rendered")
    try:
        return await connector.send(made.prepared)
    except ConnectorError as error:
        return error
    except Exception as error:  # noqa: BLE001 (a fault of ours must park the request, not lose it)
        log.error("connector_failure", request_id=work.request_id, connector=connector.name, exc_info=error)
        return Broken(type(error).__name__)
