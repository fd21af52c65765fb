"""The settings of webhooks, and what is wrong with them."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How channels are told, and where their receivers may stand."""

    private_networks: tuple[str, ...]
    plain_http: bool
    ca_file: str
    deadline_seconds: float
    retry_seconds: tuple[float, ...]
    disable_after_days: float
    places: int
    most_endpoints: int
    overlap_hours: float
    keep_days: float


def wrong_settings(webhooks: WebhookSettings) -> Iterator[tuple[bool, str]]:
    """Each condition that must not hold, with the sentence that says so."""
    numbers = (*webhooks.retry_seconds, webhooks.deadline_seconds, webhooks.overlap_hours, webhooks.keep_days)
    numbers = (*numbers, webhooks.disable_after_days)
    few = min(webhooks.places, webhooks.most_endpoints) < 1
    yield few or any(number <= 0 for number in numbers), "A number in the settings of webhooks must be more than 0."
    yield not webhooks.retry_seconds, "The setting webhooks.retry_seconds needs at least one number."
    for network in webhooks.private_networks:
        yield not _is_network(network), _sentence(network)


def anchored(values: object, folder: Path) -> dict[str, Any]:
    """The section of a settings file that lies in `folder`, with its path meant from there; {} where it has none."""
    if not isinstance(values, dict) or not isinstance(values.get("ca_file"), str) or not values["ca_file"]:
        return {}
    return {"webhooks": {**values, "ca_file": str(folder / values["ca_file"])}}


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _sentence(network: str) -> str:
    return f"The setting webhooks.private_networks names {network!r}: write a network as in 10.20.0.0/16."
