"""Whoever reads a request in doubt brings the question about it forward: an answer may be had already."""

from collections.abc import Callable

from gateway.logs import log
from gateway.representation import View
from gateway.store.engine import Store, StoreError
from gateway.store.sooner import ask_sooner
from mappings.status import Request

#: No request is asked about more often than this because of readers.
QUIET_SECONDS = 30.0
_REMEMBERED = 10_000


class AskSooner:
    """Asks at most once in `QUIET_SECONDS` for each request; reading any other request costs nothing."""

    def __init__(self, store: Store, wake: Callable[[], None], monotonic: Callable[[], float]) -> None:
        """`wake` lets the worker look for due work."""
        self._store, self._wake, self._monotonic = store, wake, monotonic
        self._seen: dict[str, float] = {}

    async def saw(self, view: View) -> None:
        """Somebody reads this; a store that fails changes nothing for the reader."""
        if view.state is not Request.IN_DOUBT:
            return
        now = self._monotonic()
        if now - self._seen.get(view.id, float("-inf")) < QUIET_SECONDS:
            return
        if len(self._seen) >= _REMEMBERED:
            self._seen = {key: at for key, at in self._seen.items() if now - at < QUIET_SECONDS}
        self._seen[view.id] = now
        try:
            asked = await self._store.write(ask_sooner, view.id, int(QUIET_SECONDS * 1000))
        except StoreError as error:
            log.warning("not_asked_sooner", request_id=view.id, error_kind=type(error).__name__)
            return
        if asked:
            log.info("asked_sooner", request_id=view.id)
            self._wake()
