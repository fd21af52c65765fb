"""Which channels listen, as far as this process knows: nobody else's requests cost a look into the database.

The list is read anew every few seconds. Whoever does not know, or not lately, is told "perhaps": then the statement
itself looks, so that an old list loses no event of an endpoint that another node added.
"""

import time
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, select

from gateway.store.webhooks.tables import endpoints

#: Key of `Connection.info` under which a store leaves its list.
SUBSCRIBERS = "jisr.subscribers"
#: A list that is older than this is no longer believed.
BELIEVED_SECONDS = 10.0


class Subscribers:
    """The channels with an endpoint. Read and written from several threads, one reference at a time."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: frozenset[str] = frozenset()
        self._believed_until = float("-inf")
        self._news: Callable[[], object] | None = None

    def learn(self, channels: Iterable[str]) -> None:
        """The list as it was just read."""
        self._known = frozenset(channels)
        self._believed_until = self._monotonic() + BELIEVED_SECONDS

    def forget(self) -> None:
        """Believe the list no more: somebody was added."""
        self._believed_until = float("-inf")

    def may_listen(self, channel_id: str) -> bool:
        """Whether the channel may have an endpoint; `""` is a channel that the caller does not know."""
        if self._monotonic() > self._believed_until:
            return True
        return channel_id in self._known if channel_id else bool(self._known)

    @property
    def some(self) -> bool:
        """Whether anybody may listen."""
        return self.may_listen("")

    def on_news(self, news: Callable[[], object] | None) -> None:
        """Call `news`, from any thread, when something was written that is to be told."""
        self._news = news

    def tell(self) -> None:
        """Something was written; it is committed soon."""
        if self._news is not None:
            self._news()


def subscribers_of(conn: Connection) -> Subscribers:
    """The list that the store left on the connection."""
    known: Subscribers = conn.info[SUBSCRIBERS]
    return known


def listening_channels(conn: Connection) -> list[str]:
    """The channels with an active endpoint."""
    return list(conn.scalars(select(endpoints.c.channel_id).where(endpoints.c.state == "active").distinct()))
