"""The circuit breaker in one process: what trips it, who may probe, and how it comes back."""

import pytest
from msgspec.structs import replace

from connectors.kit import errors
from connectors.kit.contract import Outcome, Status
from gateway.lanes.breaker import Health, Line, Probed, Tripped, WindowPassed, health_of
from tests.unit.gateway.lanes.lanes import LANE, POLICY, Time, lanes_of

GOOD, REFUSED = Outcome(Status.SUCCEEDED), Outcome(Status.REFUSED, "certificate_not_found")
SILENT = errors.TimedOut("no answer")


def closed_for(seconds: float) -> errors.Closed:
    error = errors.Closed("the institution is closed")
    error.retry_after_seconds = seconds
    return error


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        (GOOD, Health.GOOD),
        (REFUSED, Health.GOOD),
        (errors.NotSent("refused"), Health.BAD),
        (SILENT, Health.BAD),
        (errors.ConnectionLost("reset"), Health.BAD),
        (errors.ServerFailed("503"), Health.BAD),
        (errors.Throttled("429"), Health.BAD),
        (errors.Faulted("an unlisted fault of one request"), Health.NOTHING),
        (errors.Unreadable("another contract"), Health.NOTHING),
        (errors.MappingFailed("our own"), Health.NOTHING),
        (WindowPassed("we were slow"), Health.NOTHING),
    ],
)
def test_only_an_outage_counts_against_the_line(answer, health):
    assert health_of(answer) is health


def test_n12_five_failures_in_a_row_open_the_lane_and_nobody_enters():
    lanes = lanes_of(Time())
    for _ in range(4):
        assert not lanes.saw(LANE, SILENT, 1.0)
    assert lanes.saw(LANE, SILENT, 1.0)
    assert lanes.changes() == [Tripped(LANE, "upstream_timeout")]
    assert not lanes.try_enter(LANE)
    assert lanes.enter_all(LANE) == 0


def test_a_good_answer_in_between_begins_the_count_anew_but_every_second_failure_opens_it_too():
    lanes = lanes_of(Time())
    trips = [lanes.saw(LANE, GOOD if number % 2 else SILENT, 1.0) for number in range(20)]
    assert trips.index(True) == 18  # the tenth failure among the last twenty


def test_a_breaker_that_is_switched_off_never_opens():
    lanes = lanes_of(Time(), replace(POLICY, breaker_failures=0))
    assert not any(lanes.saw(LANE, SILENT, 1.0) for _ in range(100))


def test_after_the_pause_one_probe_goes_through_the_claim_and_its_answer_counts():
    time = Time()
    lanes = lanes_of(time)
    for _ in range(5):
        lanes.saw(LANE, SILENT, 1.0)
    lanes.changes()
    assert not lanes.saw(LANE, GOOD, 1.0)  # a straggler that was sent before
    assert lanes.next_look_seconds([LANE]) == POLICY.breaker_first_seconds
    time.wait(POLICY.breaker_first_seconds)
    assert lanes.enter_all(LANE) == 1
    assert lanes.limits([LANE])[LANE].probe_ms is not None
    lanes.probes(LANE)
    assert lanes.saw(LANE, GOOD, 1.0)
    assert lanes.changes() == [Probed(LANE, Health.GOOD)]


def test_what_the_institution_names_is_kept_by_the_breaker():
    lanes = lanes_of(Time())
    busy = errors.Throttled("503", retry_after_seconds=120)
    for _ in range(5):
        lanes.saw(LANE, busy, 0.1)
    assert lanes.changes() == [Tripped(LANE, "upstream_busy", pause_ms=120_000)]


def test_an_institution_that_says_that_it_is_closed_is_left_alone_and_asked_again_before_it_opens():
    lanes = lanes_of(Time())
    for _ in range(5):
        lanes.saw(LANE, closed_for(57_600), 0.1)
    assert lanes.changes() == [Tripped(LANE, "institution_closed", 900_000, 57_600_000)]


def test_what_could_not_be_told_is_told_later_and_stays_known_meanwhile():
    lanes = lanes_of(Time())
    for _ in range(5):
        lanes.saw(LANE, SILENT, 1.0)
    changes = lanes.changes()
    lanes.retell(changes)
    lanes.learn([])  # the store knows nothing of it yet
    assert not lanes.try_enter(LANE)
    assert lanes.changes() == changes


def test_another_workers_word_opens_the_lane_and_a_recovered_one_ramps_up():
    time = Time()
    lanes = lanes_of(time, rate_per_second=20.0)
    lanes.learn([Line(LANE, open=True, code="upstream_timeout", probe_in_ms=5000)])
    assert lanes.enter_all(LANE) == 0
    lanes.learn([Line(LANE, open=False, recovered_ms=0)])
    assert lanes.enter_all(LANE) == 1
    assert lanes.limits([LANE])[LANE].interval_us == 500_000  # a tenth of the rate
    time.wait(50)
    assert lanes.share(LANE) == pytest.approx(0.55)
    assert lanes.enter_all(LANE) == 4
    lanes.learn([])
    assert lanes.enter_all(LANE) == 5
    assert lanes.limits([LANE])[LANE].interval_us == 50_000


def test_a_lane_with_a_rate_is_entered_through_a_claim_only():
    lanes = lanes_of(Time(), rate_per_second=20.0)
    assert not lanes.try_enter(LANE)
    assert lanes.enter_paced(LANE) is not None
    assert lanes.enter_all(LANE) == 9


def test_a_lane_that_cannot_go_on_wakes_nobody_when_a_place_is_left():
    lanes = lanes_of(Time())
    assert lanes.enter_all(LANE) == 10
    assert lanes.is_full(LANE)
    for _ in range(5):
        lanes.saw(LANE, SILENT, 1.0)
    assert not lanes.is_full(LANE)
