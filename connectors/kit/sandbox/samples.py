"""Plays the operations that have no rules: from the package's samples, else with values that the contract allows.

Each act is counted under the operation id, wherever the package's mapping puts it on the wire. Which case is answered
is decided by the test person, or by the switch `case`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.contract import Effect
from connectors.kit.package import Package
from connectors.kit.sandbox.cases import SUCCEEDED, Case
from connectors.kit.sandbox.document import SandboxDocument
from connectors.kit.sandbox.institution import Answer, Desk, Person, Persons
from connectors.kit.sandbox.places import Places, at, places_of

_AFTER = frozenset({"confirm", "resend", "cancel", "inquire", "refund", "inquire_refund"})
_FIRST_NUMBER = 99000001001  #: Of the test persons that a package without persons.toml gets.
_FIRST_MOBILE = 963930001001
_MOBILE_DIGITS = 9


@dataclass(slots=True)
class _Operation:
    role: str
    effect: Effect
    places: Places
    cases: Mapping[str, Case]
    does: Mapping[str, bool]  #: Case -> whether the act is done, where sandbox.toml says so.
    generated: Callable[[], Answer]
    asks_for: tuple[str, ...] = field(default=())


class SamplePlayer:
    """The operations of one package that have no rules."""

    def __init__(self, package: Package, document: SandboxDocument, desk: Desk, persons: Persons) -> None:
        self._package = package
        self._document = document
        self._desk = desk
        self._operations: dict[str, _Operation] = {}
        self._persons = persons
        self.messages: list[Mapping[str, Any]] = []

    def add(self, name: str, cases: Mapping[str, Case], generated: Callable[[], Answer]) -> None:
        """Play this operation; `generated` makes an answer where there is no sample."""
        declared = self._package.manifest.operations[name]
        example = cases.get(SUCCEEDED) or next(iter(cases.values()), None)
        places = places_of(
            self._package.mappings[name].request, example.canonical if example else {}, self._desk.settings
        )
        rules = self._document.operations.get(name)
        does = {case: bool(given.done) for case, given in rules.outcomes.items()} if rules else {}
        self._operations[name] = _Operation(
            declared.role, declared.effect, places, cases, does, generated, self._confirmations(name)
        )

    def _confirmations(self, name: str) -> tuple[str, ...]:
        """The secrets that people are asked for after this operation."""
        if self._package.manifest.operations[name].role not in {"initiate", "resend"}:
            return ()
        return tuple({secret for other in self._package.manifest.operations.values() for secret in other.secrets})

    def people(self) -> list[Person]:
        """Test persons by which every case is reached, for a package that lists none itself."""
        cases = sorted({case for one in self._operations.values() for case in one.cases} - {SUCCEEDED})
        pays = any(one.places.payer for one in self._operations.values())
        first = _FIRST_MOBILE if pays else _FIRST_NUMBER
        return [
            Person(str(first + number), case, {"ar": f"حالة العينة {case}", "en": f"The sample case {case}"}, {})
            for number, case in enumerate(cases)
        ]

    def take(self, persons: Persons) -> Persons:
        """Play these test persons from now on."""
        self._persons = persons
        return persons

    def knows(self, operation: str) -> bool:
        """Whether it is played here."""
        return operation in self._operations

    def play(self, operation: str, request: Mapping[str, Any], case: str | None = None) -> Answer:
        """Act and answer; `case` is what a switch asks for."""
        played = self._operations[operation]
        own, subject = at(played.places.operation_id, request), at(played.places.subject, request)
        if played.role in _AFTER:
            own, subject = own or subject, subject or own
        known = self._desk.ledger.memory.get(f"act:{subject or own}") or {}
        wanted = case or self._outcome(played, request) or known.get("outcome")
        chosen = self._chosen(played, wanted, absent=played.role == "inquire" and bool(subject) and not known)
        self._act(operation, played, chosen, subject or own or _digest(request), wanted)
        if chosen is None:
            return played.generated()
        return chosen.answer_for(own, subject)

    def fault(self, operation: str) -> Answer | None:
        """The technical error that one of the operation's samples shows; None when none does."""
        played = self._operations.get(operation)
        cases = played.cases.values() if played is not None else ()
        return next(
            (case.answer for case in cases if case.error == "upstream_fault" and case.answer.status >= 500), None
        )

    def _act(self, name: str, played: _Operation, chosen: Case | None, key: str, outcome: str | None) -> None:
        """Count the act, once for an idempotent one, and remember what the inquiry will be asked about."""
        if played.effect is Effect.SAFE or not self._done(played, chosen):
            return
        memory = self._desk.ledger.memory
        known = memory.get(f"act:{key}") or {}
        done = known.get("done", [])
        if played.effect is not Effect.IDEMPOTENT or name not in done:
            if played.role not in {"initiate", "resend"} or not self._has_confirmation():
                self._desk.ledger.record(key, name, played.role)
            self._desk.ledger.remember(
                f"act:{key}", {"done": [*done, name], "outcome": known.get("outcome") or outcome}
            )
        for secret in played.asks_for:
            said = chosen.canonical.get("secrets", {}).get(secret) if chosen else None
            self.messages.append({"transaction_id": key, "mobile": "", secret: said or "123456"})

    def _has_confirmation(self) -> bool:
        return any(one.role == "confirm" for one in self._operations.values())

    @staticmethod
    def _done(played: _Operation, chosen: Case | None) -> bool:
        return chosen is None or played.does.get(chosen.name, chosen.does)

    def _outcome(self, played: _Operation, request: Mapping[str, Any]) -> str | None:
        """The outcome of the test person in the request, by national number or by the end of the mobile number."""
        number, mobile = at(played.places.person, request), at(played.places.payer, request)
        for person in self._persons.listed:
            ends = mobile and person.key[-_MOBILE_DIGITS:] == mobile[-_MOBILE_DIGITS:]
            if ends or (number and self._persons.find(number).key == person.key):
                return person.outcome
        return None

    @staticmethod
    def _chosen(played: _Operation, outcome: str | None, *, absent: bool) -> Case | None:
        if absent:
            for case in played.cases.values():
                if case.status == "absent":
                    return case
        word = (outcome or "").replace("_", "-")
        for name in (word, f"refused-{word}", f"pending-{word}", f"in-doubt-{word}"):
            if name in played.cases:
                return played.cases[name]
        return played.cases.get(SUCCEEDED) or next(iter(played.cases.values()), None)


def _digest(request: Mapping[str, Any]) -> str:
    """What names a request that carries no operation id: the same request has the same name."""
    told = {key: request.get(key) for key in ("path", "query", "body")}
    return "request-" + hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:12]
