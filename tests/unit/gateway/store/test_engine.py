"""The promises of Store, on both databases."""

from sqlalchemy import Connection, select

from gateway.store.engine import Store
from gateway.store.tables import owner


def _generation(conn: Connection) -> int:
    return int(conn.execute(select(owner.c.generation)).scalar_one())


async def test_a_start_counts_its_generation(store: Store) -> None:
    assert await store.read(_generation) == store.generation >= 1
