"""The administrative commands of reconciliation, a step each, so that whoever runs them can tell how far it is."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.errors import CATALOGUE, Problem
from gateway.reconciliation.reconciler import Reconciler
from gateway.store.reconciliation.casework import BreakFilters
from jisr.admin import Desk, command
from jisr.errors import CommandError


def _reconciler(desk: Desk) -> Reconciler:
    if desk.reconciler is None:
        raise CommandError("This process has no reconciliation at hand; run the command beside `jisr serve`.")
    return desk.reconciler


def _day(arguments: Mapping[str, Any]) -> date:
    return date.fromisoformat(arguments["day"])


@command("reconcile.look")
async def _look(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    """What there is to do: the files that wait, and the last day that is over."""
    reconciler = _reconciler(desk)
    return {
        "folder": str(reconciler.folder),
        "sources": [source.name for source in reconciler.sources],
        "files": [[one.source.name, one.path.name] for one in reconciler.waiting()],
        "strays": reconciler.strays()[:20],
        "yesterday": reconciler.yesterday().isoformat(),
    }


@command("reconcile.take")
async def _take(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """Take one of the waiting files in."""
    reconciler = _reconciler(desk)
    wanted = arguments["source"], arguments["name"]
    for one in reconciler.waiting():
        if (one.source.name, one.path.name) == wanted:
            taken = await reconciler.take(one, by=arguments.get("by"))
            problem = taken.problem
            said = {"code": problem.code, "line": problem.line, "facts": dict(problem.facts)} if problem else None
            return {"state": taken.state, "day": taken.day, "lines": taken.lines, "problem": said}
    return {"state": "gone", "day": "", "lines": 0, "problem": None}


@command("reconcile.match")
async def _match(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    return {"groups": await _reconciler(desk).match(_day(arguments))}


@command("reconcile.close")
async def _close(desk: Desk, _arguments: Mapping[str, Any]) -> Any:
    closed = await _reconciler(desk).close()
    return {"done": closed.done, "not_done": closed.not_done, "waiting": closed.waiting}


@command("reconcile.conclude")
async def _conclude(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    run = await _reconciler(desk).conclude(_day(arguments))
    return {"number": run.number, "checksum": run.checksum, "report": run.report}


@command("reconcile.report")
async def _report(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    run = await _reconciler(desk).report(_day(arguments))
    return None if run is None else {"number": run.number, "checksum": run.checksum, "report": run.report}


@command("reconcile.breaks")
async def _breaks(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    filters = BreakFilters(arguments["states"], arguments["types"], arguments["source"], arguments["owner"])
    return await _reconciler(desk).breaks.list(filters, None, int(arguments["limit"]))


@command("reconcile.break")
async def _break(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """Read one break, or do something about it; a refusal of the API is a sentence here."""
    at, break_id, by = _reconciler(desk).breaks, arguments["id"], arguments.get("by", "")
    try:
        match arguments["act"]:
            case "assign":
                return await at.assign(break_id, arguments["to"], arguments["text"], by)
            case "note":
                return await at.note(break_id, arguments["text"], by)
            case "close":
                return await at.close(break_id, arguments["text"], by)
            case _:
                return await at.one(break_id)
    except Problem as problem:
        raise CommandError(_sentence(problem.code, break_id, arguments.get("language", "en"))) from problem


def _sentence(code: str, break_id: str, language: str) -> str:
    if code == "not_found":
        return f"لا فرق بالرقم {break_id}." if language == "ar" else f"There is no break {break_id!r}."
    return f"{break_id}: {CATALOGUE[code].clerk.in_language(language)}"
