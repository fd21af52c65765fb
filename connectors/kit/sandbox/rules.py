"""Plays the rules of a sandbox.toml: the first rule whose conditions hold acts and answers.

Everything is compiled once, and an operation reads only the names that its rules and answers mention. Nothing here
knows of SOAP, JSON or HTTP.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from connectors.kit.sandbox.document import Operation, Read, Rule, SandboxDocument
from connectors.kit.sandbox.entries import Entry
from connectors.kit.sandbox.institution import Callback, Desk, Persons
from connectors.kit.sandbox.notices import Notice
from connectors.kit.sandbox.steps import Context, Spoken, Step
from connectors.kit.sandbox.tokens import TokenStore
from connectors.kit.sandbox.words import Words
from mappings.language import Template

Holds = Callable[[Context], bool]
Reader = Callable[[Context], Any]
_TIMES = frozenset({"now", "now_text", "today"})
_NONE = Operation()


class RulePlayer:
    """One institution's behaviour."""

    def __init__(self, document: SandboxDocument, desk: Desk, persons: Persons, tokens: TokenStore) -> None:
        """Raises ManifestError for an expression that is wrong."""
        self.document = document
        self.desk = desk
        self.tokens = tokens
        self.messages: list[Mapping[str, Any]] = []
        self._persons = persons
        desk.hours = document.hours.opening_hours() if document.hours is not None else None
        words = Words(desk.folder, document)
        self._reads = [(name, *self._reader(name, read, words)) for name, read in document.reads.items()]
        self._notices = {name: Notice(name, callback, words) for name, callback in document.callbacks.items()}
        self._entries = {name: Entry(name, book, words) for name, book in document.statements.items()}
        self.due: list[Callback] = []  #: What is to be sent after the act that was just done.
        self._operations = {
            name: _RuleList(self, name, operation, words)
            for name, operation in document.operations.items()
            if operation.rules
        }
        self._apart = {
            name: Step(self, name, name, _NONE, getattr(document, name), words)
            for name in ("broken", "not_found", "not_valid")
        }
        self._acts = {name: words.template(dict(act.keep), f"acts.{name}.keep") for name, act in document.acts.items()}

    def knows(self, operation: str) -> bool:
        """Whether there are rules for it."""
        return operation in self._operations

    def play(self, operation: str, request: Mapping[str, Any], outcome: str | None = None) -> Spoken:
        """Act as the first rule that holds says, or as this outcome does where the operation lists it.

        Raises MappingError for a value that does not fit an expression.
        """
        return self._operations[operation].play(request, outcome)

    def apart(self, which: str) -> Spoken:
        """The answer `broken`, `not_found` or `not_valid`."""
        return self._apart[which].play({})

    def act(self, action: str, operation_id: str) -> None:
        """A deed of the staff. Raises KeyError for a deed or an operation id that is not known."""
        key = f"{self.document.acts[action].kept}:{operation_id}"
        memory = self.desk.ledger.memory
        self.desk.ledger.remember(key, {**memory[key], **(self._acts[action]({}) or {})})

    def called_back(self, operation: str) -> list[Notice]:
        """What is sent after the operation's act."""
        return [
            notice for name, notice in self._notices.items() if operation in self.document.callbacks[name].operations
        ]

    def entered(self, operation: str) -> list[Entry]:
        """The books in which its acts are listed."""
        return [
            entry for name, entry in self._entries.items() if operation in self.document.statements[name].operations
        ]

    def readers(self, needed: set[str]) -> tuple[list[tuple[str, Reader]], frozenset[str]]:
        """The readers of the names in `needed` and of those that they read themselves, in order; and all the names."""
        wanted, chosen = set(needed), []
        for name, reader, mentions in reversed(self._reads):
            if name in wanted:
                wanted |= mentions
                chosen.append((name, reader))
        return chosen[::-1], frozenset(wanted)

    def draw(self, name: str) -> int:
        """The next number of that name."""
        key = f"number:{name}"
        number = int(self.desk.ledger.memory.get(key, self.document.numbers[name]))
        self.desk.ledger.remember(key, number + 1)
        return number

    def keep(self, context: Context, name: str, fields: Mapping[str, Any]) -> None:
        """Write fields into what is kept under that name's key; without a key nothing is kept."""
        key = context["keys"].get(name)
        if key is not None:
            context[name] = {**(context.get(name) or {}), **fields}
            self.desk.ledger.remember(f"{name}:{key}", context[name])

    def _reader(self, name: str, read: str | Read, words: Words) -> tuple[Reader, frozenset[str]]:
        key = f"reads.{name}"
        if isinstance(read, str):
            plain = words.template(read, key)
            return plain, plain.fields
        if read.kept_under is not None:
            where = words.template(read.kept_under, f"{key}.kept_under")
            return self._kept(name, where), where.fields
        if read.person is not None:
            number = words.template(read.person, f"{key}.person")
            return self._person(number), number.fields
        if read.random_digits is not None:
            count = read.random_digits
            return lambda _: f"{secrets.randbelow(10**count):0{count}d}", frozenset()
        if read.seconds_from_now is not None:
            seconds = timedelta(seconds=read.seconds_from_now)
            return lambda _: (self.desk.now() + seconds).isoformat(timespec="seconds"), frozenset()
        days = timedelta(days=read.days_from_today or 0)
        return lambda _: (self.desk.now().date() + days).isoformat(), frozenset()

    def _kept(self, name: str, where: Template) -> Reader:
        memory = self.desk.ledger.memory

        def read(context: Context) -> Any:
            key = where(context)
            if key is None:
                return None
            context["keys"][name] = key
            return memory.get(f"{name}:{key}")

        return read

    def _person(self, number: Template) -> Reader:
        find = self._persons.find

        def read(context: Context) -> Any:
            key = number(context)
            person = find(key if isinstance(key, str) else "")
            return {**person.facts, "number": key, "outcome": person.outcome}

        return read


class _RuleList:
    """The rules of one operation."""

    def __init__(self, player: RulePlayer, name: str, operation: Operation, words: Words) -> None:
        self._player = player
        self._desk = player.desk
        self._name = name
        self._notices = player.called_back(name)
        self._entries = player.entered(name)
        self._outcomes = {
            outcome: Step(player, f"operations.{name}.outcomes.{outcome}", name, operation, given, words)
            for outcome, given in operation.outcomes.items()
        }
        self._rules: list[tuple[Holds | None, Step | Template]] = []
        needed = {name for step in self._outcomes.values() for name in step.mentions}
        needed |= {name for notice in self._notices for name in notice.mentions}
        needed |= {name for entry in self._entries for name in entry.mentions}
        for key, rule in _flat(player.document, name, operation):
            holds, mentions = _condition(player, rule, key, words)
            what = _what(player, name, operation, rule, key, words)
            needed |= mentions | (what.mentions if isinstance(what, Step) else what.fields)
            self._rules.append((holds, what))
        self._reads, self.mentions = player.readers(needed)

    def play(self, request: Mapping[str, Any], outcome: str | None) -> Spoken:
        context: Context = {"request": request, "settings": self._desk.settings, "keys": {}}
        if self.mentions & _TIMES:
            now = self._desk.now()
            context["now"] = int(now.timestamp())
            context["now_text"] = now.isoformat(timespec="seconds")
            context["today"] = now.date().isoformat()
        if "closed_until" in self.mentions:
            context["closed_until"] = self._player.desk.closed_until()
        for name, read in self._reads:
            context[name] = read(context)
        step = self._outcomes.get(outcome) if outcome is not None else None
        spoken = (step or self._chosen(context)).play(context)
        for notice in self._notices:
            if (callback := notice.due(context, self._name, done=spoken.done)) is not None:
                self._player.due.append(callback)
        for entry in self._entries:
            entry.enter(context, self._desk.ledger, self._desk.now().isoformat(), done=spoken.done)
        return spoken

    def _chosen(self, context: Context) -> Step:
        for holds, what in self._rules:
            if holds is not None and not holds(context):
                continue
            if isinstance(what, Step):
                return what
            step = self._outcomes.get(what(context))
            if step is not None:
                return step
        raise AssertionError("the last rule always holds")


def _flat(document: SandboxDocument, name: str, operation: Operation) -> Iterator[tuple[str, Rule]]:
    for number, rule in enumerate(operation.rules):
        if rule.use is None:
            yield f"operations.{name}.rules[{number}]", rule
            continue
        for shared, one in enumerate(document.shared[rule.use]):
            yield f"shared.{rule.use}[{shared}]", one


def _what(player: RulePlayer, name: str, operation: Operation, rule: Rule, key: str, words: Words) -> Step | Template:
    if rule.outcomes is not None:
        return words.template(rule.outcomes, f"{key}.outcomes")
    return Step(player, key, name, operation, rule, words)


def _condition(player: RulePlayer, rule: Rule, key: str, words: Words) -> tuple[Holds | None, set[str]]:
    """All conditions of a rule in one, and the names that they mention."""
    checks: list[Holds] = []
    mentions: set[str] = set()
    for text, form, part in ((rule.if_, "!!({})", "if"), (rule.unless, "!({})", "unless")):
        if text is not None:
            truth = words.template(form.format(text), f"{key}.{part}")
            checks.append(truth)
            mentions |= truth.fields
    if rule.missing:
        places = [words.template(f"request.{place}", f"{key}.missing") for place in rule.missing]
        checks.append(lambda context: any(place(context) in (None, "", [], {}) for place in places))
        mentions |= {field for place in places for field in place.fields}
    for place, pattern in rule.unlike.items():
        value = words.template(f"request.{place}", f"{key}.unlike.{place}")
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise words.refuse(f"{key}.unlike.{place}", f"not a regular expression: {error}") from error
        checks.append(_unlike(value, wanted))
        mentions |= value.fields
    if rule.bad_token is not None:
        token = words.template(rule.bad_token, f"{key}.bad_token")
        checks.append(lambda context: not player.tokens.is_good(token(context)))
        mentions |= token.fields
    if len(checks) < 2:
        return (checks[0] if checks else None), mentions
    return lambda context: all(check(context) for check in checks), mentions


def _unlike(value: Template, wanted: re.Pattern[str]) -> Holds:
    def holds(context: Context) -> bool:
        text = value(context)
        return not (isinstance(text, str) and wanted.fullmatch(text))

    return holds
