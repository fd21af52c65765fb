"""The chores that end what is kept for a time only: messages of institutions, and what nobody came back for.

Each is one short transaction that may run on any node and be repeated; `scheduler/timetable.py` says when.
"""

from gateway.logs import log
from gateway.settings import Settings
from gateway.store import callbacks
from gateway.store.attachments import forget_attachments
from gateway.store.blobs import drop_stray_blobs
from gateway.store.engine import Store
from gateway.store.schedule.fires import forget as forget_fires
from gateway.store.webhooks.deliveries import set_aside
from gateway.store.webhooks.log import forget as forget_deliveries

_BATCH = 500
_MANY = 5000  #: Each of them is small.
_FEW = 20  #: Each of them is large.
_DAY_MS = 86_400_000


class Keeping:
    """What is forgotten, and when."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    async def forget_attachments(self) -> None:
        """Delete uploads that no request came to refer to."""
        hours = self._settings.attachment_hours
        gone = await self._store.write(forget_attachments, int(hours * 3_600_000), _FEW)
        if gone:
            log.info("attachments_forgotten", count=gone)

    async def drop_stray_blobs(self) -> None:
        """Delete contents that nothing refers to: interrupted uploads, and documents of settlements that lost."""
        gone = await self._store.write(drop_stray_blobs, _DAY_MS, _FEW)
        if gone:
            log.info("blobs_dropped", count=gone)

    async def forget_deliveries(self) -> None:
        """Give up what waits for a switched-off address past its time, and delete what was told past its own."""
        given_up = await self._store.write(set_aside, _BATCH)
        if given_up:
            log.warning("deliveries_given_up", count=given_up)
        gone = await self._store.write(forget_deliveries, int(self._settings.webhooks.keep_days * _DAY_MS), _BATCH)
        if gone:
            log.info("deliveries_forgotten", count=gone)

    async def forget_fires(self) -> None:
        """Delete the timetable's history past its time."""
        gone = await self._store.write(forget_fires, int(self._settings.schedule.keep_days * _DAY_MS), _MANY)
        if gone:
            log.info("fires_forgotten", count=gone)

    async def forget_callbacks(self) -> None:
        """Delete judged messages past their time; those that proved nothing sooner."""
        kept = self._settings.callbacks
        gone = await self._store.write(
            callbacks.forget, int(kept.keep_days * _DAY_MS), int(kept.keep_unsigned_days * _DAY_MS), _BATCH
        )
        if gone:
            log.info("callbacks_forgotten", count=gone)
