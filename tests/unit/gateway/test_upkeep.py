"""Who may call another worker dead: not one that could not say itself that it lives."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from gateway import settings as settings_module
from gateway.recoveries import Recoveries
from gateway.restoring.mode import RestoreMode
from gateway.store.clock import Clock
from gateway.store.errors import StoreUnavailable
from gateway.store.jobs import renew
from gateway.store.recovery import Recovered, recover
from gateway.store.tokens import LEASE_SECONDS, LOOK_SECONDS
from gateway.upkeep import Upkeep, rescue_every_seconds
from tests.unit.gateway.lanes.lanes import Time, lanes_of

SETTINGS = settings_module.load(environment={})
POLICY = replace(SETTINGS.dispatch, lease_seconds=9.0)


class Database:
    """Answers what a rescue asks, or is away."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.away = False
        self.rescues = 0

    async def write(self, function: Any, *given: Any) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        if function is recover:
            self.rescues += 1
            return Recovered(2, 7.5)
        assert (function, *given[:1], *given[2:]) == (renew, "w1", {"r1"})
        return 0


def upkeep(database: Any, clock: Clock, recoveries: Recoveries) -> Upkeep:
    lanes = lanes_of(Time())
    watch: Any = SimpleNamespace()
    calendar: Any = SimpleNamespace()
    return Upkeep(
        database,
        {},
        POLICY,
        watch,
        lambda: None,
        "w1",
        calendar,
        lanes,
        RestoreMode(),
        lambda works: None,
        recoveries,
        clock,
        lambda: {"r1"},
    )


async def test_a_worker_that_could_not_renew_its_lease_gives_the_others_time_to_renew_theirs(clock):
    database, told = Database("postgresql"), Recoveries()
    chores = upkeep(database, clock, told)
    await chores.rescue_leases()
    assert database.rescues == 1
    database.away = True
    for _ in range(3):
        clock.advance(3)
        with pytest.raises(StoreUnavailable):
            await chores.renew_leases()
    database.away = False
    await chores.rescue_leases()
    await chores.renew_leases()
    await chores.rescue_leases()
    assert database.rescues == 1, "all leases ran out while the database was away: nobody is dead for that"
    clock.advance(3)
    await chores.renew_leases()
    await chores.rescue_leases()
    assert database.rescues == 2
    assert (told.jobs, told.last_seconds, told.longest_seconds) == (4, 7.5, 7.5)


async def test_on_sqlite_no_clock_is_asked(clock):
    database = Database("sqlite")
    chores = upkeep(database, clock, Recoveries())
    clock.advance(3600)
    await chores.rescue_leases()
    assert database.rescues == 1


def test_c4_by_default_what_a_killed_worker_held_goes_on_within_fifteen_seconds():
    policy = SETTINGS.dispatch
    longest = policy.lease_seconds + rescue_every_seconds(policy) + policy.poll_seconds
    assert longest <= 15
    assert longest >= LEASE_SECONDS + LOOK_SECONDS, "nor does the token that it was fetching take longer"
