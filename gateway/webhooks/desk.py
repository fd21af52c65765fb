"""What channels and operators do with webhooks: add, list, rotate, switch, remove, read the log, deliver again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.errors import Problem, field_error
from gateway.ids import new_id
from gateway.moments import iso
from gateway.store.acts import Act, Told, find_told, once
from gateway.store.engine import Store
from gateway.store.webhooks import deliveries, endpoints
from gateway.store.webhooks.endpoints import ALL_TYPES, Endpoint
from gateway.store.webhooks.log import Delivery, Try, find_deliveries, find_delivery
from gateway.webhooks.address import AddressRefused, Guard
from gateway.webhooks.events import PING, TYPES
from gateway.webhooks.settings import WebhookSettings
from gateway.webhooks.signing import new_secret


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the delivery log, newest first."""

    items: list[Delivery]
    more: bool


class WebhookDesk:
    """`scope` is the channel whose webhooks are seen; None sees all. Raises Problem("not_found") for all others.

    What takes an `act` is done once under its key, and answered again with what was answered then.
    """

    def __init__(self, store: Store, guard: Guard, settings: WebhookSettings) -> None:
        self._store, self._guard, self._settings = store, guard, settings

    async def add(self, channel_id: str, url: str, types: Sequence[str], act: Act | None = None) -> Told:
        """The endpoint with its `secret`, or the one that the channel has at this address already, without.

        Raises Problem: invalid_request for the address or a type, too_many_webhooks, idempotency_key_reused.
        """
        if act is not None and (told := await self._store.read(find_told, act)) is not None:
            return told
        await self._check(url, types)
        secret = new_secret()
        wanted = Endpoint(new_id(), channel_id, url, tuple(types), "active", None, 0, None, None, 0)

        def add(conn: Connection) -> dict[str, Any]:
            standing = endpoints.add(conn, wanted, secret, self._settings.most_endpoints)
            if standing is None:
                raise Problem("too_many_webhooks", facts={"limit": self._settings.most_endpoints})
            view = _seen(conn, standing.id, channel_id)
            return {**view, "secret": secret} if standing.id == wanted.id else view

        told = await self._store.write(once, act, add)
        self._store.subscribers.forget()
        return told

    async def _check(self, url: str, types: Sequence[str]) -> None:
        unknown = [each for each in types if each not in (*TYPES, ALL_TYPES)]
        errors = [field_error("/events", "not_in_list", allowed=", ".join((ALL_TYPES, *TYPES)))] if unknown else []
        try:
            await self._guard.target(url)
        except AddressRefused as refused:
            errors.append(field_error("/url", "webhook_address_refused", why=refused.why))
        if errors:
            raise Problem("invalid_request", errors=errors)

    async def all(self, scope: str | None) -> list[tuple[Endpoint, int]]:
        """Every endpoint, with how many events wait for it."""
        found = await self._store.read(endpoints.find_all, scope)
        waiting = await self._store.read(endpoints.waiting_of, [each.id for each in found])
        return [(each, waiting.get(each.id, 0)) for each in found]

    async def one(self, endpoint_id: str, scope: str | None) -> tuple[Endpoint, int]:
        """One endpoint, with how many events wait for it."""
        found = await self._require(endpoint_id, scope)
        waiting = await self._store.read(endpoints.waiting_of, [found.id])
        return found, waiting.get(found.id, 0)

    async def rotate(
        self, endpoint_id: str, scope: str | None, *, hours: float | None = None, act: Act | None = None
    ) -> Told:
        """The endpoint and its new `secret`; the old one signs beside it for `hours`, or as long as is set.

        Under a key the same answer comes again: a second rotation would end the secret that the receiver still has.
        """
        secret = new_secret()
        overlap = self._settings.overlap_hours if hours is None else hours

        def rotate(conn: Connection) -> dict[str, Any]:
            _found(conn, endpoint_id, scope)
            endpoints.rotate(conn, endpoint_id, secret, int(overlap * 3_600_000))
            return {**_seen(conn, endpoint_id, scope), "secret": secret}

        return await self._store.write(once, act, rotate)

    async def switch(self, endpoint_id: str, scope: str | None, *, active: bool) -> None:
        """Go on, or rest: meanwhile nothing is sent and nothing new is kept for it."""
        await self._require(endpoint_id, scope)
        await self._store.write(lambda conn: endpoints.switch(conn, endpoint_id, active=active))
        self._store.subscribers.forget()
        self._store.subscribers.tell()

    async def remove(self, endpoint_id: str, scope: str | None) -> None:
        """For ever."""
        await self._require(endpoint_id, scope)
        await self._store.write(endpoints.remove, endpoint_id)

    async def ping(self, endpoint_id: str, scope: str | None, act: Act | None = None) -> Told:
        """Send an event that tells of nothing; its line of the log."""
        event_id = new_id()

        def ping(conn: Connection) -> dict[str, Any]:
            _active(conn, endpoint_id, scope)
            deliveries.ping(conn, endpoint_id, event_id, PING)
            return _line(conn, endpoint_id, event_id)

        return await self._do(act, ping)

    async def log(
        self,
        endpoint_id: str,
        scope: str | None,
        *,
        states: Sequence[str] = (),
        request_id: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A page of the delivery log."""
        await self._require(endpoint_id, scope)
        found = await self._store.read(find_deliveries, endpoint_id, states, request_id, before, limit + 1)
        return Page(found[:limit], len(found) > limit)

    async def delivery(self, endpoint_id: str, event_id: str, scope: str | None) -> tuple[Delivery, list[Try]]:
        """One event with its tries."""
        await self._require(endpoint_id, scope)
        found = await self._store.read(find_delivery, endpoint_id, event_id)
        if found is None:
            raise Problem("not_found")
        return found

    async def redeliver(self, endpoint_id: str, event_id: str, scope: str | None, act: Act | None = None) -> Told:
        """Send an event again, under its id; one that is under way is left as it is. Its line of the log."""

        def redeliver(conn: Connection) -> dict[str, Any]:
            _found(conn, endpoint_id, scope)
            _line(conn, endpoint_id, event_id)
            _active(conn, endpoint_id, scope)
            deliveries.redeliver(conn, endpoint_id, [event_id])
            return _line(conn, endpoint_id, event_id)

        return await self._do(act, redeliver)

    async def redeliver_failed(self, endpoint_id: str, scope: str | None, act: Act | None = None) -> Told:
        """Send again what was given up, the oldest thousand; the `count`."""

        def redeliver(conn: Connection) -> dict[str, Any]:
            _active(conn, endpoint_id, scope)
            return {"count": deliveries.redeliver_failed(conn, endpoint_id)}

        return await self._do(act, redeliver)

    async def _do(self, act: Act | None, do: Callable[[Connection], dict[str, Any]]) -> Told:
        told = await self._store.write(once, act, do)
        self._store.subscribers.tell()
        return told

    async def channel(self, name_or_id: str) -> str:
        """The id of a channel. Raises Problem("invalid_request")."""
        found = await self._store.read(endpoints.channel_named, name_or_id)
        if found is None:
            raise Problem("invalid_request", errors=[field_error("/channel", "channel_unknown")])
        return found

    async def _require(self, endpoint_id: str, scope: str | None) -> Endpoint:
        return await self._store.read(_found, endpoint_id, scope)


def _found(conn: Connection, endpoint_id: str, scope: str | None) -> Endpoint:
    found = endpoints.find(conn, endpoint_id, scope)
    if found is None:
        raise Problem("not_found")
    return found


def _active(conn: Connection, endpoint_id: str, scope: str | None) -> None:
    if _found(conn, endpoint_id, scope).state != "active":
        raise Problem("webhook_disabled")


def _seen(conn: Connection, endpoint_id: str, scope: str | None) -> dict[str, Any]:
    waiting = endpoints.waiting_of(conn, [endpoint_id])
    return endpoint_view(_found(conn, endpoint_id, scope), waiting.get(endpoint_id, 0))


def _line(conn: Connection, endpoint_id: str, event_id: str) -> dict[str, Any]:
    found = find_delivery(conn, endpoint_id, event_id)
    if found is None:
        raise Problem("not_found")
    return delivery_view(*found)


def endpoint_view(endpoint: Endpoint, waiting: int) -> dict[str, Any]:
    """An endpoint for API and command line, without its secret."""
    return {
        "id": endpoint.id,
        "channel": endpoint.channel_id,
        "url": endpoint.url,
        "events": list(endpoint.types),
        "state": endpoint.state,
        "reason": endpoint.reason,
        "failures": endpoint.failures,
        "failing_since": iso(endpoint.failing_since),
        "waiting": waiting,
        "old_secret_until": iso(endpoint.old_secret_until),
        "created_at": iso(endpoint.created_at),
        "links": {"self": f"/v1/webhooks/{endpoint.id}", "deliveries": f"/v1/webhooks/{endpoint.id}/deliveries"},
    }


def delivery_view(delivery: Delivery, tries: Sequence[Try] | None = None) -> dict[str, Any]:
    """A line of the log; with `tries`, each of them too."""
    made = {} if tries is None else {"tries": [_try_view(each) for each in tries]}
    return {
        "id": delivery.event_id,
        "type": delivery.type,
        "request": delivery.request_id,
        "sequence": delivery.sequence,
        "at": iso(delivery.at),
        "state": delivery.state,
        "tried": delivery.tries,
        "outcome": delivery.outcome,
        "http_status": delivery.http_status,
        "next_try_at": iso(delivery.next_try_at),
        "gives_up_at": iso(delivery.gives_up_at) if delivery.state == "waiting" else None,
        "settled_at": iso(delivery.settled_at),
        **made,
    }


def _try_view(tried: Try) -> dict[str, Any]:
    return {
        "number": tried.number,
        "at": iso(tried.at),
        "milliseconds": tried.milliseconds,
        "outcome": tried.outcome,
        "http_status": tried.http_status,
    }
