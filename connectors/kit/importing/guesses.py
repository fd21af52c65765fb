"""What an operation's name says about it: role and effect class, as a guess that the author confirms."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.kit.importing.fields import Field, words_of

# fmt: off
_READS = frozenset({
    "get", "query", "check", "inquire", "inquiry", "enquire", "enquiry", "find", "list", "search", "read", "fetch",
    "verify", "validate", "lookup", "look", "is", "has", "status", "describe", "retrieve", "show", "view", "count",
    "calculate", "compute", "convert", "ping", "test", "track", "exists", "load", "select", "browse",
})
_INQUIRES = frozenset(["inquire", "inquiry", "enquire", "enquiry", "status", "track", "state", "progress"])
_QUOTES = frozenset(["quote", "fee", "fees", "price", "prices", "tariff", "cost", "calculate", "estimate", "charge"])
_CANCELS = frozenset(["cancel", "withdraw", "revoke", "void", "abort"])
_CONFIRMS = frozenset(["confirm", "confirmation"])
_NOISE = frozenset({
    "the", "of", "for", "by", "a", "an", "and", "to", "in", "from", "with", "request", "response", "operation",
    "service", "soap", "do", "ws", "v", "id", "new", "api", "rest", "submit", "send", "create", "add", "make", "start",
    "register", "apply", "place", "issue", "order", "post", "put", "insert",
})
# fmt: on
_CODES = (
    "result_code",
    "status_code",
    "response_code",
    "error_code",
    "return_code",
    "resp_code",
    "ret_code",
    "code",
    "status",
    "result",
    "response_status",
    "outcome",
)  # fmt: skip
_MESSAGES = (
    "message",
    "description",
    "error_message",
    "status_description",
    "response_message",
    "text",
    "error_description",
)
_REFERENCES = (
    "reference",
    "receipt_number",
    "reference_number",
    "tracking_number",
    "request_number",
    "ticket",
    "receipt",
)


@dataclass(slots=True)
class Guess:
    """Role and effect, and why."""

    role: str
    effect: str
    reason: str
    inquire: str | None = None


def guess(name: str, method: str = "") -> Guess:
    """The guess from an operation's name and, for REST, its HTTP method."""
    words = words_of(name)
    first = words[0] if words else ""
    if method == "GET" or (method != "DELETE" and _reads(words)):
        why = "GET only reads" if method == "GET" else f"its name says {first}, so it only reads"
        role = "inquire" if _INQUIRES & set(words) else "check"
        # a quote names its price, and which field that is, and in what money, only people know
        perhaps = "; role quote when answer.quote names its price" if _QUOTES & set(words) else ""
        return Guess(role, "safe", f"guessed: {why}{perhaps}")
    role = "cancel" if _CANCELS & set(words) or method == "DELETE" else "submit"
    role = "confirm" if _CONFIRMS & set(words) else role
    return Guess(
        role,
        "none",
        "nothing in the contract says what a repeat does: a lost answer parks the request until people decide. Write "
        "idempotent when a key is honoured, inquirable when another operation tells what became of it",
    )


def honours_a_key(made: Guess, header: str) -> None:
    """An operation that changes something and takes a key of idempotency promises what the key is for."""
    if made.effect == "none":
        made.effect = "idempotent"
        made.reason = (
            f"guessed: it takes {header}, so a repeat with the same key should do nothing; the write gate of "
            "`jisr connector check` proves it"
        )


def _reads(words: list[str]) -> bool:
    return bool(words) and (words[0] in _READS or bool({"inquiry", "enquiry", "status"} & set(words[-1:])))


def pair_inquiries(guesses: dict[str, Guess], wires: dict[str, str], given: Mapping[str, Collection[str]]) -> None:
    """An operation that changes something becomes inquirable when another one inquires about the same noun, and needs
    nothing for it that the first does not have (`given` has the inputs of each). One that inquires about no other
    operation only checks."""
    inquiries = [name for name, made in guesses.items() if made.role == "inquire"]
    for name, made in guesses.items():
        if made.role != "submit" or made.effect != "none":
            continue
        nouns = set(words_of(wires[name])) - _NOISE - _READS
        able = [one for one in inquiries if set(given[one]) <= set(given[name])]
        shared = {one: len(nouns & set(words_of(wires[one]))) for one in able}
        best = max(shared, key=lambda one: shared[one], default=None)
        if best is not None and (shared[best] or len(inquiries) == 1):
            made.effect, made.inquire = "inquirable", best
            made.reason = (
                f"guessed: {best} seems to tell what became of it; the write gate of `jisr connector check` proves it"
            )
    used = {made.inquire for made in guesses.values()}
    for name in inquiries:
        if name not in used:
            guesses[name].role = "check"


def code_field(root: Field, *, required: bool) -> list[Field] | None:
    """The way to the field that looks like the institution's code. With `required` only where it is always there."""
    return _named(root, _CODES, {"text", "integer"}, required=required)


def message_field(root: Field) -> list[Field] | None:
    """The way to the field that looks like the institution's words."""
    return _named(root, _MESSAGES, {"text"}, required=False)


def reference_field(root: Field) -> list[Field] | None:
    """The way to the field that looks like the institution's reference."""
    return _named(root, _REFERENCES, {"text", "integer"}, required=False)


def _named(root: Field, names: Iterable[str], forms: set[str], *, required: bool) -> list[Field] | None:
    leaves = list(_single_leaves(root, [], required=required))
    for wanted in names:
        for way in leaves:
            if way[-1].name == wanted and way[-1].form in forms:
                return way
    return None


def _single_leaves(field: Field, way: list[Field], *, required: bool) -> Iterable[list[Field]]:
    for child in sorted(field.children, key=lambda one: bool(one.children)):
        if child.repeats or (required and child.least == 0):
            continue
        here = [*way, child]
        if child.children and len(here) < 4 and not child.whole:
            yield from _single_leaves(child, here, required=required)
        elif not child.children and not child.whole:
            yield here
