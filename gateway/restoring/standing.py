"""How restore mode stands, as operators read it: the same for the API and for the command line."""

from typing import Any

from gateway.moments import iso
from gateway.store.restores import Standing


def shown(standing: Standing) -> dict[str, Any]:
    """The last restoration, and what is left to clear."""
    last = standing.restored
    return {
        "on": last is not None and last.finished_at is None,
        "backup_at": iso(last.backup_at) if last else None,
        "restored_at": iso(last.restored_at) if last else None,
        "finished_at": iso(last.finished_at) if last else None,
        "finished_by": last.finished_by if last else None,
        "open_then": last.open_requests if last else 0,
        "in_doubt": standing.in_doubt,
        "parked": standing.parked,
        "held": standing.held,
    }
