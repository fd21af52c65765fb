"""How the importer speaks: one sentence in both languages, with the place in the contract where there is one."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    en: str
    ar: str


class ContractRefused(ValueError):
    """A contract cannot be imported; `str()` is the English sentence, `.ar` the Arabic one."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__(en)
        self.en = en
        self.ar = ar


#: Told what is going on during long work.
Progress = Callable[[Words], None]


def silent(_: Words) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Report:
    """What the author is told after an import."""

    repairs: list[Words] = field(default_factory=list)  #: What was mended in the vendored copy.
    left_out: list[Words] = field(
        default_factory=list
    )  #: Operations and ports that the package does not have, and why.
    hints: list[Words] = field(default_factory=list)  #: What the author should know.
