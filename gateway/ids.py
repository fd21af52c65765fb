"""Makes the ids of records: UUIDv7 as text, so that they sort by age."""

import uuid_utils


def new_id() -> str:
    """A new id; later ids of one process sort after earlier ones."""
    return str(uuid_utils.uuid7())


def first_id_at(milliseconds: int) -> str:
    """The least id of that time (milliseconds since 1970 UTC)."""
    stamp = f"{max(0, milliseconds):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7000-8000-000000000000"
