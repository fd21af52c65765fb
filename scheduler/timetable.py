"""The whole schedule, readable: what runs, how often, and why."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.keeping import Keeping
from gateway.reconciliation.reconciler import Reconciler
from gateway.settings import Settings
from gateway.upkeep import Upkeep, rescue_every_seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timetable."""

    name: str
    every_seconds: float
    why: str
    chore: Callable[[], Awaitable[None]]


def timetable(upkeep: Upkeep, keeping: Keeping, reconciler: Reconciler, settings: Settings) -> tuple[Entry, ...]:
    """The jobs of one worker."""
    third = settings.dispatch.lease_seconds / 3
    rescues = rescue_every_seconds(settings.dispatch)
    often = settings.reconciliation.every_seconds
    return (
        Entry("renew-leases", third, "a worker that lives keeps what it holds", upkeep.renew_leases),
        Entry("rescue-leases", rescues, "what a dead worker held is judged and goes on", upkeep.rescue_leases),
        Entry("expire-unpaid", min(30, third), "nobody waits for a payer for ever", upkeep.expire_unpaid),
        Entry("inquire", 60, "an open attempt without an inquiry gets one", upkeep.inquire),
        Entry("forget-keys", 3600, "idempotency keys are kept for their time, not longer", upkeep.forget_keys),
        Entry("forget-callbacks", 3600, "so are the messages that institutions sent", keeping.forget_callbacks),
        Entry("forget-deliveries", 600, "the log of webhooks is kept for its time", keeping.forget_deliveries),
        Entry("forget-attachments", 600, "an upload that no request needs is not kept", keeping.forget_attachments),
        Entry("reconcile", often, "statements decide what nobody can ask about, day by day", reconciler.keep_up),
        Entry("read-calendar", 30, "an outage is planned while the server runs", upkeep.read_calendar),
        Entry("look-at-restore", 2, "restore mode that was ended ends in every process", upkeep.look_at_restore),
        Entry("drop-stray-blobs", 600, "what was begun and never finished takes no space", keeping.drop_stray_blobs),
    )
