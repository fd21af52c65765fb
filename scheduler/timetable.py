"""The whole schedule, readable: what runs, when, what is done about ticks that were missed, and why.

Pulses belong to a process: each has its own, whether it leads or not. Entries belong to all together: the leader runs
each of their ticks once (scheduler/leader.py). `[schedule] changes` of the settings may move them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.keeping import Keeping
from gateway.reconciliation.reconciler import Reconciler
from gateway.settings import Settings, SettingsError
from gateway.time_settings import ScheduleChange
from gateway.upkeep import Upkeep, rescue_every_seconds
from scheduler.times import At, Every, Times

Chore = Callable[[], Awaitable[None]]


class CatchUp(StrEnum):
    """What becomes of the ticks for which nobody led."""

    SKIP = "skip"  #: They are noted as skipped; the next one runs at its time.
    ONCE = "once"  #: The last one runs, late; the others are noted as covered by it.
    EACH = "each"  #: Every one of them runs, in order.


@dataclass(frozen=True, slots=True)
class Pulse:
    """What each process does for itself, beginning when it starts."""

    name: str
    every_seconds: float
    why: tuple[str, str]  #: Arabic, English.
    chore: Chore


@dataclass(frozen=True, slots=True)
class Entry:
    """What is done once for all, by the leader; a chore of short transactions that may be repeated."""

    name: str
    times: Times
    catch_up: CatchUp
    why: tuple[str, str]  #: Arabic, English.
    chore: Chore


@dataclass(frozen=True, slots=True)
class Timetable:
    """All of it."""

    pulses: tuple[Pulse, ...]
    entries: tuple[Entry, ...]


def timetable(upkeep: Upkeep, keeping: Keeping, reconciler: Reconciler, settings: Settings) -> Timetable:
    """The schedule. Raises SettingsError for a change that names no entry, or no time."""
    third = settings.dispatch.lease_seconds / 3
    rescues = rescue_every_seconds(settings.dispatch)
    often = settings.reconciliation.every_seconds
    skip, once = CatchUp.SKIP, CatchUp.ONCE
    pulses = (
        Pulse(
            "renew-leases",
            third,
            ("العامل الحي يحتفظ بما في يده", "a worker that lives keeps what it holds"),
            upkeep.renew_leases,
        ),
        Pulse(
            "rescue-leases",
            rescues,
            ("ما كان بيد عامل مات يُحكم فيه ويمضي", "what a dead worker held is judged and goes on"),
            upkeep.rescue_leases,
        ),
        Pulse(
            "read-calendar",
            30,
            ("تُخطَّط التوقفات والخادم يعمل", "an outage is planned while the server runs"),
            upkeep.read_calendar,
        ),
        Pulse(
            "look-at-restore",
            2,
            ("وضع الاستعادة الذي أُنهي ينتهي في كل عملية", "restore mode that was ended ends in every process"),
            upkeep.look_at_restore,
        ),
    )
    entries = (
        Entry(
            "expire-unpaid",
            Every(min(30, third)),
            skip,
            ("لا ينتظر أحد دافعاً إلى الأبد", "nobody waits for a payer for ever"),
            upkeep.expire_unpaid,
        ),
        Entry(
            "inquire",
            Every(60),
            skip,
            ("كل محاولة مفتوحة بلا استعلام تنال واحداً", "an open attempt without an inquiry gets one"),
            upkeep.inquire,
        ),
        Entry(
            "reconcile",
            Every(often),
            once,
            (
                "الكشوف تحسم ما لا يُسأل عنه أحد، يوماً بيوم",
                "statements decide what nobody can ask about, day by day",
            ),
            reconciler.keep_up,
        ),
        Entry(
            "forget-keys",
            Every(3600),
            once,
            ("تُحفظ مفاتيح التكرار مدتها لا أكثر", "idempotency keys are kept for their time, not longer"),
            upkeep.forget_keys,
        ),
        Entry(
            "forget-callbacks",
            Every(3600),
            once,
            ("وكذلك رسائل الجهات", "so are the messages that institutions sent"),
            keeping.forget_callbacks,
        ),
        Entry(
            "forget-deliveries",
            Every(600),
            once,
            ("سجل الإشعارات يُحفظ مدته", "the log of webhooks is kept for its time"),
            keeping.forget_deliveries,
        ),
        Entry(
            "forget-attachments",
            Every(600),
            once,
            ("ملف مرفوع لا يحتاجه طلب لا يُحفظ", "an upload that no request needs is not kept"),
            keeping.forget_attachments,
        ),
        Entry(
            "forget-fires",
            Every(3600),
            once,
            ("سجل هذا الجدول يُحفظ مدته", "the history of this timetable is kept for its time"),
            keeping.forget_fires,
        ),
        Entry(
            "drop-stray-blobs",
            Every(600),
            once,
            ("ما بدأ ولم يكتمل لا يشغل مكاناً", "what was begun and never finished takes no space"),
            keeping.drop_stray_blobs,
        ),
    )
    return Timetable(pulses, _changed(entries, settings.schedule.changes, settings.schedule.zone))


def _changed(entries: tuple[Entry, ...], changes: Mapping[str, ScheduleChange], zone: str) -> tuple[Entry, ...]:
    names = [entry.name for entry in entries]
    if strange := sorted(set(changes) - set(names)):
        raise SettingsError(
            f"The setting schedule.changes names {strange[0]!r}, which no schedule is called; there are "
            f"{', '.join(names)}."
        )
    return tuple(_change(entry, changes[entry.name], zone) if entry.name in changes else entry for entry in entries)


def _change(entry: Entry, changed: ScheduleChange, zone: str) -> Entry:
    times = entry.times
    if changed.at is not None:
        try:
            times = At(changed.at, zone)
        except (ValueError, LookupError, OSError) as error:
            raise SettingsError(
                f"The setting schedule.changes.{entry.name}.at is {changed.at!r}; it is written as in crontab "
                f'("30 6 * * *"): {error}.'
            ) from error
    elif changed.every_seconds is not None:
        times = Every(changed.every_seconds)
    return replace(entry, times=times, catch_up=CatchUp(changed.catch_up or entry.catch_up))
