"""Whether this database runs in restore mode, as far as this process knows: read at the start, and while it lasts."""

from collections.abc import Sequence

from gateway.logs import log
from gateway.store.engine import Store
from gateway.store.restores import Restored, find_restores, release_held


class RestoreMode:
    """While it is on, new requests are taken in and held, and nothing that has an effect is repeated."""

    def __init__(self) -> None:
        """Off, until `learn` says otherwise."""
        self.on = False
        self._gaps: Sequence[tuple[int, int]] = ()

    async def learn(self, store: Store) -> None:
        """Read how it stands."""
        self.take(await store.read(find_restores))

    def take(self, found: Sequence[Restored]) -> None:
        """Believe what was read."""
        self.on = any(each.finished_at is None for each in found)
        self._gaps = [(each.backup_at, each.restored_at) for each in found]

    async def look(self, store: Store) -> bool:
        """While it is on: whether another process ended it; then what was held meanwhile is let go."""
        if not self.on:
            return False
        found = await store.read(find_restores)
        self.take(found)
        if any(each.finished_at is None for each in found):
            return False
        log.warning("restore_mode_over", count=await let_go(store))
        return True

    def may_have_lost(self, request_id: str) -> bool:
        """Whether a request that is not known here was accepted, by its id, between a backup and its restoration."""
        if not self._gaps:
            return False
        made_at = _made_at(request_id)
        return any(since <= made_at <= until for since, until in self._gaps)


async def let_go(store: Store) -> int:
    """Let the held requests go; how many there were."""
    count = 0
    while some := await store.write(release_held):
        count += some
    return count


def _made_at(request_id: str) -> int:
    """When an id was made (UUIDv7), in milliseconds since 1970 UTC."""
    return int(request_id.replace("-", "")[:12], 16)
