"""Takes a message of an institution in: committed as it came, before anybody looks at what it says."""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from connectors.kit.contract import Connector
from gateway import crash
from gateway.bucket import Bucket
from gateway.errors import Problem
from gateway.logs import log
from gateway.security.keyring import Keyring
from gateway.settings import CallbackSettings
from gateway.store.callbacks import Arrived, Receipt, keep
from gateway.store.clock import Clock
from gateway.store.engine import Store

#: Headers of the institution's own, which a mapping may read; what proxies add on the way proves nothing.
_OWN = ("x-", "webhook-", "content-type")
_NEVER = ("x-forwarded", "x-real-ip", "x-client", "x-ssl")
_MOST_HEADER_BYTES = 8192


class Receiver:
    """The door for messages of institutions."""

    def __init__(
        self,
        store: Store,
        connectors: Mapping[str, Connector],
        keyring: Keyring,
        clock: Clock,
        settings: CallbackSettings,
        wake: Callable[[], None],
    ) -> None:
        self._store, self._keyring, self._clock, self._settings, self._wake = store, keyring, clock, settings, wake
        self._connectors = {name: each for name, each in connectors.items() if each.callbacks}
        self._buckets: dict[str, Bucket] = {}

    def limit(self, institution: str) -> int:
        """The largest message. Raises Problem("institution_unknown") for one that sends none here."""
        return self._connector(institution).callback_max_bytes

    async def take(self, institution: str, body: bytes, headers: Iterable[tuple[str, str]]) -> Receipt:
        """Commit it. Raises Problem: institution_unknown, or rate_limited for what nobody signed and comes too fast."""
        connector = self._connector(institution)
        kept = kept_headers(headers, connector.callback_headers)
        now = self._clock.utcnow()
        if not connector.callback_signed(body, kept, now) and not self._bucket(institution).take():
            raise Problem("rate_limited")
        digest = self._digest(body, {name: kept.get(name, "") for name in connector.callback_headers})
        arrived = Arrived(institution, digest, body, kept, int(now.timestamp() * 1000))
        receipt: Receipt = await self._store.write(keep, arrived)
        crash.point("callback.after_commit")
        log.info("callback_kept", connector=institution, bytes=len(body), replayed=receipt.again)
        self._wake()
        return receipt

    def _connector(self, institution: str) -> Connector:
        connector = self._connectors.get(institution)
        if connector is None:
            raise Problem("institution_unknown")
        return connector

    def _bucket(self, institution: str) -> Bucket:
        bucket = self._buckets.get(institution)
        if bucket is None:
            bucket = self._buckets[institution] = Bucket(self._settings.unsigned_per_second, self._clock.monotonic)
        return bucket

    def _digest(self, body: bytes, signing: Mapping[str, str]) -> bytes:
        content = hashlib.sha256(body)
        for name, value in sorted(signing.items()):
            content.update(b"\0" + name.encode() + b"\0" + value.encode("utf-8", "replace"))
        return self._keyring.blind_index(content.hexdigest())


def kept_headers(headers: Iterable[tuple[str, str]], signing: frozenset[str]) -> dict[str, str]:
    """The headers that are kept, in lower case. One that stands twice proves nothing and is left out."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    size = 0
    for name, value in headers:
        key = name.lower()
        wanted = key in signing or (key.startswith(_OWN) and not key.startswith(_NEVER))
        size += len(key) + len(value) if wanted else 0
        if key in found:
            twice.add(key)
        elif wanted and (key in signing or size <= _MOST_HEADER_BYTES):
            found[key] = value
    return {key: value for key, value in found.items() if key not in twice}
