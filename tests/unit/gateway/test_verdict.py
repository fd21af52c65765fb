"""What a failure means, as one table: error x effect x attempts left."""

import pytest

from connectors.kit import errors
from connectors.kit.contract import Effect, Operation
from gateway.verdict import Interrupted, Verdict, judge

LOST = [
    errors.TimedOut,
    errors.ConnectionLost,
    errors.Unreadable,
    errors.Redirected,
    errors.TooLarge,
    errors.Faulted,
    Interrupted,
]
NEVER_SENT = [errors.NotSent, errors.TokenUnavailable, errors.Throttled, errors.Closed]


def operation(effect: Effect) -> Operation:
    return Operation("op", "submit", effect, inquire="ask" if effect is Effect.INQUIRABLE else None)


@pytest.mark.parametrize("error", NEVER_SENT)
@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("left", [0, 3])
def test_what_never_left_waits_and_spends_no_attempt(error, effect, left):
    assert judge(error("x"), operation(effect), attempts_left=left) is Verdict.WAIT


@pytest.mark.parametrize("effect", list(Effect))
def test_what_cannot_be_rendered_is_parked(effect):
    assert judge(errors.MappingFailed("x"), operation(effect), attempts_left=3) is Verdict.PARK


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize(
    ("effect", "left", "verdict"),
    [
        (Effect.SAFE, 1, Verdict.RETRY),
        (Effect.SAFE, 0, Verdict.PARK),
        (Effect.IDEMPOTENT, 1, Verdict.RETRY),
        (Effect.IDEMPOTENT, 0, Verdict.PARK),
        (Effect.INQUIRABLE, 1, Verdict.INQUIRE),
        (Effect.INQUIRABLE, 0, Verdict.INQUIRE),
        (Effect.NONE, 1, Verdict.HOLD),
        (Effect.NONE, 0, Verdict.HOLD),
    ],
)
def test_what_may_have_arrived_is_judged_by_what_a_repeat_would_do(error, effect, left, verdict):
    assert judge(error("x"), operation(effect), attempts_left=left) is verdict
