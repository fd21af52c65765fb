"""A short run of what `make chaos` does for minutes: the same saboteurs, load and checker, on both databases."""

import asyncio

import pytest

from tests.chaos.run import Result, run

#: With it the first kills, of a process and of the database, come early.
SEED = "2498"
SECONDS = 13
COMMANDS = {"sqlite": ("serve",), "postgresql": ("serve", "worker")}


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> dict[str, Result]:
    """Both runs, side by side."""

    async def play() -> dict[str, Result]:
        runs = [
            run(
                *(dialect, SEED, SECONDS / 60, tmp_path_factory.mktemp(dialect)),
                rate=8,
                say=lambda _text: None,
                commands=commands,
                to_the_end=False,
            )
            for dialect, commands in COMMANDS.items()
        ]
        return {result.database: result for result in await asyncio.gather(*runs)}

    return asyncio.run(play())


@pytest.mark.slow
def test_c12_random_kills_under_load_lose_nothing_and_do_nothing_twice(played, dialect):
    result = played[dialect]
    found = result.findings

    assert (found.duplicates, found.lost, found.problems, result.troubles) == ([], [], [], [])
    assert found.acknowledged >= 40
    assert found.effects >= 20
    assert result.kills >= 1
    assert len(result.recovery.samples) >= result.kills, "each was followed until its work was taken up"


@pytest.mark.slow
def test_s2_a_postgresql_that_is_killed_under_load_loses_nothing_and_comes_back(played):
    result = played["postgresql"]

    assert (result.findings.duplicates, result.findings.lost, result.findings.problems) == ([], [], [])
    assert [each for each in result.recovery.samples if each.what.startswith("database")]
    assert result.findings.finished >= 30
