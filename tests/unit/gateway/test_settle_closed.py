"""What follows when an institution says that it is closed: the act or the inquiry waits for the opening."""

import pytest

from connectors.kit import errors
from mappings.status import Attempt, Request
from tests.unit.gateway.test_settle import POLICY, SUBMIT, fail, subject, work


def closed(seconds: float | None) -> errors.Closed:
    error = errors.Closed("the institution is closed")
    error.retry_after_seconds = seconds
    return error


def test_a_closed_institution_gets_the_same_act_when_it_opens_and_that_spends_no_attempt():
    settled = fail(work(SUBMIT, tries=1), closed(57_600))
    assert (settled.state, settled.reason, settled.attempt_state) == (
        Request.IN_PROGRESS,
        "institution_closed",
        Attempt.NOT_SENT,
    )
    assert settled.next is not None
    assert (settled.next.lane, settled.next.delay_ms, settled.next.tries) == ("ministry.submit", 57_600_000, 1)


@pytest.mark.parametrize("state", [Request.IN_DOUBT, Request.WITH_INSTITUTION])
def test_an_inquiry_that_finds_it_closed_is_made_when_it_opens_and_counts_for_nothing(state):
    last = len(POLICY.inquiry_seconds) - 2
    given = work(SUBMIT, state, open_attempt=subject(Attempt.PENDING), inquiries=last, absences=1)
    settled = fail(given, closed(3600))
    assert settled.state is state
    assert settled.next is not None
    assert (settled.next.delay_ms, settled.next.inquiries, settled.next.absences) == (3_600_000, last, 1)


def test_a_closed_institution_that_does_not_say_until_when_is_asked_by_the_schedule():
    given = work(SUBMIT, Request.IN_DOUBT, open_attempt=subject(), inquiries=1)
    settled = fail(given, closed(None))
    assert settled.next is not None
    assert (settled.next.delay_ms, settled.next.inquiries) == (int(1000 * POLICY.inquiry_seconds[1]), 2)
