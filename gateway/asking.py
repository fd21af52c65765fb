"""Turns what an institution asks into a next action that stands by itself, and the citizen's answer into what follows.

A stored next action of an institution is `{"id", "kind", "schema", "labels", "text", "details", "then"}` and, where an
answer can end the request, `"ends_on"`. `then` says what follows: `{"operation", "connector", "about", "open"}` or
`{"step"}`. Schema and words are kept with it, so that a service file that changes meanwhile changes no open question.
"""

import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.kit.contract import Asked
from gateway.catalogue import Service
from gateway.service_actions import CitizenAction
from gateway.steps import ACT, Plan
from gateway.work import Work

CONSENT_PRICE = "consent_price"


def stored(work: Work, plan: Plan, service: Service, asked: Asked, *, still_open: bool) -> dict[str, Any] | None:
    """The next action without its id; None when the service does not declare it or nothing is left to choose from.

    `still_open` says that the act which asks goes on after the answer.
    """
    declared = service.actions.get(asked.kind)
    if declared is None or any(not choices for choices in asked.choices.values()):
        return None
    schema, labels = _with_choices(declared, asked)
    action = {
        "kind": asked.kind,
        "schema": schema,
        "labels": labels,
        "text": {language: _filled(words, asked.details) for language, words in declared.text.items()},
        "details": dict(asked.details),
        "then": _then(work, plan, service, declared, still_open=still_open),
    }
    return {**action, "ends_on": dict(declared.ends_on)} if declared.ends_on else action


def ends(action: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether the answer ends the request."""
    ending = action.get("ends_on") or {}
    return bool(ending) and all(key in answer and answer[key] == value for key, value in ending.items())


def milliseconds(moment: datetime | str | None) -> int | None:
    """A moment as the store keeps it."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return None if moment is None else int(moment.timestamp() * 1000)


def earliest(*moments: int | None) -> int | None:
    """The first of those that there are."""
    return min((moment for moment in moments if moment is not None), default=None)


def _then(work: Work, plan: Plan, service: Service, declared: CitizenAction, *, still_open: bool) -> dict[str, Any]:
    if declared.goes_on is not None:
        return {"step": [step.kind for step in service.steps].index(declared.goes_on)}
    earlier = work.progress.get("act") if work.phase == ACT else None
    if earlier and earlier["open"]:  # asked again about the act that still waits
        about, still_open = earlier["about"], True
    else:
        about = plan.subject.operation_id if plan.subject else plan.operation_id
    return {
        "operation": declared.operation,
        "connector": plan.connector.name,
        "about": about,
        "open": still_open,
    }


def _with_choices(declared: CitizenAction, asked: Asked) -> tuple[dict[str, Any], dict[str, Any]]:
    schema, labels = declared.schema, dict(declared.labels)
    fields = dict(schema["properties"])
    for name, choices in asked.choices.items():
        if name not in fields:
            continue
        values = [choice["value"] for choice in choices]
        fields[name] = {**fields[name], "enum": values}
        words = {
            choice["value"]: {
                "ar": choice.get("ar", choice["value"]),
                "en": choice.get("en", choice["value"]),
            }
            for choice in choices
        }
        labels[name] = {**labels.get(name, {}), "values": words}
    return {**schema, "properties": fields}, labels


class _Details(dict[str, Any]):
    """A detail that the institution did not give leaves its braces empty, not the citizen without a text."""

    def __missing__(self, key: str) -> str:
        return "…"


class _Words(string.Formatter):
    """Fills in details by name and nothing else: no attributes, no indexes."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002  # as string.Formatter has it
        return kwargs[field_name], field_name


def _filled(words: str, details: Mapping[str, Any]) -> str:
    return _Words().vformat(words, (), _Details(details))
