"""The chores that end what is kept for a time only: messages of institutions, and what nobody came back for.

Each is one short transaction that may run on any node and be repeated; `scheduler/timetable.py` says when.
"""

from gateway.logs import log
from gateway.settings import Settings
from gateway.store import callbacks
from gateway.store.engine import Store

_BATCH = 500
_DAY_MS = 86_400_000


class Keeping:
    """What is forgotten, and when."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    async def forget_callbacks(self) -> None:
        """Delete judged messages past their time; those that proved nothing sooner."""
        kept = self._settings.callbacks
        gone = await self._store.write(
            callbacks.forget, int(kept.keep_days * _DAY_MS), int(kept.keep_unsigned_days * _DAY_MS), _BATCH
        )
        if gone:
            log.info("callbacks_forgotten", count=gone)
