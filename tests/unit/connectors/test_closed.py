"""An institution that is closed says so by a fault: nothing was done, and it is known when to come back."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.conformance.sandbox_process import SandboxFailed
from connectors.kit.contract import Call, Ports
from connectors.kit.errors import Closed
from connectors.kit.hours import OpeningHours
from connectors.kit.tokens import LocalTokens
from connectors.registry import open_connector
from tests.conformance.packages import SUBJECTS, heard

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = "08:00-15:30"
HOURS = OpeningHours.read("Asia/Damascus", [[DAY], [DAY], [DAY], [DAY], [], [], [DAY]])


@pytest.mark.parametrize(
    ("opens_at", "seconds"),
    [
        ("2026-03-02T08:00:00+03:00", 17 * 3600),
        ("2026-03-01T12:00:01Z", 1),
        ("2027-03-01T12:00:00Z", 14 * 86400),
        ("2026-03-01T12:00:00Z", None),
        ("2026-02-28T08:00:00+03:00", None),
        ("2026-03-02T08:00:00", None),
        ("tomorrow", None),
        ("", None),
    ],
    ids=["next morning", "next second", "too far", "now", "past", "without a zone", "no moment", "unsaid"],
)
def test_how_long_it_is_until_the_opening(opens_at, seconds):
    error = Closed("the institution is closed", opens_at=opens_at)
    error.wait_from(NOON)
    assert error.retry_after_seconds == seconds


class Clock:
    """The time of the ministry and of whoever calls it, moved forward together."""

    def __init__(self, ministry):
        self._ministry, self._ahead = ministry, timedelta()

    def now(self):
        return datetime.now(UTC) + self._ahead

    def move_to(self, moment):
        step = moment - self.now()
        self._ahead += step
        self._ministry.advance_clock(step.total_seconds())


@pytest.fixture
async def called_by_the_clock(sandbox):
    """The ministry keeping its hours, a clock for both sides, and a connector that reads it."""
    ministry = sandbox("higher_education")
    ministry.switch("hours")
    clock = Clock(ministry)
    connector = open_connector(SUBJECTS["higher_education"].package, Ports(ministry.settings, LocalTokens(), clock.now))
    yield ministry, clock, connector
    await connector.close()
    ministry.switches_off()


async def test_a_closed_ministry_does_nothing_names_its_opening_and_works_from_then_on(called_by_the_clock):
    ministry, clock, connector = called_by_the_clock
    document = SUBJECTS["higher_education"].document("submit")
    call = Call(document["operation_id"], document)
    inquiry = {**document, "operation_id": "asks", "subject_operation_id": call.operation_id}
    hours = (clock.now() + timedelta(hours=number) for number in range(48))
    closed_at = next(at for at in hours if not (HOURS.open_at(at) or HOURS.open_at(at + timedelta(minutes=30))))
    opening = HOURS.next_opening(closed_at)
    clock.move_to(closed_at)

    word, error = await heard(connector, "submit", call)

    assert word == "error:institution_closed"
    assert isinstance(error, Closed)
    assert datetime.fromisoformat(error.opens_at) == opening
    assert error.retry_after_seconds is not None
    assert timedelta(seconds=error.retry_after_seconds) <= opening - closed_at
    assert ministry.count(call.operation_id) == 0
    assert (await heard(connector, "inquire", Call("asks", inquiry)))[0] == word

    clock.move_to(opening + timedelta(seconds=1))
    assert (await heard(connector, "submit", call))[0] == "pending:received"
    assert (await heard(connector, "inquire", Call("asks", inquiry)))[0] == "succeeded"
    assert ministry.count(call.operation_id) == 1


def test_an_institution_without_opening_hours_cannot_keep_them(sandbox):
    with pytest.raises(SandboxFailed, match="has no table hours"):
        sandbox("education").switch("hours")
