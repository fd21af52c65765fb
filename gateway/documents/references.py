"""Where a request refers to uploads: by their digest, under `attachments`, in its input, or in a citizen's answer."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.work import Work

PATTERN = "^sha256:[0-9a-f]{64}$"
_IS_DIGEST = re.compile(PATTERN).match


def in_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields whose value is a digest."""
    return {
        name: value
        for name, value in fields.items()
        if isinstance(value, str) and value.startswith("sha256:") and _IS_DIGEST(value)
    }


def in_content(content: Mapping[str, Any]) -> dict[str, str]:
    """Kind of attachment -> digest, of a request as it was sent."""
    found = in_fields(content["input"])
    given = content.get("attachments")
    return {**found, **given} if given else found


def of_work(work: Work) -> dict[str, str]:
    """The same as it stands now: what the citizen sent again takes the place of what was not good enough."""
    later = work.progress.get("attachments")
    found = in_content(work.content)
    return {**found, **later} if later else found


def pointers(content: Mapping[str, Any]) -> dict[str, str]:
    """Where in the body each attachment is named."""
    places = {name: f"/input/{name}" for name in in_fields(content["input"])}
    return places | {name: f"/attachments/{name}" for name in content.get("attachments") or ()}
