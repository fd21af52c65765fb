"""What an institution's sandbox is built from: requests heard, answers given, test persons, and a desk."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.kit.hours import OpeningHours
from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.places import line_of, read_toml
from connectors.kit.sandbox.certificates import Certificates, certificates_of
from connectors.kit.sandbox.ledger import Ledger

JSON = "application/json; charset=utf-8"
XML = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came over the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  #: Names are compared without case.
    body: bytes
    target: str = ""  #: Path and query as they were sent.
    certificate: bytes = b""  #: Of the client, DER; empty without mutual TLS.


@dataclass(frozen=True, slots=True)
class Demand:
    """A request that was understood: the connector's operation that it means, and its parsed content."""

    operation: str
    heard: Heard
    content: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the institution says."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callback:
    """A message that the institution sends by itself."""

    name: str
    operation: str  #: After which act.
    body: bytes
    seconds: float  #: So long after the answer.
    modes: Mapping[str, Any] = field(default_factory=dict)  #: How it is sent for this person, in the switches' words.


class NotUnderstoodError(Exception):
    """The request is not of the contract; `answer` is what the institution says to that."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("request is not of the contract")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Person:
    """A test person: who comes with this key gets this outcome."""

    key: str  #: National number or mobile number; `x` stands for any digit.
    outcome: str
    text: Mapping[str, str]  #: `ar` and `en`.
    facts: Mapping[str, Any]  #: What else the institution's sandbox knows of the person.
    #: Operation -> what the connector must make of it, call after call: "pending", "refused:not_the_owner".
    expect: Mapping[str, list[str]] = field(default_factory=dict)


class Persons:
    """The test persons of one institution, from its persons.toml; whoever is not listed succeeds."""

    def __init__(self, persons: Mapping[str, Mapping[str, Any]]) -> None:
        self.listed = tuple(_person(key, row) for key, row in persons.items())
        self._exact = {person.key: person for person in self.listed if "x" not in person.key}
        self._patterns = tuple(person for person in self.listed if "x" in person.key)

    @classmethod
    def load(cls, path: Path) -> "Persons":
        """Read persons.toml: `[persons.<key>]` with outcome, ar, en and the institution's own facts; may be absent.
        Raises ManifestError."""
        if not path.is_file():
            return cls({})
        file = f"{path.parent.name}/{path.name}"
        read, text = read_toml(path, file, dict[str, dict[str, Any]])
        try:
            return cls(read.get("persons", {}))
        except _WrongPerson as wrong:
            key = f"persons.{wrong.key}"
            raise ManifestError(file, key, wrong.problem, line_of(text, key)) from wrong

    @classmethod
    def of(cls, people: Sequence[Person]) -> "Persons":
        """These persons, whose keys are exact."""
        persons = cls({})
        persons.listed = tuple(people)
        persons._exact = {person.key: person for person in people}
        return persons

    def find(self, key: str) -> Person:
        """The person with this key; the default person's outcome is "done"."""
        found = self._exact.get(key)
        if found is not None:
            return found
        for person in self._patterns:
            if len(key) == len(person.key) and all(p in ("x", c) for p, c in zip(person.key, key, strict=True)):
                return person
        return Person(key, "done", {}, {})


class _WrongPerson(Exception):
    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key, self.problem = key, problem


def _person(key: str, row: Any) -> Person:
    if not isinstance(row, Mapping):
        raise _WrongPerson(key, "each person is a table with outcome, ar and en")
    for name in ("outcome", "ar", "en"):
        if not isinstance(row.get(name), str):
            raise _WrongPerson(key, f"each person has outcome, ar and en; missing: {name}")
    facts = {name: value for name, value in row.items() if name not in ("outcome", "expect", "ar", "en")}
    return Person(key, row["outcome"], {"ar": row["ar"], "en": row["en"]}, facts, row.get("expect", {}))


def read_settings(folder: Path, certificates: Certificates | None = None) -> dict[str, Any]:
    """`[settings]` of the package's sandbox.toml, with its test certificates in place (else those of this process).
    Raises ManifestError."""
    return _table(folder, "settings", certificates)


def read_signing(folder: Path, certificates: Certificates | None = None) -> dict[str, str]:
    """`[signing]` of the package's sandbox.toml: the institution's own certificate and key; empty when it has none."""
    return _table(folder, "signing", certificates, needed=False)


def _table(
    folder: Path, name: str, certificates: Certificates | None, *, needed: bool = True, as_files: bool = False
) -> dict[str, Any]:
    file = f"{folder.name}/sandbox.toml"
    tables, _ = read_toml(folder / "sandbox.toml", file, dict[str, Any])
    if needed and name not in tables:
        raise ManifestError(file, name, "the key is missing")
    table = tables.get(name, {})
    made = certificates or certificates_of(folder.name)
    return {key: made.filled(value, as_file=as_files) for key, value in table.items()}


def sandbox_settings(
    folder: Path, port: int, certificates: Certificates | None = None, *, as_files: bool = False
) -> dict[str, Any]:
    """The connector's settings that fit its sandbox on this port: `{port}` and the test certificates are filled in.

    With `as_files` a certificate or a key is named, `file:PATH`, for a settings file.
    """
    settings = _table(folder, "settings", certificates, as_files=as_files)
    return {
        key: value.replace("{port}", str(port)) if isinstance(value, str) else value for key, value in settings.items()
    }


@dataclass(slots=True)
class Desk:
    """What the kit gives to an institution's sandbox."""

    name: str
    folder: Path
    ledger: Ledger
    settings: Mapping[str, Any]  #: Of its sandbox.toml: the credentials that are accepted here.
    #: `certificate` and `key` (PEM) of the institution itself.
    signing: Mapping[str, str] = field(default_factory=dict)
    certificates: Certificates = field(default_factory=lambda: certificates_of("desk"))
    hours: OpeningHours | None = None  #: Those of sandbox.toml.
    keeps_hours: bool = False  #: A test wants them to be kept.
    advanced: timedelta = timedelta()  #: How far a test has moved the institution's clock.
    _clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """The institution's time, aware UTC."""
        return self._clock() + self.advanced

    def closed_until(self) -> str | None:
        """The next opening (RFC 3339) while the institution is closed and keeps its hours."""
        now = self.now()
        if self.hours is None or not self.keeps_hours or self.hours.open_at(now):
            return None
        opening = self.hours.next_opening(now)
        return None if opening is None else opening.isoformat(timespec="seconds")


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object that was sent; empty for anything else, however it is broken."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


class Institution(ABC):
    """An institution's own part of its sandbox: package folders define a subclass named `Sandbox`.

    Everything here is plain computation on the loop's thread: waiting, cutting and spoiling belong to the kit, which
    knows which operation is meant from `hear`, and does the effect by `answer`.
    """

    token_operation = "token"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ledger = desk.ledger
        self.persons = Persons.load(desk.folder / "persons.toml")

    @abstractmethod
    def hear(self, heard: Heard) -> Demand:
        """Understand a request, without any effect. Raises NotUnderstoodError."""

    @abstractmethod
    def answer(self, demand: Demand) -> Answer:
        """Act, write the effect to the ledger, and answer."""

    def finished(self, answer: Answer) -> Answer:
        """The answer as it leaves: signed, or with attachments, where the contract wants that."""
        return answer

    def answer_as(self, demand: Demand, case: str) -> Answer:
        """Act and answer as for this outcome or sample case, whoever the person is; an unknown one changes nothing."""
        return self.answer(demand)

    @abstractmethod
    def fault(self, operation: str) -> Answer:
        """The institution's own "something is wrong with me", naming no listed refusal."""

    def forget_tokens(self) -> None:  # noqa: B027 - an institution without tokens has nothing to forget
        """Every access token that was issued is void from now on."""

    def messages(self) -> list[Mapping[str, Any]]:
        """Messages that would have reached people outside (SMS), oldest first."""
        return []

    def take_callbacks(self) -> list[Callback]:
        """What is to be sent by itself after the act that was just done; asked for once after each answer."""
        return []

    def act(self, action: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """A deed of the institution's staff, asked for through the control API. Raises KeyError when there is none."""
        raise KeyError(action)

    def reset(self) -> None:  # noqa: B027 - the ledger's memory may be all there is
        """Forget what is not in the ledger's memory."""
