"""A channel that requests belong to."""

import pytest

from gateway.security.principals import Kind
from gateway.store.principals import add_principal


@pytest.fixture
async def channel(store):
    await store.write(lambda conn: add_principal(conn, "c1", "key", kind=Kind.CHANNEL, name="web"))
    return "c1"
