"""This file holds the part of the API's reference about restore mode."""

from typing import Any

from gateway.api.openapi_parts import GUARDED, json_answer, operation

_TIME = {"type": ["string", "null"], "format": "date-time"}


def restore_paths() -> dict[str, Any]:
    """The paths."""
    summary = "Read how restore mode stands (operators)"
    good = {"200": json_answer("RestoreMode", summary)}
    return {"/v1/admin/restore": {"get": operation("readRestore", summary, "Operators", [], good, GUARDED)}}


def restore_schemas() -> dict[str, Any]:
    """The schemas that they name."""
    count = {"type": "integer", "minimum": 0}
    properties = {
        "on": {"type": "boolean", "description": "New requests are held, and nothing with an effect is done again."},
        "backup_at": _TIME,
        "restored_at": {**_TIME, "description": "null: this record was never restored."},
        "finished_at": _TIME,
        "finished_by": {"type": ["string", "null"]},
        "open_then": {**count, "description": "Requests that were not final when the backup was taken."},
        "in_doubt": count,
        "parked": count,
        "held": {**count, "description": "New requests that wait for the end of restore mode."},
    }
    return {"RestoreMode": {"type": "object", "required": list(properties), "properties": properties}}
