"""The administrative commands of dead letters: what the machine gave up on, planned and let go on by an operator."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.registry import find_packages
from gateway.dead_letters.desk import DeadLetters, Order, known_of, shown, shown_plan
from gateway.errors import Text
from gateway.store.dead_letters import Choice
from jisr.admin import Desk, command
from jisr.errors import CommandError


def _letters(desk: Desk) -> DeadLetters:
    return DeadLetters(desk.store, known_of(desk.catalogue(), find_packages(desk.settings.connector_paths)))


def _choice(arguments: Mapping[str, Any]) -> Choice:
    return Choice(arguments.get("service"), arguments.get("reason"), arguments.get("lane"))


@command("deadletter.list")
async def _list(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    planned = await _letters(desk).parked(_choice(arguments), int(arguments["limit"]))
    return [shown(each) for each in planned]


@command("deadletter.show")
async def _show(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    planned = await _letters(desk).plan([arguments["id"]])
    if not planned:
        raise CommandError(_absent([arguments["id"]], arguments))
    return shown(planned[0])


def _absent(ids: Sequence[str], arguments: Mapping[str, Any]) -> str:
    listed = ", ".join(ids[:10]) + (", …" if len(ids) > 10 else "")
    text = Text(f"لا يوجد طلب {listed}.", f"There is no request {listed}.")
    return text.in_language(str(arguments.get("language", "en")))


@command("deadletter.replay")
async def _replay(desk: Desk, arguments: Mapping[str, Any]) -> Any:
    """The plan; with `act` also what went."""
    letters = _letters(desk)
    planned = await letters.choose(_choice(arguments), arguments["ids"])
    if absent := sorted(set(arguments["ids"]) - {each.letter.id for each in planned}):
        raise CommandError(_absent(absent, arguments))
    told = shown_plan(planned)
    if arguments["act"]:
        order = Order(
            by=arguments["by"],
            reason=arguments["because"],
            per_second=float(arguments["per_second"]),
            accept_new_mapping=bool(arguments["new_mapping"]),
        )
        told["went"] = await letters.replay(planned, order)
    return told
