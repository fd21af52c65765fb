"""The administrative commands of the timetable: what runs when, what became of it, and letting one fire by hand."""

from collections.abc import Mapping
from typing import Any

from gateway.moments import iso
from gateway.store.clock import now_ms
from gateway.store.schedule import fires
from gateway.store.schedule.fires import DUE, RUNNING, Fire
from gateway.store.schedule.lead import leader_of
from jisr.admin import Desk, command
from jisr.errors import CommandError
from scheduler.timetable import Timetable
from scheduler.worker import Worker


def _worker(desk: Desk) -> Worker:
    if desk.worker is None:
        raise CommandError("This process has no timetable at hand; run the command beside `jisr serve`.")
    return desk.worker


@command("schedule.list")
async def _list(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    """Pulses and entries with their times, the next fire and the last outcome of each entry, and who leads."""
    return await desk.store.read(_look, _worker(desk).timetable)


def _look(conn: Any, table: Timetable) -> dict[str, Any]:
    now, known = now_ms(conn), fires.next_of(conn)
    last = fires.last_of(conn, [entry.name for entry in table.entries])
    under_way = {fire.schedule: fire.state for fire in fires.open_fires(conn)}
    entries = [
        {
            "name": entry.name,
            "times": str(entry.times),
            "catch_up": entry.catch_up.value,
            "why": {"ar": entry.why[0], "en": entry.why[1]},
            "next": iso(known[entry.name].at if entry.name in known else entry.times.after(now)),
            "now": under_way.get(entry.name),
            "last": _shown(last[entry.name]) if entry.name in last else None,
        }
        for entry in table.entries
    ]
    pulses = [
        {"name": each.name, "every_seconds": each.every_seconds, "why": {"ar": each.why[0], "en": each.why[1]}}
        for each in table.pulses
    ]
    return {"leader": leader_of(conn), "entries": entries, "pulses": pulses}


@command("schedule.fire")
async def _fire(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """Let it fire now; whoever leads runs it."""
    worker, name = _worker(desk), arguments["name"]
    if name not in worker.leader.entries:
        raise CommandError(f"There is no schedule {name!r}; there are {', '.join(worker.leader.entries)}.")
    moment = await desk.store.write(fires.ask, name, arguments["by"])
    if moment is None:
        raise CommandError(f"{name} was asked for by hand already and has not begun yet; see `jisr schedule history`.")
    worker.leader.wake()
    return {"fire_time": moment}


@command("schedule.fired")
async def _fired(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """What became of one fire."""
    found = await desk.store.read(fires.find, arguments["name"], int(arguments["fire_time"]))
    if found is None:
        raise CommandError(f"{arguments['name']} did not fire then.")
    return {**_shown(found), "ended": found.state not in (DUE, RUNNING)}


@command("schedule.history")
async def _history(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    name = arguments.get("name")
    if name is not None and name not in (known := _worker(desk).leader.entries):
        raise CommandError(f"There is no schedule {name!r}; there are {', '.join(known)}.")
    states = tuple(arguments.get("states") or ())
    found = await desk.store.read(fires.history, name, states, int(arguments["limit"]))
    return [_shown(fire) for fire in found]


def _shown(fire: Fire) -> dict[str, Any]:
    ran = fire.started_at is not None and fire.ended_at is not None
    return {
        "schedule": fire.schedule,
        "fire_time": iso(fire.fire_time),
        "state": fire.state,
        "cause": fire.cause,
        "ticks": fire.ticks,
        "since": iso(fire.since),
        "started_at": iso(fire.started_at),
        "ended_at": iso(fire.ended_at),
        "milliseconds": (fire.ended_at or 0) - (fire.started_at or 0) if ran else None,
        "by": fire.by,
        "asked_by": fire.asked_by,
        "runs": fire.runs,
        "code": fire.code,
    }
