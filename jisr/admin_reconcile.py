"""The administrative commands of reconciliation, a step each, so that whoever runs them can tell how far it is."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.reconciliation.reconciler import Reconciler
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
            taken = await reconciler.take(one)
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
