"""What numbers and texts a setting may have, beyond its type; a wrong one is one clear sentence."""

import re
from typing import TYPE_CHECKING

import msgspec

from gateway.webhooks.settings import wrong_settings

if TYPE_CHECKING:
    from gateway.settings import Settings

#: How far back reconciliation looks: a file of then may still decide an act in doubt. Keys live at least as long.
RECONCILED_DAYS = 400


def rules(settings: "Settings") -> tuple[tuple[bool, str], ...]:
    """Each rule: whether it is broken, and the sentence for that."""
    return (
        (not 0 <= settings.port <= 65535, f"The setting port must be 0 to 65535, not {settings.port}."),
        (
            not 1 <= settings.sandbox.base_port <= 65000,
            f"The setting sandbox.base_port must be 1 to 65000, not {settings.sandbox.base_port}.",
        ),
        (settings.max_body_bytes < 1024, "The setting max_body_bytes must be 1024 or more."),
        (settings.max_attachment_bytes < 1024, "The setting max_attachment_bytes must be 1024 or more."),
        (settings.attachment_hours <= 0, "The setting attachment_hours must be more than 0."),
        (settings.unused_attachments < 1, "The setting unused_attachments must be 1 or more."),
        (settings.unused_attachment_bytes < 1024, "The setting unused_attachment_bytes must be 1024 or more."),
        (settings.verifications_per_second <= 0, "The setting verifications_per_second must be more than 0."),
        (settings.proposal_hours <= 0, "The setting proposal_hours must be more than 0."),
        (
            settings.idempotency_days < RECONCILED_DAYS,
            f"The setting idempotency_days must be {RECONCILED_DAYS} or more: a statement may decide so late.",
        ),
        (not 0 <= settings.key_cache_seconds <= 60, "The setting key_cache_seconds must be 0 to 60."),
        (settings.dispatch.lease_seconds <= 0, "The setting dispatch.lease_seconds must be more than 0."),
        (
            settings.dispatch.send_window_seconds >= settings.dispatch.lease_seconds,
            "The setting dispatch.send_window_seconds must be less than dispatch.lease_seconds.",
        ),
        (
            any(seconds <= 0 for seconds in settings.dispatch.deadlines.values()),
            "A number in the setting dispatch.deadlines must be more than 0.",
        ),
        (
            any(number <= 0 for number in msgspec.structs.astuple(settings.callbacks)),
            "A number in the settings of callbacks must be more than 0.",
        ),
        (
            any(
                number <= 0
                for name, number in msgspec.structs.asdict(settings.limits).items()
                if "calls_per" not in name
            ),
            "A number in the settings of limits must be more than 0 (channel_calls_per_second = 0 sets no limit).",
        ),
        (
            settings.limits.channel_calls_per_second < 0,
            "The setting limits.channel_calls_per_second must be 0 or more.",
        ),
        (
            settings.limits.body_bytes < settings.max_body_bytes,
            "The setting limits.body_bytes must be max_body_bytes or more.",
        ),
        (settings.reconciliation.every_seconds <= 0, "The setting reconciliation.every_seconds must be more than 0."),
        *wrong_settings(settings.webhooks),
        *_wrong_schedule(settings),
        *_wrong_stranded(settings),
        (
            any(rate <= 0 for rate in settings.dispatch.rates.values()),
            "A number in the setting dispatch.rates must be more than 0.",
        ),
        (settings.dispatch.breaker_failures < 0, "The setting dispatch.breaker_failures must be 0 or more."),
        (settings.dispatch.breaker_successes < 1, "The setting dispatch.breaker_successes must be 1 or more."),
        (
            not 0 < settings.dispatch.breaker_first_seconds <= settings.dispatch.breaker_max_seconds,
            "The setting dispatch.breaker_first_seconds must be more than 0, and dispatch.breaker_max_seconds no less.",
        ),
        (settings.dispatch.ramp_seconds < 0, "The setting dispatch.ramp_seconds must be 0 or more."),
        (settings.dispatch.poison_after < 1, "The setting dispatch.poison_after must be 1 or more."),
        (settings.dispatch.max_tries < 1, "The setting dispatch.max_tries must be 1 or more."),
        (
            settings.dispatch.inquiry_wish_max_seconds <= 0,
            "The setting dispatch.inquiry_wish_max_seconds must be more than 0.",
        ),
        (not settings.dispatch.inquiry_seconds, "The setting dispatch.inquiry_seconds needs at least one number."),
        (
            re.match(r"(sqlite|postgresql)(\+\w+)?://", settings.database_url) is None,
            "The setting database_url must begin with sqlite:/// or postgresql://.",
        ),
    )


def _wrong_schedule(settings: "Settings") -> tuple[tuple[bool, str], ...]:
    changes = settings.schedule.changes
    both = next((name for name, each in changes.items() if each.at is not None and each.every_seconds is not None), "")
    return (
        (settings.schedule.keep_days <= 0, "The setting schedule.keep_days must be more than 0."),
        (
            any(each.every_seconds is not None and each.every_seconds < 0.1 for each in changes.values()),
            "A number every_seconds in the setting schedule.changes must be 0.1 or more.",
        ),
        (bool(both), f"The setting schedule.changes.{both} has both at and every_seconds; leave one of them out."),
    )


_OPEN_STATES = frozenset(
    {"accepted", "awaiting_citizen", "in_progress", "with_institution", "in_doubt", "parked", "delivering"}
)


def _wrong_stranded(settings: "Settings") -> tuple[tuple[bool, str], ...]:
    tables = [settings.stranded.hours, *settings.stranded.services.values()]
    strange = sorted({state for table in tables for state in table} - _OPEN_STATES)
    return (
        (bool(strange), f"The setting stranded names {', '.join(strange)}; a state is one of {_listed(_OPEN_STATES)}."),
        (
            any(hours < 0 for table in tables for hours in table.values()),
            "A number of hours in the setting stranded must be 0 or more.",
        ),
    )


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
