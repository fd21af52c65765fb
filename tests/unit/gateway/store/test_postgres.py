"""What only PostgreSQL has: connections that break, transactions that collide, and settings that lose data."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError

from gateway.security.keyring import Keyring
from gateway.security.principals import Kind
from gateway.store.callbacks import hold
from gateway.store.clock import Clock
from gateway.store.engine import CommitUnknown, StorageFull, Store, StoreError, StoreUnavailable, open_store
from gateway.store.exchanges import find_attempt
from gateway.store.jobs import intend
from gateway.store.principals import add_principal
from gateway.store.requests import accept
from gateway.store.settlements import settle
from gateway.store.tables import jobs, requests
from tests.conftest import Database
from tests.postgresql import Server
from tests.unit.gateway.store.counters import add, add_all, names, until
from tests.unit.gateway.store.records import new_attempt, new_request, rows_of, sending, settling


@pytest.fixture
def dialect() -> str:
    """This file is about one database only."""
    return "postgresql"


SOCKET = ".s.PGSQL.5432"
COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"  # the simple query, not the word in BEGIN ISOLATION LEVEL READ COMMITTED


class Cutter:
    """A proxy on a Unix socket that breaks the connection at certain words, before or after the server sees them."""

    def __init__(self, upstream: Path) -> None:
        """Forward to the server's socket folder."""
        self.upstream = upstream
        self.cut: str | None = None  #: "before" or "after"; once
        self.words = COMMIT
        self.connections: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        self.connections.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self.upstream / SOCKET)
        back = asyncio.create_task(_forward(up_reader, writer))
        while chunk := await reader.read(65536):
            if self.cut and self.words in chunk:
                cut, self.cut = self.cut, None
                back.cancel()
                await asyncio.wait([back])
                if cut == "after":
                    up_writer.write(chunk)
                    await up_reader.read(1)  # the server has answered: it is committed
                break
            up_writer.write(chunk)
        back.cancel()
        await asyncio.wait([back])
        for end in (up_writer, writer):
            end.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


@asynccontextmanager
async def _cutting(server: Server, folder: Path) -> AsyncIterator[Cutter]:
    cutter = Cutter(server.socket)
    listener = await asyncio.start_unix_server(cutter.accept, folder / SOCKET)
    yield cutter
    listener.close()
    await asyncio.wait(cutter.connections)


@pytest.mark.parametrize(("cut", "stored"), [("before", set()), ("after", {"lost?"})])
async def test_s3_a_connection_lost_during_commit_is_unknown_whatever_happened(
    cut: str, stored: set[str], database: Database, postgresql_server: Server, keyring: Keyring, tmp_path: Path
) -> None:
    async with _cutting(postgresql_server, tmp_path) as cutter:
        url = database.url.replace(str(postgresql_server.socket), str(tmp_path))
        store = await open_store(url, keyring, Clock())
        cutter.cut = cut
        with pytest.raises(CommitUnknown):
            await store.write(add, "lost?")
        assert await store.read(names) == stored
        cutter.cut = cut
        outcomes = await asyncio.gather(*(store.batch(add_all, name) for name in "ab"), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {CommitUnknown}, "an unknown batch is not run again"
        await store.close()


@pytest.mark.parametrize(("cut", "state"), [("before", "in_progress"), ("after", "completed")])
async def test_s3_a_connection_lost_during_a_settlement_is_unknown_and_settling_again_does_it_once(
    cut: str, state: str, database: Database, postgresql_server: Server, keyring: Keyring, tmp_path: Path
) -> None:
    async with _cutting(postgresql_server, tmp_path) as cutter:
        url = database.url.replace(str(postgresql_server.socket), str(tmp_path))
        store = await open_store(url, keyring, Clock())
        await store.write(lambda conn: add_principal(conn, "c1", "key", kind=Kind.CHANNEL, name="web"))
        for known in (False, True):  # at first the server is also asked to prepare the statement
            row, attempt = new_request("c1"), new_attempt()
            await store.batch(accept, row)
            await store.batch(intend, sending(row, attempt))
            if known:
                cutter.cut, cutter.words = cut, row.id.encode()
                with pytest.raises(CommitUnknown):
                    await store.batch(settle, settling(row, attempt))
                assert (await rows_of(store, requests, id=row.id))[0].state == state
            await store.batch(settle, settling(row, attempt))
            (request,) = await rows_of(store, requests, id=row.id)
            assert (request.state, request.version) == ("completed", 2)
        await store.close()


async def test_d6_whoever_claims_a_job_sees_what_its_last_holder_settled(store: Store, database: Database) -> None:
    """Two would settle the same act; the second waits for the first's COMMIT, and then must not go by what it knew."""
    await store.write(lambda conn: add_principal(conn, "c1", "key", kind=Kind.CHANNEL, name="web"))
    row, attempt = new_request("c1"), new_attempt()
    await store.batch(accept, row)
    await store.batch(intend, sending(row, attempt))
    free = update(jobs).values(claimed_by=None, lease_until=None)
    await store.write(lambda conn: conn.execute(free).rowcount)
    known = await store.read(find_attempt, attempt.id)

    first = await asyncpg.connect(database.url)
    await first.execute("BEGIN")
    await first.execute("UPDATE jobs SET lane = 'ministry.inquire'")
    await first.execute("UPDATE attempts SET state = 'succeeded'")
    second = asyncio.create_task(store.write(hold, row.id, known, "w2", 30_000))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async def waiting() -> bool:
        return second.done() or bool(await first.fetchval(waits))

    await until(waiting)
    await first.execute("COMMIT")
    await first.close()

    assert await second is None
    (job,) = await rows_of(store, jobs, request_id=row.id)
    assert (job.claimed_by, job.lane) == (None, "ministry.inquire")


async def test_a_connection_lost_before_commit_is_repeated_and_stored_once(store: Store) -> None:
    calls = []

    def unlucky(conn: Connection) -> str:
        calls.append(1)
        add(conn, "once")
        if len(calls) == 1:
            conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    assert await store.write(unlucky) == "done"
    assert len(calls) == 2
    assert await store.read(names) == {"once"}


@pytest.mark.parametrize(("state", "calls"), [("40001", 6), ("40P01", 6), ("53100", 1), ("22012", 1)])
async def test_collisions_are_repeated_and_nothing_else_is(state: str, calls: int, store: Store) -> None:
    kinds = {"53100": StorageFull, "22012": DBAPIError}
    count = 0

    def collide(conn: Connection) -> None:
        nonlocal count
        count += 1
        conn.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'invented' USING ERRCODE = '{state}'; END $$")

    with pytest.raises(kinds.get(state, StoreUnavailable)):
        await store.write(collide)
    assert count == calls
    assert await store.write(add, "after") == "after"


async def test_two_transactions_that_deadlock_both_end_well(store: Store) -> None:
    await store.write(add, "x")
    await store.write(add, "y")

    def lock(conn: Connection, first: str, second: str) -> None:
        for name in (first, second):
            conn.execute(text("SELECT pg_sleep(0.1)"))  # so that both hold their first row
            conn.execute(text("UPDATE tokens SET expires_at = expires_at + 1 WHERE name = :name"), {"name": name})

    await asyncio.gather(*(store.write(lock, *pair) for pair in [("x", "y"), ("y", "x")]))
    counters = await store.read(lambda conn: conn.execute(text("SELECT expires_at FROM tokens")).scalars().all())
    assert counters == [2, 2]


@pytest.mark.parametrize("setting", ["synchronous_commit"])
async def test_c11_a_role_whose_commit_is_not_on_the_disk_is_refused(
    setting: str, database: Database, keyring: Keyring, postgresql_server: Server
) -> None:
    name = database.url.partition("@/")[2].partition("?")[0]
    await asyncio.to_thread(postgresql_server.execute, f'ALTER DATABASE "{name}" SET {setting} = off')
    with pytest.raises(StoreError, match=f"{setting}=off"):
        await open_store(database.url, keyring, Clock())


async def test_c11_a_server_with_fsync_off_is_refused(
    database: Database, keyring: Keyring, postgresql_server: Server
) -> None:
    def fsync(value: str) -> None:
        postgresql_server.execute(f"ALTER SYSTEM SET fsync = {value}")
        postgresql_server.execute("SELECT pg_reload_conf()")

    async def shown(wanted: str) -> bool:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=str(postgresql_server.socket))
        value = await connection.fetchval("SHOW fsync")
        await connection.close()
        return bool(value == wanted)

    await asyncio.to_thread(fsync, "off")
    try:
        await until(lambda: shown("off"))
        with pytest.raises(StoreError, match="fsync=off"):
            await open_store(database.url, keyring, Clock())
    finally:
        await asyncio.to_thread(fsync, "on")
        await until(lambda: shown("on"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://postgres@127.0.0.1:1/jisr", "'jisr' at 127.0.0.1 cannot be used: the server cannot be reached"),
        ("postgresql://postgres@/nowhere?host={socket}", "'nowhere' at .* cannot be used: the database does not exist"),
        ("postgresql://stranger@/postgres?host={socket}", "cannot be used: the user may not log in"),
    ],
)
async def test_a_server_that_cannot_be_used_is_one_clear_sentence(
    url: str, sentence: str, keyring: Keyring, postgresql_server: Server
) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        await open_store(url.format(socket=postgresql_server.socket), keyring, Clock())
    assert "\n" not in str(caught.value)


async def test_a_wrong_password_is_one_clear_sentence_without_the_password(
    database: Database, keyring: Keyring, postgresql_server: Server
) -> None:
    rules = postgresql_server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    await asyncio.to_thread(postgresql_server.execute, "CREATE ROLE guarded LOGIN PASSWORD 'invented-right'")
    rules.write_text("local all guarded scram-sha-256\n" + before)
    try:
        await asyncio.to_thread(postgresql_server.execute, "SELECT pg_reload_conf()")
        url = database.url.replace("postgres@", "guarded:invented-wrong@")
        with pytest.raises(StoreError, match="the password is wrong") as caught:
            await open_store(url, keyring, Clock())
        assert "invented-wrong" not in str(caught.value)
    finally:
        rules.write_text(before)
        await asyncio.to_thread(postgresql_server.execute, "SELECT pg_reload_conf()")
        await asyncio.to_thread(postgresql_server.execute, "DROP ROLE guarded")
