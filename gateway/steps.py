"""Which exchange a piece of work needs now, and which step follows.

A service's steps are data; this file walks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.kit.contract import Connector, Effect, Operation
from gateway.catalogue import Service
from gateway.lanes.bulkhead import lane_of
from gateway.work import OpenAttempt, Work
from mappings.money import Money
from mappings.status import Attempt

#: The phase in which a citizen's answer to an institution's question is handed over.
ACT = "act"
#: The phase in which a payment is begun with its provider.
INITIATE = "initiate"
#: The phase in which a result lies at a centre until the citizen comes for it.
PICKUP = "pickup"
#: The connector that carries results to citizens.
POST = "post"


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a request stands after a step: at another step with its lane, or at the end (lane is None)."""

    step: int
    phase: str
    lane: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One exchange to make."""

    connector: Connector
    operation: Operation
    operation_id: str
    step_kind: str
    subject: OpenAttempt | None = None  #: What is asked about, for inquire.
    about: str = ""  #: Operation id of the act that is meant (inquire, confirm, resend).

    @property
    def lane(self) -> str:
        return lane_of(self.connector.name, self.operation.name)

    @property
    def moves_money(self) -> bool:
        """Whether the exchange itself can debit the payer."""
        return self.operation.role == "confirm"


class Route:
    """One service's steps over the connectors at hand."""

    def __init__(self, service: Service, connectors: Mapping[str, Connector]) -> None:
        self.service = service
        self._connectors = connectors
        used = dict.fromkeys(step.connector for step in service.steps if step.connector)
        #: Kept with every request, so that it can be told which mappings it started with.
        self.mapping_version = ",".join(f"{name}@{connectors[str(name)].version}" for name in used)

    def payable(self, amount: Money) -> tuple[str, ...]:
        """The ways to pay for the service by which this amount can be paid to the last piastre."""
        if self.service.fee is None:
            return ()
        return tuple(method for method in self.service.fee.methods if self._fits(method, amount))

    def _fits(self, method: str, amount: Money) -> bool:
        pays_in = by_role(self._connectors[method], "initiate").pays_in
        return pays_in is None or pays_in.fits(amount)

    def land(self, step: int, progress: Mapping[str, Any]) -> Landing:
        """The first step from `step` on that needs an exchange, or a person at a centre.

        What is awaited is asked for by inquiry, and electronic delivery is done by being there.
        """
        for index in range(step, len(self.service.steps)):
            kind = self.service.steps[index].kind
            if kind == "deliver" and "delivery" in progress:
                if progress["delivery"] != POST:
                    return Landing(index, PICKUP, None)
                post = self._connectors[POST]
                return Landing(index, "", lane_of(post.name, by_role(post, "submit").name))
            if kind in ("await", "deliver"):
                continue
            if kind == "pay":
                if self.service.fee is None:
                    continue
                connector = self._connectors[progress["payment"]["method"]]
                return Landing(index, INITIATE, lane_of(connector.name, by_role(connector, "initiate").name))
            named = self.service.steps[index]
            return Landing(index, "", lane_of(str(named.connector), str(named.operation)))
        return Landing(len(self.service.steps) - 1, "", None)

    def plan(self, work: Work) -> Plan:
        """The exchange that the work needs now."""
        kind = self.service.steps[work.step].kind
        subject = work.open_attempt
        if subject is not None and self._must_inquire(subject) and _concerns(work, kind, subject):
            return self.inquiry(subject, kind)
        if work.phase == ACT:
            return self.act(work)
        if kind == "pay":
            return self.payment(work, "initiate")
        if kind == "deliver":
            post = self._connectors[POST]
            return Plan(post, by_role(post, "submit"), _act_id(work), kind)
        named = self.service.steps[work.step]
        connector = self._connectors[str(named.connector)]
        operation = connector.operations[str(named.operation)]
        return Plan(connector, operation, _act_id(work), kind)

    def act(self, work: Work) -> Plan:
        """Handing over a citizen's answer to the operation that the service names for it."""
        act = work.progress["act"]
        connector = self._connectors[act["connector"]]
        operation = connector.operations[act["operation"]]
        return Plan(connector, operation, _act_id(work), self.service.steps[work.step].kind, about=act["about"])

    def resumed_lane(self, work: Work) -> str | None:
        """Where the act is asked about whose answer was handed over; None when it does not wait for one."""
        step = self.service.steps[work.step]
        if not work.progress["act"]["open"] or step.connector is None:
            return None
        return self.inquiry_lane(step.connector, self._connectors[step.connector].operations[str(step.operation)])

    def payment(self, work: Work, role: str) -> Plan:
        """An exchange with the chosen payment provider; all of one payment try share the provider's transaction id."""
        payment = work.progress["payment"]
        connector = self._connectors[payment["method"]]
        operation_id = _payment_id(work)
        return Plan(connector, by_role(connector, role), operation_id, "pay", about=operation_id)

    def inquiry(self, subject: OpenAttempt, kind: str) -> Plan:
        """Asking what became of an attempt."""
        connector = self._connectors[subject.connector]
        operation = connector.operations[str(connector.operations[subject.operation].inquire)]
        return Plan(connector, operation, subject.operation_id, kind, subject=subject, about=subject.operation_id)

    def sends_again(self, work: Work, attempt: OpenAttempt) -> bool:
        """Whether the work, once nothing stands open, is to make the same exchange that `attempt` was."""
        again = self.plan(replace(work, open_attempt=None))
        same = (again.connector.name, again.operation.name) == (attempt.connector, attempt.operation)
        return same and again.operation_id == attempt.operation_id

    def stands_at(self, work: Work, attempt: OpenAttempt) -> bool:
        """Whether the request is still about the attempt's act: no later step, round or payment, no newer try."""
        newest = work.open_attempt
        if newest is not None and newest.id != attempt.id:
            return False
        kind = self.service.steps[work.step].kind
        if kind == "pay":
            return attempt.operation_id == _payment_id(work)
        return _concerns(work, kind, attempt)

    def plan_of(self, work: Work, attempt: OpenAttempt) -> Plan:
        """The exchange that the attempt was, for whoever is told what became of it."""
        connector, kind = self._connectors[attempt.connector], self.service.steps[work.step].kind
        operation, act = self.operation_of(attempt), attempt.operation_id
        return Plan(connector, operation, act, kind, subject=attempt, about=act)

    def _must_inquire(self, subject: OpenAttempt) -> bool:
        """What is pending is asked about; what is in doubt only where a repeat would not be harmless."""
        operation = self.operation_of(subject)
        if operation.inquire is None:
            return False
        doubtful = subject.state is Attempt.IN_DOUBT and operation.effect is Effect.INQUIRABLE
        return subject.state is Attempt.PENDING or doubtful

    def operation_of(self, attempt: OpenAttempt) -> Operation:
        """The operation that an attempt was made with."""
        return self._connectors[attempt.connector].operations[attempt.operation]

    def inquiry_lane(self, connector: str, operation: Operation) -> str | None:
        """The lane in which `operation` is asked about, None when nobody can be asked."""
        return lane_of(connector, operation.inquire) if operation.inquire else None


def by_role(connector: Connector, role: str) -> Operation:
    """The connector's operation that plays `role`; KeyError when it has none (an absent role means that it cannot)."""
    for operation in connector.operations.values():
        if operation.role == role:
            return operation
    raise KeyError(f"{connector.name} has no operation with the role {role}")


def _stem(work: Work) -> str:
    return work.request_id.replace("-", "")


def _payment_id(work: Work) -> str:
    """The provider's transaction id of the payment that is chosen now."""
    return f"{_stem(work)}-p{work.progress['payment']['number']}"


def _act_id(work: Work) -> str:
    """The operation id of the step; what a citizen's answer begins anew has an id of its own."""
    again = work.progress.get("round")
    step = f"{_stem(work)}-{work.step}-r{again}" if again else f"{_stem(work)}-{work.step}"
    return f"{step}-{work.progress['act']['id']}" if work.phase == ACT else step


def _concerns(work: Work, kind: str, subject: OpenAttempt) -> bool:
    """Whether the open attempt belongs to what is done now: an act that waited for the citizen stays open beside it."""
    if kind == "pay":
        return True
    own = _act_id(work)
    return subject.operation_id == own or (work.phase != ACT and subject.operation_id.startswith(f"{own}-"))


def canonical_document(work: Work, plan: Plan) -> dict[str, Any]:
    """The document that mappings read (connectors.kit.contract.Call)."""
    payment = work.progress.get("payment") or {}
    fee = None
    if work.intent_id is not None:
        amount = work.amount_minor - work.paid_minor if plan.step_kind == "pay" else work.amount_minor
        fee = {"amount_minor": amount, "currency": work.currency, "denomination": work.denomination}
    act = work.progress["act"] if work.phase == ACT else None
    return {
        "operation_id": plan.operation_id,
        "subject_operation_id": plan.about,
        "request": {
            "id": work.request_id,
            "service": work.service,
            "language": work.language,
            "accepted_at": work.created_at,
        },
        "applicant": work.content["applicant"],
        "input": work.content["input"],
        "delivery": work.content["delivery"],
        "fee": fee,
        "payer": payment.get("payer"),
        "reference": plan.subject.reference if plan.subject else work.progress.get("reference", ""),
        "steps": work.progress.get("steps", {}),
        "quote": work.progress.get("quote"),
        "action": {"kind": act["kind"], "answer": act["answer"]} if act else None,
        "attachments": work.attachments,
    }
