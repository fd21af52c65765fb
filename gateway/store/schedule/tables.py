"""The tables of the schedule: the one leader, when each schedule is due next, and every fire."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from gateway.store.tables import metadata

leaders = Table(
    "leaders",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),  # worker id; NULL: it was given back
    Column("token", BigInteger, nullable=False),  # fencing token: grows whenever another one leads
    Column("lease_until", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("times", Text, nullable=False),  # as the timetable says it; another text counts anew
    Column("next_at", BigInteger, nullable=False),  # every tick before it has its row in fires
)

fires = Table(
    "fires",
    metadata,
    Column("schedule", Text, primary_key=True),
    Column("fire_time", BigInteger, primary_key=True),  # a tick fires once, whoever leads
    Column("state", Text, nullable=False),  # due | running | succeeded | failed | skipped | interrupted
    Column("cause", Text, nullable=False),  # tick | late | hand
    Column("ticks", Integer, nullable=False),  # a skipped one stands for so many,
    Column("since", BigInteger, nullable=False),  # of which this was the first
    Column("asked_by", Text),  # by hand: whose
    Column("by", Text, nullable=False),  # worker that runs it, or that wrote it down
    Column("token", BigInteger, nullable=False),  # of the leader who began it last
    Column("runs", Integer, nullable=False),  # how often it was begun
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("code", Text),  # why it failed or did not run
)
_OPEN = text("state IN ('due', 'running')")
Index("ix_fires_open", fires.c.schedule, fires.c.fire_time, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_fires_ended_at", fires.c.ended_at)
