"""The kinds of break, each with its words, and the name by which one is known for ever."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.store.reconciliation.sides import Act, Listed


class Kind(StrEnum):
    """What is not as it should be."""

    MISSING_AT_THEM = "missing_at_them"  #: We have it as done; the file of its day is in and does not list it.
    MISSING_AT_US = "missing_at_us"  #: They list what nobody here ever sent.
    AMOUNT = "amount"  #: Both have it, with different amounts.
    DENOMINATION = "denomination"  #: Different by exactly the factor between old and new pounds.
    CURRENCY = "currency"  #: In another currency.
    STATUS = "status"  #: They list as done what we know as refused.
    DUPLICATE_AT_THEM = "duplicate_at_them"  #: Listed again.
    TIMING = "timing"  #: The file of its day has not come; no exception yet.
    LATE = "late"  #: Listed after it was held to be not done.
    WRONG_DAY = "wrong_day"  #: It matches, on another day.
    FILE_MISSING = "file_missing"  #: A day's file is overdue.
    SERVED_NOT_PAID = "served_not_paid"  #: Issued, and the fee was not paid.
    PAID_NOT_SERVED = "paid_not_served"  #: Paid, in doubt with the institution, and not listed.
    DEBITED_NOT_CREDITED = "debited_not_credited"  #: The provider's own word: it owes the citizen.


#: Told once, in the report of the day: nothing has to come for it any more.
TOLD_ONCE = frozenset({Kind.WRONG_DAY})
#: Expected for a while, so not counted among the exceptions.
EXPECTED = frozenset({Kind.TIMING})

WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.MISSING_AT_THEM: ("ناقص لديهم", "missing there"),
    Kind.MISSING_AT_US: ("ناقص لدينا", "missing here"),
    Kind.AMOUNT: ("المبلغ مختلف", "amount differs"),
    Kind.DENOMINATION: ("ليرة قديمة مقابل جديدة", "old pounds against new"),
    Kind.CURRENCY: ("العملة مختلفة", "currency differs"),
    Kind.STATUS: ("مرفوض لدينا ومنفّذ لديهم", "refused here, done there"),
    Kind.DUPLICATE_AT_THEM: ("مكرر لديهم", "duplicated there"),
    Kind.TIMING: ("بانتظار كشف يومه", "awaits its day's file"),
    Kind.LATE: ("ورد متأخراً", "came late"),
    Kind.WRONG_DAY: ("في يوم آخر", "on another day"),
    Kind.FILE_MISSING: ("الكشف لم يصل", "file is missing"),
    Kind.SERVED_NOT_PAID: ("صدرت ولم تُدفع", "issued, not paid"),
    Kind.PAID_NOT_SERVED: ("دُفعت ولم تصدر", "paid, not issued"),
    Kind.DEBITED_NOT_CREDITED: ("خُصم ولم يصل إلى التاجر", "debited, not credited"),
}


@dataclass(frozen=True, slots=True)
class Break:
    """One of them, with what both sides say."""

    kind: Kind
    day: str  #: Of what it is about.
    item: str
    act: Act | None = None
    line: Listed | None = None

    def id_of(self, source: str) -> str:
        """Its name: the same in every run and in whatever database."""
        about = self.line.key if self.line is not None and self.item.startswith("line:") else self.item
        return "B" + hashlib.sha256(f"{source}|{about}".encode()).hexdigest()[:15].upper()
