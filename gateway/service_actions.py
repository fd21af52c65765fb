"""This file reads `[actions.KIND]` of a service: what an institution may ask the citizen for, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.service_values import Wrong, both_languages, check_keys, form, positive, string, table_of

_REQUIRED = frozenset({"text", "answer"})
_OPTIONAL = frozenset({"operation", "goes_on", "ends_on", "answer_within_hours"})
#: Steps with an exchange of their own that is never left out.
_ASKING = frozenset({"check", "quote", "submit"})
#: Asked by the gateway itself; a service cannot give these kinds another meaning.
RESERVED = frozenset({"confirm_otp", "choose_payment"})


@dataclass(frozen=True, slots=True)
class CitizenAction:
    """One kind of next action: its form and its words, and where the request goes on after the answer.

    Either the answer is handed to `operation` of the connector that asked, or the request goes on at step `goes_on`.
    """

    kind: str
    text: Mapping[str, str]  #: {"ar", "en"}; braces name details that the institution gave.
    schema: dict[str, Any]  #: JSON Schema 2020-12 of the answer.
    labels: Mapping[str, Any]
    operation: str | None
    goes_on: str | None  #: The kind of a step.
    ends_on: Mapping[str, Any]  #: An answer that has these values ends the request; {} means that none does.
    answer_within_hours: int  #: When the institution does not say how long it waits.


def actions_of(raw: object, step_kinds: Sequence[str]) -> dict[str, CitizenAction]:
    """The actions of a service whose steps are of these kinds. Raises Wrong."""
    return {kind: _action(kind, table, step_kinds) for kind, table in table_of(raw, "actions").items()}


def _action(kind: str, raw: object, step_kinds: Sequence[str]) -> CitizenAction:
    where = f"actions.{kind}"
    table = table_of(raw, where)
    check_keys(table, _REQUIRED, _OPTIONAL, f"{where}.")
    if kind in RESERVED:
        raise Wrong("this kind is the gateway's own", where)
    if ("operation" in table) == ("goes_on" in table):
        raise Wrong("it needs either operation or goes_on", where)
    goes_on = string(table, "goes_on", where) if "goes_on" in table else None
    if goes_on is not None and not _ASKING & set(
        step_kinds[step_kinds.index(goes_on) if goes_on in step_kinds else 99 :]
    ):
        raise Wrong(f"it names {goes_on!r}, from which on no step asks an institution", f"{where}.goes_on")
    schema, labels = form(table["answer"], f"{where}.answer")
    ends_on = dict(table_of(table.get("ends_on", {}), f"{where}.ends_on"))
    if unknown := set(ends_on) - set(schema["properties"]):
        raise Wrong(f"it names {min(unknown)!r}, which is not in {where}.answer.properties", f"{where}.ends_on")
    return CitizenAction(
        kind=kind,
        text=both_languages(table["text"], f"{where}.text"),
        schema=schema,
        labels=labels,
        operation=string(table, "operation", where) if "operation" in table else None,
        goes_on=goes_on,
        ends_on=ends_on,
        answer_within_hours=positive(table, "answer_within_hours") if "answer_within_hours" in table else 168,
    )
