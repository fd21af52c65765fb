"""The form of a package's `sandbox.toml`: how an institution behaves, as data. docs/reference/sandbox.md explains it.

Whether an act happens (`done`) is always written beside what is answered (`say`, `fault`, `status`): an institution may
refuse and have acted, or say yes and have done nothing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.forms import Hours
from connectors.kit.manifest.places import line_of, read_toml
from connectors.kit.sandbox.said import Callback, Statement

Expression = str  #: JMESPath, as in mapping documents.
Leaves = Mapping[str, Any]  #: A tree whose text leaves are expressions.
HttpStatus = Annotated[int, Meta(ge=100, le=599)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Consequence(_Strict, frozen=True):
    """What follows when a rule holds: what happens, and what is answered."""

    done: Annotated[
        bool | None,
        Meta(
            description="The act is done and counted in the ledger; to be said wherever the operation has an `effect`."
        ),
    ] = None
    keep: Annotated[
        Mapping[str, Leaves], Meta(description="Name of something kept -> the fields that are written into it.")
    ] = {}
    draw: Annotated[str | None, Meta(description="Draws the next of `numbers`; the rules see it as `number`.")] = None
    document: Annotated[
        str | None, Meta(description="Which of `documents` is made; the rules see it as `document`.")
    ] = None
    message: Annotated[Leaves, Meta(description="A message (SMS) that goes out to a person.")] = {}
    new_token: Annotated[bool, Meta(description="Issues an access token; the rules see it as `token`.")] = False
    void_tokens: Annotated[
        bool, Meta(description="Every access token that was issued is void from now on, as when one ends midway.")
    ] = False
    say: Annotated[
        str | None, Meta(description="The institution's code; the answer sees it as `code`, and its text as `text`.")
    ] = None
    fault: Annotated[str | None, Meta(description="SOAP: a Fault with this code instead of an answer.")] = None
    page: Annotated[
        str | None, Meta(description="An HTML page with these words instead of an answer, as overloaded servers send.")
    ] = None
    status: Annotated[HttpStatus | None, Meta(description="HTTP status; 200 unless it is said.")] = None
    answer: Annotated[
        str | None,
        Meta(description="Which of `answers`; the operation's own unless it is said."),
    ] = None
    add: Annotated[Leaves, Meta(description="Fields beside those of the answer's form.")] = {}
    headers: Annotated[Leaves, Meta(description="HTTP headers of the answer.")] = {}


class Rule(Consequence, frozen=True):
    """Conditions, all of which must hold, and what follows then. A rule without conditions always holds."""

    if_: Annotated[Expression | None, Meta(description="Holds when this gives something.")] = field(
        default=None, name="if"
    )
    unless: Annotated[Expression | None, Meta(description="Holds when this gives nothing, false, or empty text.")] = (
        None
    )
    missing: Annotated[
        tuple[str, ...], Meta(description="Holds when one of these fields of the request is absent or empty.")
    ] = ()
    unlike: Annotated[
        Mapping[str, str], Meta(description="Holds when one of these fields is no text of this pattern.")
    ] = {}
    bad_token: Annotated[
        Expression | None, Meta(description="Holds unless this is a token that was issued and has not ended.")
    ] = None
    outcomes: Annotated[
        Expression | None,
        Meta(description="Here the outcome of this name decides, when the operation's `outcomes` list it."),
    ] = None
    use: Annotated[str | None, Meta(description="Here stand the rules of this name in `shared`.")] = None


class Operation(_Strict, frozen=True):
    """How one operation behaves: the first rule that holds is played."""

    rules: Annotated[
        tuple[Rule, ...], Meta(description="None: answered from samples/, or with values that the contract allows.")
    ] = ()
    outcomes: Annotated[Mapping[str, Consequence], Meta(description="A test person's outcome -> what follows.")] = {}
    effect: Annotated[
        str | None, Meta(description="The ledger's word for the act; left out when it changes nothing.")
    ] = None
    also: Annotated[
        Mapping[str, Expression],
        Meta(description="Further words of the ledger, each counted with the act when its expression gives something."),
    ] = {}
    answer: Annotated[str | None, Meta(description="Which of `answers`.")] = None
    keep_when_done: Annotated[
        Mapping[str, Leaves], Meta(description="Like a rule's `keep`, whenever the act is done.")
    ] = {}


class Read(_Strict, frozen=True):
    """A name that the rules read, when it is not a plain expression. Exactly one key is given."""

    kept_under: Annotated[
        Expression | None, Meta(description="What a rule has kept under this key, also over a restart.")
    ] = None
    person: Annotated[
        Expression | None,
        Meta(description="The test person with this number: `number`, `outcome`, and the person's facts."),
    ] = None
    random_digits: Annotated[int, Meta(ge=1, le=40)] | None = None
    days_from_today: Annotated[int | None, Meta(description="A date, YYYY-MM-DD.")] = None
    seconds_from_now: Annotated[int | None, Meta(description="A moment, RFC 3339.")] = None


class Fault(_Strict, frozen=True):
    """A SOAP Fault."""

    text: str
    code: str = "soap:Server"


class Document(_Strict, frozen=True):
    """A PDF that the institution issues: `content` (base64) and `sha256` (hex)."""

    title: str
    lines: tuple[Expression, ...]


class Call(_Strict, frozen=True):
    """A call of the institution's that no operation of the connector uses."""

    wire: str


class Act(_Strict, frozen=True):
    """A deed of the institution's staff, asked for through the control API with an operation id."""

    kept: Annotated[str, Meta(description="Which of the kept things is changed.")]
    keep: Leaves


class Tokens(_Strict, frozen=True):
    """The access tokens that the institution issues."""

    lifetime_seconds: Annotated[int, Meta(ge=1)] = 3600


class Signing(_Strict, frozen=True):
    """The institution's own certificate and key (PEM), with which it signs SOAP answers."""

    certificate: str
    key: str


class SandboxDocument(_Strict, frozen=True):
    """A whole sandbox.toml."""

    settings: Annotated[
        Mapping[str, str | int | float | bool],
        Meta(description="The connector's settings that fit it; `{port}` is filled in."),
    ]
    reads: Mapping[Name, Expression | Read] = {}
    texts: Annotated[Mapping[str, str], Meta(description="Code -> the institution's words; '*' for any other.")] = {}
    tables: Annotated[
        Mapping[str, Mapping[str, str]],
        Meta(description="Lists of the institution's own, such as its prices: `code('NAME', key)` gives the value."),
    ] = {}
    numbers: Annotated[Mapping[Name, int], Meta(description="The first number that is drawn.")] = {}
    answers: Mapping[Name, Leaves] = {}
    faults: Mapping[str, Fault] = {}
    fault_detail: Annotated[
        Leaves, Meta(description="SOAP: the detail of a Fault; sees `code`, `text` and what the operation's rules see.")
    ] = {}
    hours: Annotated[
        Hours | None,
        Meta(description="Kept while the switch `hours` is on; the rules see the next opening as `closed_until`."),
    ] = None
    documents: Mapping[Name, Document] = {}
    shared: Mapping[Name, tuple[Rule, ...]] = {}
    calls: Mapping[str, Call] = {}
    operations: Mapping[str, Operation] = {}
    acts: Mapping[Name, Act] = {}
    tokens: Tokens = Tokens()
    signing: Signing | None = None
    callbacks: Mapping[Name, Callback] = {}
    statements: Mapping[str, Statement] = {}
    broken: Annotated[Consequence, Meta(description="'Something is wrong with me', naming no listed refusal.")] = (
        Consequence(status=500)
    )
    not_found: Annotated[Consequence, Meta(description="REST: no such call.")] = Consequence(status=404)
    not_valid: Annotated[Consequence, Meta(description="REST: the request is not of the contract.")] = Consequence(
        status=422
    )


def file_of(folder: Path) -> str:
    """How errors name the file."""
    return f"{folder.name}/sandbox.toml"


def load_document(folder: Path) -> SandboxDocument:
    """The sandbox.toml of a package folder. Raises ManifestError: one sentence with file and key."""
    file = file_of(folder)
    document, text = read_toml(folder / "sandbox.toml", file, SandboxDocument)
    for key, problem in _problems(document):
        raise ManifestError(file, key, problem, line_of(text, key))
    return document


def _problems(document: SandboxDocument) -> Iterator[tuple[str, str]]:
    for name, read in document.reads.items():
        if isinstance(read, Read) and sum(value is not None for value in msgspec.structs.astuple(read)) != 1:
            yield f"reads.{name}", f"exactly one of {', '.join(Read.__struct_fields__)} is expected"
    for key, consequence in _consequences(document):
        for part, problem in _consequence_problems(document, consequence):
            yield f"{key}.{part}", problem
    for name, operation in document.operations.items():
        yield from ((f"operations.{name}.{key}", problem) for key, problem in _operation_problems(operation))
    for name, rules in document.shared.items():
        for number, rule in enumerate(rules):
            if rule.done or rule.outcomes or rule.use:
                yield f"shared.{name}[{number}]", "shared rules only answer: no done, no outcomes, no use"
    yield from _reference_problems(document)
    yield from _hours_problems(document)


def _hours_problems(document: SandboxDocument) -> Iterator[tuple[str, str]]:
    try:
        if document.hours is not None:
            document.hours.opening_hours()
    except ValueError as error:
        yield ("hours.zone" if "zone" in str(error) else "hours.week"), str(error)


def _reference_problems(document: SandboxDocument) -> Iterator[tuple[str, str]]:
    acting = {name for name, operation in document.operations.items() if operation.effect is not None}
    if acting and "id" not in document.reads:
        yield "reads.id", f"the ledger needs it: under which id the act of {min(acting)} is counted"
    for name, act in document.acts.items():
        if act.kept not in kept_names(document):
            yield f"acts.{name}.kept", f"reads has nothing kept under the name {act.kept}"
    for name, callback in document.callbacks.items():
        for operation in callback.operations:
            if operation not in document.operations:
                yield f"callbacks.{name}.after", f"there are no rules for an operation {operation}"
    for name, statement in document.statements.items():
        for operation in statement.operations:
            if operation not in document.operations:
                yield f"statements.{name}.after", f"there are no rules for an operation {operation}"


def kept_names(document: SandboxDocument) -> set[str]:
    """The names that something can be kept under."""
    return {name for name, read in document.reads.items() if isinstance(read, Read) and read.kept_under is not None}


def _consequences(document: SandboxDocument) -> Iterator[tuple[str, Consequence]]:
    for name, operation in document.operations.items():
        for number, rule in enumerate(operation.rules):
            yield f"operations.{name}.rules[{number}]", rule
        for outcome, consequence in operation.outcomes.items():
            yield f"operations.{name}.outcomes.{outcome}", consequence
    for name, rules in document.shared.items():
        for number, rule in enumerate(rules):
            yield f"shared.{name}[{number}]", rule
    yield from (("broken", document.broken), ("not_found", document.not_found), ("not_valid", document.not_valid))


def _consequence_problems(document: SandboxDocument, given: Consequence) -> Iterator[tuple[str, str]]:
    for key, table in (("draw", "numbers"), ("document", "documents"), ("answer", "answers"), ("fault", "faults")):
        name = getattr(given, key)
        if name is not None and name not in getattr(document, table):
            yield key, f"{table} has no {name}"
    for name in given.keep:
        if name not in kept_names(document):
            yield f"keep.{name}", f"reads.{name} must say under which key it is kept (kept_under)"
    if isinstance(given, Rule) and given.use is not None and given.use not in document.shared:
        yield "use", f"shared has no {given.use}"


def _operation_problems(operation: Operation) -> Iterator[tuple[str, str]]:
    if operation.also and operation.effect is None:
        yield "also", "the operation needs an effect, beside which these are counted"
    if operation.effect in operation.also:
        yield f"also.{operation.effect}", "this is the operation's own effect"
    if operation.rules and operation.outcomes and not any(rule.outcomes for rule in operation.rules):
        yield "outcomes", 'no rule says when the person\'s outcome decides ({ outcomes = "person.outcome" })'
    if operation.rules and not _always_holds(operation.rules[-1]):
        yield f"rules[{len(operation.rules) - 1}]", "the last rule holds always: leave its conditions out"
    for key, consequence in (
        *((f"rules[{number}]", rule) for number, rule in enumerate(operation.rules)),
        *((f"outcomes.{name}", consequence) for name, consequence in operation.outcomes.items()),
    ):
        refers = isinstance(consequence, Rule) and (consequence.outcomes or consequence.use)
        if operation.rules and operation.effect is None and consequence.done:
            yield f"{key}.done", "the operation needs an effect, the ledger's word for the act"
        if operation.effect is not None and consequence.done is None and not refers:
            yield f"{key}.done", f"say whether {operation.effect} is done (true or false), whatever is answered"


def _always_holds(rule: Rule) -> bool:
    conditions = (rule.if_, rule.unless, rule.missing, rule.unlike, rule.bad_token, rule.outcomes, rule.use)
    return not any(conditions)
