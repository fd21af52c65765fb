"""The budget of steps that one evaluation may take: JMESPath has no endless loop, but nested lists multiply."""

import threading

MAX_STEPS = 1_000_000


class OutOfSteps(ValueError):
    """The lists that an evaluation goes through have too many elements altogether."""


class _Budget(threading.local):
    left = MAX_STEPS


_budget = _Budget()


def refill() -> None:
    """Begin an evaluation with the whole budget (of this thread)."""
    _budget.left = MAX_STEPS


def charge(steps: int) -> None:
    """Take so many steps, one for each element of a list that is gone through. Raises OutOfSteps."""
    _budget.left = left = _budget.left - steps
    if left < 0:
        raise OutOfSteps(f"it takes more than {MAX_STEPS:,} steps; its lists are too long or multiply")
