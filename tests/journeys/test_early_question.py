"""A first read is asked while its request is being written (docs/adr/0004), on real processes and both databases."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest

from tests.faults.looking import Calling, certificate, kinds, rows
from tests.gateways import VEHICLE, GatewayProcess, until


@contextmanager
def nothing_is_written(gateway: GatewayProcess) -> Iterator[None]:
    """Hold whatever the gateway wants to commit."""
    if gateway.database_url.startswith("sqlite"):
        other = sqlite3.connect(gateway.database_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()
        return
    held, free = threading.Event(), threading.Event()

    async def hold() -> None:
        other = await asyncpg.connect(gateway.database_url)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE idempotency IN ACCESS EXCLUSIVE MODE")
                held.set()
                await asyncio.to_thread(free.wait)
        finally:
            await other.close()

    thread = threading.Thread(target=asyncio.run, args=(hold(),))
    thread.start()
    assert held.wait(30)
    try:
        yield
    finally:
        free.set()
        thread.join()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """An idempotency key of the test's own."""
    return re.sub("[^a-z0-9_-]", "-", request.node.name.lower())[:100]


def asked(institution, operation: str) -> int:
    """How often the institution was asked."""
    return int(institution.control("GET", "health")["calls"].get(operation, 0))


def stored(gateway: GatewayProcess, key: str) -> int:
    return int(rows(gateway, f"SELECT count(*) FROM idempotency WHERE key = '{key}'")[0][0])


def test_the_institution_is_asked_before_the_request_is_on_the_disk(standing, sandbox, key):
    education = sandbox("education")
    with nothing_is_written(standing):
        call = Calling(lambda: standing.submit(certificate(), key, wait=20))
        until(lambda: asked(education, "check") == 1, "the question that only reads")
        assert call.answer is None  # nobody is told anything before COMMIT

    answer = call.end()
    assert answer is not None
    assert answer.status_code == 202
    request = standing.until_state(answer.json()["id"], "awaiting_citizen")
    assert asked(education, "check") == 1
    assert kinds(standing, request)[0] == "accepted"


def test_what_changes_something_waits_for_the_disk(standing, sandbox, key):
    transport, education = sandbox("transport"), sandbox("education")
    with nothing_is_written(standing):
        submitting = Calling(lambda: standing.submit(VEHICLE, key, wait=20))
        reading = Calling(lambda: standing.submit(certificate(), f"{key}-2", wait=20))
        until(lambda: asked(education, "check") == 1, "the question of the request that came later")
        assert asked(transport, "vehicle-statement") == 0

    ended = [call.end() for call in (submitting, reading)]
    assert [answer and answer.status_code for answer in ended] == [201, 202]
    assert transport.count() == 1


def test_d1_a_key_that_was_used_asks_the_institution_nothing(standing, sandbox, key):
    education = sandbox("education")
    first = standing.submit(certificate(), key, wait=20)
    for _ in range(3):
        again = standing.submit(certificate(), key)
        assert (again.status_code, again.json()["id"]) == (first.status_code, first.json()["id"])

    assert asked(education, "check") == 1
    assert stored(standing, key) == 1
