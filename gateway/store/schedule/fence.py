"""A store whose writes carry the leader's fencing token while a scheduled chore runs.

A leader that was stopped and goes on after another took over changes nothing any more: its chore's next write is
refused. Outside of a chore, as for a command of an operator, it is the store itself. Batches carry tokens of their own
(those of the jobs that they settle) and pass.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway.store.engine import Store
from gateway.store.errors import StoreError
from gateway.store.schedule.lead import leads

T = TypeVar("T")
R = TypeVar("R")

_TOKEN: ContextVar[int | None] = ContextVar("leader_token", default=None)


class Fenced(StoreError):
    """another one leads the schedule by now: nothing of this write is stored"""


@contextmanager
def fenced_by(token: int) -> Iterator[None]:
    """Within it, what this task writes through a FencedStore is refused once another one leads."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)


class FencedStore:
    """`Store`, over another one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dialect, self.generation = store.dialect, store.generation
        self.subscribers, self.upgraded = store.subscribers, store.upgraded

    async def write(self, fn: Callable[..., T], *args: Any) -> T:
        """As the store does; within a chore raises Fenced when another one leads."""
        token = _TOKEN.get()
        if token is None:
            return await self._store.write(fn, *args)
        return await self._store.write(_if_leading, token, fn, *args)

    async def read(self, fn: Callable[..., T], *args: Any) -> T:
        """As the store does."""
        return await self._store.read(fn, *args)

    async def batch(self, fn: Callable[[Connection, Sequence[R]], Sequence[T]], row: R) -> T:
        """As the store does."""
        return await self._store.batch(fn, row)

    async def close(self) -> None:
        """Close the store itself."""
        await self._store.close()


def _if_leading(conn: Connection, token: int, fn: Callable[..., T], *args: Any) -> T:
    if not leads(conn, token):
        raise Fenced(Fenced.__doc__)
    return fn(conn, *args)
