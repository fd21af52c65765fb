"""A case of the suite: a promise in one sentence, the function that proves it, and what came of it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from connectors.kit.conformance.bench import Bench
    from connectors.kit.conformance.subject import Subject
    from connectors.kit.contract import Operation

Verdict = Literal["passed", "failed", "skipped"]


class Text(NamedTuple):
    """One sentence in both languages."""

    ar: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the package something has to be mended."""

    file: Path
    line: int | None = None


class Failure(Exception):  # the suite's word
    """The promise does not hold: what is wrong and what to mend, and where, when the cause is data."""

    def __init__(self, ar: str, en: str, place: Place | None = None) -> None:
        super().__init__(en)
        self.text = Text(ar, en)
        self.place = place


class Skipped(Exception):  # the suite's word
    """The case has nothing to prove here, and says why."""

    def __init__(self, ar: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(ar, en)


class Noted(Exception):  # the suite's word
    """The promise holds, and there is something that the author should know."""

    def __init__(self, ar: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(ar, en)


def require(held: object, ar: str, en: str, place: Place | None = None) -> None:
    """Raise Failure with these sentences unless it holds."""
    if not held:
        raise Failure(ar, en, place)


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several inputs of a case: a sample, a test person, a kind of spoiled answer."""

    name: str
    value: Any = None


Applies = Callable[["Subject", "Operation"], bool]
Variants = Callable[["Subject", "Operation | None"], Iterable[Variant]]
Proof = Callable[["Bench"], Awaitable[None]]


def _always(_: "Subject", __: "Operation") -> bool:
    return True


def _one(_: "Subject", __: "Operation | None") -> Iterable[Variant]:
    return (Variant(""),)


@dataclass(frozen=True, slots=True)
class Case:
    """One promise that every package keeps."""

    name: str
    group: str
    promise: Text
    prove: Proof
    of_package: bool  #: Proven once for the package, not for each operation.
    applies: Applies
    variants: Variants
    alone: bool  #: Touches what the whole process shares (environment, logging): nothing else runs beside it.


#: Every case, in the order in which people should read failures; filled by the modules `cases_*`.
CASES: list[Case] = []


def case(
    group: str,
    name: str,
    ar: str,
    en: str,
    *,
    of_package: bool = False,
    applies: Applies = _always,
    variants: Variants = _one,
    alone: bool = False,
) -> Callable[[Proof], Proof]:
    """Make a function a case. Its sentences say what is promised; it raises Failure or Skipped, or returns."""

    def register(prove: Proof) -> Proof:
        CASES.append(Case(name, group, Text(ar, en), prove, of_package, applies, variants, alone))
        return prove

    return register


@dataclass(frozen=True, slots=True)
class Check:
    """One case for one operation (or for the package) with one variant."""

    case: Case
    operation: str  #: "" for the package as a whole.
    variant: Variant

    @property
    def id(self) -> str:
        """Names it among the checks of its package, as in `submit/cut-at-any-byte` or `check/sample[succeeded]`."""
        variant = f"[{self.variant.name}]" if self.variant.name else ""
        return f"{self.operation or 'package'}/{self.case.name}{variant}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check."""

    id: str
    group: str
    case: str
    operation: str
    variant: str
    status: Verdict
    text: Text  #: The promise when it holds, else what is wrong and what to mend, or why nothing was proven.
    seconds: float
    place: Place | None = None
    noted: bool = False  #: It passed, and the text is something that the author should know.
