"""Brings a planned inquiry forward."""

from sqlalchemy import Connection, case, select, update

from gateway.store.clock import now_ms
from gateway.store.jobs import NEVER
from gateway.store.tables import jobs, requests
from mappings.status import Request


def ask_sooner(conn: Connection, request_id: str, quiet_ms: int) -> bool:
    """Make the inquiry that is planned due now, unless the request moved within `quiet_ms`; it spends no inquiry.

    While a request is in doubt its job is that inquiry, or rests because nobody can be asked.
    """
    now = now_ms(conn)
    quiet = select(requests.c.id).where(
        requests.c.id == request_id,
        requests.c.state == Request.IN_DOUBT.value,
        requests.c.updated_at <= now - quiet_ms,
    )
    sooner = update(jobs).where(
        jobs.c.request_id.in_(quiet), jobs.c.claimed_by.is_(None), jobs.c.due_at > now, jobs.c.due_at < NEVER
    )
    spent = case((jobs.c.inquiries > 0, jobs.c.inquiries - 1), else_=0)
    return bool(conn.execute(sooner.values(due_at=now, inquiries=spent)).rowcount)
