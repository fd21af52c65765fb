"""Makes the ids of records: UUIDv7 as text, so that they sort by age."""

import uuid_utils


def new_id() -> str:
    """A new id; later ids of one process sort after earlier ones."""
    return str(uuid_utils.uuid7())
