"""Writes what is owed when a price was named on the way: a first fee order, or another amount of one that stands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, update

from gateway.store.tables import intents
from gateway.store.together import Part, Rows, Write, rows_of
from gateway.work import FeeOrder, Settling

_PRICE = Write(
    lambda given: (
        update(intents)
        .where(intents.c.id == given("key"))
        .values(
            state=given("new_state"),
            amount_minor=given("new_amount"),
            paid_minor=given("new_paid"),
            version=intents.c.version + 1,
            updated_at=given("now"),
        )
    ),
    {
        "key": intents.c.id,
        "new_state": intents.c.state,
        "new_amount": intents.c.amount_minor,
        "new_paid": intents.c.paid_minor,
        "now": intents.c.updated_at,
    },
)


def fee_order_writes(rows: Sequence[Settling], now: int) -> list[tuple[Part, Rows]]:
    """The parts of a settlement's step that name a price; none for most."""
    priced = [row for row in rows if row.settlement.fee_order is not None]
    if not priced:
        return []
    named = [(row, row.settlement.fee_order) for row in priced if row.settlement.fee_order is not None]
    return [
        rows_of(intents, [_row(row.request_id, order, now) for row, order in named if not row.intent_id]),
        (_PRICE, [_price(order, now) for row, order in named if row.intent_id]),
    ]


def write_order(conn: Connection, request_id: str, order: FeeOrder, now: int, *, new: bool) -> None:
    """The same for one request, whose citizen consented to the price."""
    if new:
        conn.execute(insert(intents).values(_row(request_id, order, now)))
        return
    conn.execute(
        update(intents)
        .where(intents.c.id == order.id)
        .values(
            state=order.state.value,
            amount_minor=order.amount_minor,
            paid_minor=order.paid_minor,
            version=intents.c.version + 1,
            updated_at=now,
        )
    )


def _row(request_id: str, order: FeeOrder, now: int) -> dict[str, Any]:
    return {
        "id": order.id,
        "request_id": request_id,
        "state": order.state.value,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "denomination": order.denomination,
        "paid_minor": order.paid_minor,
        "provider": None,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def _price(order: FeeOrder, now: int) -> dict[str, Any]:
    return {
        "key": order.id,
        "new_state": order.state.value,
        "new_amount": order.amount_minor,
        "new_paid": order.paid_minor,
        "now": now,
    }
