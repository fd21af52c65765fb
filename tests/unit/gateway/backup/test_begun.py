"""A restoration that was begun on PostgreSQL and not finished: no gateway starts on what there is of it."""

import asyncpg
import pytest

from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import open_store
from gateway.store.errors import StoreError
from tests.conftest import Database


@pytest.fixture
def dialect() -> str:
    """On the other one the record gets its name in the last step."""
    return "postgresql"


async def test_s7_nothing_starts_on_a_record_that_is_half_restored(database: Database, keyring: Keyring) -> None:
    connection = await asyncpg.connect(database.url)
    await connection.execute("CREATE SCHEMA jisr_restoring")
    await connection.close()
    with pytest.raises(StoreError, match="was begun and not finished: run `jisr restore` again"):
        await open_store(database.url, keyring, Clock())
    store = await open_store(database.url, keyring, Clock(), restoring=True)
    await store.close()
