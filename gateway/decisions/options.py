"""Decides what may be decided about a doubt, by how many people, and says what each would mean. Pure.

One person is enough where nothing can be done twice, nothing ends and nobody's word is taken for the truth: to ask
again, and to send again what only reads, what is honoured once, or what never left. All else needs two
(docs/adr/0006).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.kit.contract import Effect, Operation
from gateway.dead_letters.planner import WHY, Known, Sort, plan
from gateway.decisions.doubts import Action, Doubt, Subject
from gateway.decisions.words import MEANS, TWICE
from gateway.moments import iso
from gateway.settings import DispatchSettings
from gateway.steps import Route
from mappings.status import Attempt, Request

INQUIRE = "inquire"
Words = Mapping[str, str]  #: {"ar", "en"}


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be done about a doubt."""

    action: str  #: INQUIRE, or an Action.
    people: int
    means: Words
    twice: Words | None = None  #: What could be done twice; None: nothing.
    lane: str = ""  #: Where it is asked or sent.

    @property
    def told(self) -> dict[str, Words | None]:
        """The consequences, as they are kept with a proposal."""
        return {"means": self.means, "twice": self.twice}


def options(doubt: Doubt, route: Route | None, known: Known, policy: DispatchSettings) -> dict[str, Option]:
    """By action; none for what is over, or for a service that is not offered here any more."""
    if not doubt.waits or doubt.work is None or route is None:
        return {}
    kind, subject = route.service.steps[doubt.work.step].kind, doubt.subject
    found: list[Option] = []
    if subject is None:
        found = _given_up(doubt, known)
    else:
        operation = known.operations.get(f"{subject.attempt.connector}.{subject.attempt.operation}")
        if operation is not None and operation.effect is Effect.SAFE:
            found = _given_up(doubt, known)
        elif operation is not None:
            found += _asked(subject, operation)
            if route.stands_at(doubt.work, subject.attempt):
                found += _judged(kind, subject, operation)
                found += _resent(doubt, subject, operation, route, known, policy)
    return {option.action: option for option in found}


def _asked(subject: Subject, operation: Operation) -> list[Option]:
    if operation.inquire is None or subject.attempt.state is Attempt.SENDING:
        return []
    return [Option(INQUIRE, 1, _words(MEANS, "inquire"), lane=f"{subject.attempt.connector}.{operation.inquire}")]


def _judged(kind: str, subject: Subject, operation: Operation) -> list[Option]:
    """Done and not done, of an act that changes something."""
    if kind == "pay" and not subject.moves_money:
        return []  # nothing was debited by it, and the citizen is asked anew
    done, not_done = "done", "not_done"
    if kind == "pay":
        done, not_done = "done_paid", "not_done_paid"
    elif kind == "deliver":
        return [Option(Action.DONE, 2, _words(MEANS, "done_delivered"))]
    elif operation.inquire is not None:
        done = "done_asked"
    return [
        Option(Action.DONE, 2, _words(MEANS, done)),
        Option(Action.NOT_DONE, 2, _words(MEANS, not_done), _words(TWICE, not_done)),
    ]


def _resent(
    doubt: Doubt, subject: Subject, operation: Operation, route: Route, known: Known, policy: DispatchSettings
) -> list[Option]:
    """Sending an act again that may have arrived. A secret of the citizen's is not there to be sent again."""
    if doubt.state is Request.PARKED and plan(doubt.letter, known).sort is Sort.SAFE:
        return _safely(doubt, known)
    attempt = subject.attempt
    settled_ms = 1000 * (policy.lease_seconds + policy.send_window_seconds)
    may_leave_yet = attempt.state is Attempt.SENDING and attempt.age_ms < settled_ms
    if operation.secrets or attempt.state is Attempt.PENDING or may_leave_yet or doubt.work is None:
        return []
    if not route.sends_again(doubt.work, attempt):
        return []
    lane = f"{attempt.connector}.{attempt.operation}"
    facts = {"act": lane, "at": iso(subject.sending_at) or ""}
    return [Option(Action.RESEND, 2, _words(MEANS, "resend", **facts), _words(TWICE, "resend", **facts), lane)]


def _given_up(doubt: Doubt, known: Known) -> list[Option]:
    """Nothing that changes something stands open: it may go on, or end."""
    if doubt.state is not Request.PARKED:
        return []
    found = _safely(doubt, known)
    if plan(doubt.letter, known).sort is not Sort.DONE:
        found.append(Option(Action.NOT_DONE, 2, _words(MEANS, "end")))
    return found


def _safely(doubt: Doubt, known: Known) -> list[Option]:
    """What the replay of dead letters calls safe. Another mapping than it began with is that command's to accept."""
    planned = plan(doubt.letter, known)
    if planned.sort is not Sort.SAFE or planned.new_mapping:
        return []
    ar, en = WHY[planned.why]
    return [Option(Action.RESEND, 1, _words(MEANS, "resend_safe", why_ar=ar, why_en=en), lane=planned.lane)]


def _words(table: Mapping[str, tuple[str, str]], name: str, **facts: str) -> Words:
    ar, en = table[name]
    return {"ar": ar.format(**facts), "en": en.format(**facts)}
