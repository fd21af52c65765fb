"""The form of a package's `sandbox.toml`: how an institution behaves, as data. docs/reference/sandbox.md explains it.

Whether an act happens (`done`) is always written beside what is answered (`say`, `fault`, `status`): an institution may
refuse and have acted, or say yes and have done nothing.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from connectors.kit.manifest import ManifestError

Expression = str  #: JMESPath, as in mapping documents.
Leaves = Mapping[str, Any]  #: A tree whose text leaves are expressions.
HttpStatus = Annotated[int, Meta(ge=100, le=599)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Consequence(_Strict, frozen=True):
    """What follows when a rule holds: what happens, and what is answered."""

    #: The act is done and counted in the ledger; must be written wherever the operation has an `effect`.
    done: bool | None = None
    keep: Mapping[str, Leaves] = {}  #: Name of something kept -> the fields that are written into it.
    draw: str | None = None  #: Draws the next of `numbers`; the rules see it as `number`.
    document: str | None = None  #: Which of `documents` is made; the rules see it as `document`.
    message: Leaves = {}  #: A message (SMS) that goes out to a person.
    new_token: bool = False  #: Issues an access token; the rules see it as `token`.
    say: str | None = None  #: The institution's code; the answer sees it as `code`, and its text as `text`.
    fault: str | None = None  #: SOAP: a Fault with this code instead of an answer.
    status: HttpStatus | None = None  #: HTTP status; 200 unless it is said.
    answer: str | None = None  #: Which of `answers`; the operation's own unless it is said.
    add: Leaves = {}  #: Fields beside those of the answer's form.
    headers: Leaves = {}  #: HTTP headers of the answer.


class Rule(Consequence, frozen=True):
    """Conditions, all of which must hold, and what follows then. A rule without conditions always holds."""

    if_: Expression | None = field(default=None, name="if")
    unless: Expression | None = None  #: Holds when this gives nothing, false, or empty text.
    missing: tuple[str, ...] = ()  #: Holds when one of these fields of the request is absent or empty.
    unlike: Mapping[str, str] = {}  #: Holds when one of these fields is no text of this pattern.
    bad_token: Expression | None = None  #: Holds unless this is a token that was issued and has not ended.
    outcomes: Expression | None = (
        None  #: Here the outcome of this name decides, when the operation's `outcomes` list it.
    )
    use: str | None = None  #: Here stand the rules of this name in `shared`.


class Operation(_Strict, frozen=True):
    """How one operation behaves: the first rule that holds is played."""

    rules: tuple[Rule, ...] = ()  #: None: answered from samples/, or with values that the contract allows.
    outcomes: Mapping[str, Consequence] = {}  #: A test person's outcome -> what follows.
    effect: str | None = None  #: The ledger's word for the act; left out when it changes nothing.
    answer: str | None = None  #: Which of `answers`.
    keep_when_done: Mapping[str, Leaves] = {}  #: Like a rule's `keep`, whenever the act is done.


class Read(_Strict, frozen=True):
    """A name that the rules read, when it is not a plain expression. Exactly one key is given."""

    kept_under: Expression | None = None  #: What a rule has kept under this key, also over a restart.
    person: Expression | None = None  #: The test person with this number: `number`, `outcome`, and the person's facts.
    random_digits: Annotated[int, Meta(ge=1, le=40)] | None = None
    days_from_today: int | None = None  #: A date, YYYY-MM-DD.


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

    kept: str  #: Which of the kept things is changed.
    keep: Leaves


class Tokens(_Strict, frozen=True):
    """The access tokens that the institution issues."""

    lifetime_seconds: Annotated[int, Meta(ge=1)] = 3600


class Signing(_Strict, frozen=True):
    """The institution's own certificate and key (PEM), with which it signs SOAP answers."""

    certificate: str
    key: str


class Callback(_Strict, frozen=True):
    """What the institution sends by itself after an act was done."""

    after: str  #: The operation whose act it reports.
    url: Expression  #: Where to; only an address of this machine is called.
    body: Leaves
    seconds: Annotated[float, Meta(ge=0)] = 0.0  #: After the answer.
    signature_header: str = "X-Signature"
    secret: Expression | None = None  #: Key of the HMAC-SHA256 (hex) over the body; None: unsigned.


class SandboxDocument(_Strict, frozen=True):
    """A whole sandbox.toml."""

    settings: Mapping[str, str | int | float | bool]  #: The connector's settings that fit it; `{port}` is filled in.
    reads: Mapping[Name, Expression | Read] = {}
    texts: Mapping[str, str] = {}  #: Code -> the institution's words; "*" for any other.
    numbers: Mapping[Name, int] = {}  #: The first number that is drawn.
    answers: Mapping[Name, Leaves] = {}
    faults: Mapping[str, Fault] = {}
    fault_detail: Leaves = {}  #: SOAP: the detail of a Fault; sees `code` and `text`.
    documents: Mapping[Name, Document] = {}
    shared: Mapping[Name, tuple[Rule, ...]] = {}
    calls: Mapping[str, Call] = {}
    operations: Mapping[str, Operation] = {}
    acts: Mapping[Name, Act] = {}
    tokens: Tokens = Tokens()
    signing: Signing | None = None
    callbacks: Mapping[Name, Callback] = {}
    broken: Consequence = Consequence(status=500)  #: "Something is wrong with me", naming no listed refusal.
    not_found: Consequence = Consequence(status=404)  #: REST: no such call.
    not_valid: Consequence = Consequence(status=422)  #: REST: the request is not of the contract.


def file_of(folder: Path) -> str:
    """How errors name the file."""
    return f"{folder.name}/sandbox.toml"


def load_document(folder: Path) -> SandboxDocument:
    """The sandbox.toml of a package folder. Raises ManifestError: one sentence with file and key."""
    file = file_of(folder)
    try:
        document = msgspec.convert(tomllib.loads((folder / "sandbox.toml").read_text("utf-8")), SandboxDocument)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise ManifestError(file, path.strip("`.").removeprefix("."), problem) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(file, "", str(error)) from error
    for key, problem in _problems(document):
        raise ManifestError(file, key, problem)
    return document


def _problems(document: SandboxDocument) -> Iterator[tuple[str, str]]:
    for name, read in document.reads.items():
        if isinstance(read, Read) and sum(value is not None for value in msgspec.structs.astuple(read)) != 1:
            yield f"reads.{name}", "exactly one of kept_under, person, random_digits and days_from_today is expected"
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


def _reference_problems(document: SandboxDocument) -> Iterator[tuple[str, str]]:
    acting = {name for name, operation in document.operations.items() if operation.effect is not None}
    if acting and "id" not in document.reads:
        yield "reads.id", f"the ledger needs it: under which id the act of {min(acting)} is counted"
    for name, act in document.acts.items():
        if act.kept not in kept_names(document):
            yield f"acts.{name}.kept", f"reads has nothing kept under the name {act.kept}"
    for name, callback in document.callbacks.items():
        if callback.after not in document.operations:
            yield f"callbacks.{name}.after", f"there are no rules for an operation {callback.after}"


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
