"""The words in which people read states, happenings and steps, in Arabic and English."""

from collections.abc import Mapping

STATES: Mapping[str, tuple[str, str]] = {
    "accepted": ("مقبول", "accepted"),
    "awaiting_citizen": ("بانتظار المواطن", "awaiting the citizen"),
    "in_progress": ("قيد التنفيذ", "in progress"),
    "with_institution": ("لدى الجهة", "with the institution"),
    "in_doubt": ("غير محسوم", "in doubt"),
    "parked": ("بانتظار موظف", "parked for people"),
    "delivering": ("قيد التسليم", "being delivered"),
    "completed": ("مكتمل", "completed"),
    "refused": ("مرفوض", "refused"),
    "cancelled": ("ملغى", "cancelled"),
    "expired": ("منتهي المهلة", "expired"),
}

STEPS: Mapping[str, tuple[str, str]] = {
    "check": ("التدقيق", "check"),
    "quote": ("التسعير", "quote"),
    "pay": ("الدفع", "pay"),
    "submit": ("التقديم", "submit"),
    "await": ("الانتظار", "await"),
    "deliver": ("التسليم", "deliver"),
}

FINAL = frozenset({"completed", "refused", "cancelled", "expired"})


def state_in_both(state: str) -> str:
    """The state's name in both languages, as in `مكتمل · completed`."""
    ar, en = STATES.get(state, (state, state))
    return f"{ar} · {en}"
