"""The results file of the bench: what a row says, and that one measurement replaces only its own rows."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bench.__main__ import chosen, measurements, merge
from bench.mapping import renderings
from bench.measure import Goal, Measurement, Place, row
from connectors.registry import find_packages

PACKAGES = find_packages()


Run = Callable[[Place], Awaitable[dict[str, float]]]


def _run() -> Run:
    async def run(_place: Place) -> dict[str, float]:
        return {}

    return run


def _measurement(name: str, goal: Goal | None = None, *, long: bool = False, run: Run | None = None) -> Measurement:
    return Measurement(name, "times", goal, run or _run(), long=long)


@pytest.mark.parametrize(
    ("goal", "value", "text", "met"),
    [
        (Goal(5, at_least=True), 5.0, ">= 5", True),
        (Goal(5, at_least=True), 4.9, ">= 5", False),
        (Goal(0.6, at_least=False), 0.6, "<= 0.6", True),
        (Goal(0.6, at_least=False), 0.61, "<= 0.6", False),
        (None, 1.0, None, None),
    ],
)
def test_a_row_says_the_median_and_whether_it_meets_the_goal(
    goal: Goal | None, value: float, text: str | None, met: bool | None
) -> None:
    assert row(_measurement("speed", goal), "sqlite", [value, 0, 100, value, value]) == {
        "name": "speed",
        "database": "sqlite",
        "value": value,
        "unit": "times",
        "goal": text,
        "met": met,
        "runs": [value, 0, 100, value, value],
    }


def test_a_measurement_replaces_only_its_own_rows(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    old = [{"name": name, "database": "sqlite", "value": 1} for name in ("a", "b")]
    merge(path, old)
    merge(path, [{"name": "b", "database": "sqlite", "value": 2}, {"name": "b", "database": "postgresql", "value": 3}])
    rows = {(each["name"], each["database"]): each["value"] for each in json.loads(path.read_text())}
    assert rows == {("a", "sqlite"): 1, ("b", "sqlite"): 2, ("b", "postgresql"): 3}


def test_long_measurements_run_only_when_asked_for() -> None:
    every = [_measurement("short"), _measurement("slow", long=True)]
    assert [each.name for each in chosen(every, None, long=False)] == ["short"]
    assert [each.name for each in chosen(every, None, long=True)] == ["slow"]
    assert [each.name for each in chosen(every, "slow", long=False)] == ["slow"]


def test_what_comes_of_the_same_runs_is_measured_with_it() -> None:
    run = _run()
    every = [_measurement("rate", run=run), _measurement("memory", run=run), _measurement("other")]
    assert [each.name for each in chosen(every, "rate", long=False)] == ["rate", "memory"]


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(SystemExit, match="no measurement is called 'sped'; there are: speed"):
        chosen([_measurement("speed")], "sped", long=False)


def test_every_measurement_has_a_name_of_its_own_and_the_short_ones_at_least_five_runs() -> None:
    every = measurements()
    assert "batch_accept_gain" in {each.name for each in every}
    assert len({each.name for each in every}) == len(every)
    assert all(each.runs >= 5 for each in every if not each.long)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_mapping_languages_measure_reads_every_package_of_the_tree(name: str) -> None:
    package = PACKAGES[name]
    assert {section for _, _, section, _ in renderings(package)} == {"request", "answer"}
