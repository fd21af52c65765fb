"""Commits settlements, tells those who wait, and does not give up an answer because the disk is full for a moment."""

import asyncio
from collections.abc import Callable
from copy import copy
from typing import Any

from msgspec.structs import replace

from gateway.catalogue import Catalogue
from gateway.documents.keep import lay_down
from gateway.logs import log
from gateway.payments.fee_orders import take_on
from gateway.representation import DocumentView, View, represent, to_json, view_of
from gateway.store.clock import Clock
from gateway.store.engine import Store, StoreError
from gateway.store.exchanges import digest_of, size_of
from gateway.store.settlements import settle
from gateway.waiters import Waiter, Waiters
from gateway.watch import Watch
from gateway.work import Answered, NewAttempt, Settled, Settlement, Settling, Work, expiry
from mappings.status import FINAL

#: A store function that writes one settlement, and something with it: both or neither.
Beside = Callable[[Any, Settling], Settled]
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Recorder:
    """The one way from a settlement to the store."""

    def __init__(self, store: Store, catalogue: Catalogue, waiters: Waiters, watch: Watch, clock: Clock) -> None:
        self._store, self._catalogue, self._waiters = store, catalogue, waiters
        self._watch, self._clock = watch, clock

    async def record(
        self,
        work: Work,
        settlement: Settlement,
        *,
        attempt_id: str,
        attempt: NewAttempt | None,
        intended: bool,
        keep_for: str | None,
        beside: Beside | None = None,
        patient: bool = True,
    ) -> Settled:
        """Commit; what waits for this request is told after COMMIT.

        `beside` writes the settlement together with what it comes from (an institution's own message, a decision);
        without `patient` a store that fails is told to the caller, who has lost nothing.
        """
        if settlement.documents:
            await self._lay_down(settlement)
        waiter = self._waiters.take(work.request_id) if settlement.next is None else None
        answered = self._answer(waiter, work, settlement) if waiter else None
        row = Settling(
            request_id=work.request_id,
            token=work.token,
            previous=work.state,
            settlement=settlement,
            attempt_id=attempt_id,
            attempt=attempt,
            intended=intended,
            intent_id=work.intent_id,
            keep_for=keep_for,
            answered=answered,
            channel_id=work.channel_id,
        )
        try:
            settled = await self._commit(row, beside, patient=patient)
        except BaseException:
            if waiter is not None:
                waiter.tell(None)
            raise
        if waiter is not None:
            waiter.tell(answered if settled.valid else None)
        if not settled.valid:
            log.warning("fenced", request_id=work.request_id)
            return settled
        self._watch.publish([work.request_id])
        log.info(
            "settled",
            request_id=work.request_id,
            correlation=work.correlation,
            state=settlement.state.value,
            reason=settlement.reason,
        )
        return settled

    async def _lay_down(self, settlement: Settlement) -> None:
        """Write large documents before the settlement that refers to them, again until it is done."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                settlement.documents = await lay_down(self._store, settlement.documents)
            except StoreError as error:
                log.error("document_not_kept", error_kind=type(error).__name__, seconds=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _commit(self, row: Settling, beside: Beside | None, *, patient: bool) -> Settled:
        """Again until it is committed: what the institution answered must not be lost to a full disk."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                if beside is not None:
                    return await self._store.write(beside, row)
                return await self._store.batch(settle, row)
            except StoreError as error:
                if not patient:
                    raise
                log.error("settle_failed", request_id=row.request_id, error_kind=type(error).__name__, seconds=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _answer(self, waiter: Waiter, work: Work, settlement: Settlement) -> Answered:
        body = to_json(represent(self._view(work, settlement), self._catalogue.get(work.service)))
        return Answered(waiter.channel_id, waiter.key, waiter.status(final=settlement.state in FINAL), body)

    def _view(self, work: Work, settlement: Settlement) -> View:
        now = self._clock.now_ms()
        if settlement.fee_order is not None:
            work = copy(work)
            take_on(work, settlement.fee_order)
        return replace(
            view_of(work, now),
            state=settlement.state,
            step=settlement.step,
            reason=settlement.reason,
            next_action=settlement.next_action,
            expires_at=expiry(settlement, now),
            intent_state=settlement.intent_state,
            documents=[
                DocumentView(number, each.name, each.media_type, size_of(each), digest_of(each))
                for number, each in enumerate(settlement.documents, start=settlement.first_document)
            ],
        )
