"""Puts a backup back: into an empty record, verified first, and never without restore mode (docs/adr/0007)."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, make_url

from gateway.backup import embedded, postgres
from gateway.backup.errors import BackupError, full, of_os
from gateway.backup.manifest import Manifest, read_manifest, require_keyring, sync_folder, verify
from gateway.backup.taking import Progress, quiet
from gateway.security.keyring import Keyring
from gateway.settings import Settings
from gateway.store import engine
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.store.owner import Ownership
from gateway.store.restores import begin_restore, doubt_some
from gateway.store.sqlite import database_path


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was done."""

    manifest: Manifest
    open_requests: int  #: That were not final when the backup was taken: they are in doubt now.
    aside: str  #: Where the record is that was there before; "" when there was none.
    statements: int  #: Files of institutions that were missing and are back.


def check(folder: Path, keyring: Keyring, keyring_path: Path, progress: Progress = quiet) -> Manifest:
    """Look through a backup without touching the record. Raises BackupError."""
    manifest = read_manifest(folder)
    require_keyring(manifest, keyring, keyring_path)
    total, read = sum(part.bytes for part in manifest.parts), 0

    def moved(count: int) -> None:
        nonlocal read
        read += count
        progress("verifying", read, total)

    verify(folder, manifest, moved)
    if manifest.dialect == "sqlite":
        embedded.require_sound(folder / manifest.database.name)
    return manifest


def put_back(
    settings: Settings,
    keyring: Keyring,
    clock: Clock,
    folder: Path,
    *,
    force: bool = False,
    progress: Progress = quiet,
) -> PutBack:
    """Restore; afterwards the record is the backup's, in restore mode. Raises BackupError or StoreError, and then the
    record is what it was before."""
    try:
        manifest = check(folder, keyring, settings.keyring_path, progress)
        _require_same_kind(settings, manifest)
        restore = _embedded if settings.uses_sqlite else _served
        count, aside = restore(settings, keyring, clock, folder, manifest, force=force, progress=progress)
        return PutBack(manifest, count, aside, _statements(folder, manifest, settings.statements_folder))
    except OSError as error:
        raise of_os(error, settings.data_dir) from error


def _require_same_kind(settings: Settings, manifest: Manifest) -> None:
    ours = "sqlite" if settings.uses_sqlite else "postgresql"
    if manifest.dialect != ours:
        raise BackupError(
            f"النسخة من قاعدة {manifest.dialect} والإعداد database_url يسمّي {ours}: لا تُستعاد هذه في تلك.",
            f"The backup is of {manifest.dialect}, and database_url names {ours}: one does not go into the other.",
        )


def _refuse(ar: str, en: str) -> BackupError:
    return BackupError(
        f"في {ar} سجلّ، ولن يُكتب فوقه: أعد الأمر مع ‎--force لتُحفظ القديمة جانباً وتحل هذه محلها.",
        f"There is a record in {en}, which is not overwritten: repeat with --force to keep it aside and put this one "
        "in its place.",
    )


def _embedded(
    settings: Settings,
    keyring: Keyring,
    clock: Clock,
    folder: Path,
    manifest: Manifest,
    *,
    force: bool,
    progress: Progress,
) -> tuple[int, str]:
    place = database_path(make_url(settings.database_url))
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ownership = Ownership.take(place)
    try:
        if not embedded.is_empty(place) and not force:
            raise _refuse(str(place), str(place))
        source = folder / manifest.database.name
        if shutil.disk_usage(place.parent).free < 2 * source.stat().st_size:
            raise full(place.parent)
        with _beside(place) as fresh:
            shutil.copyfile(source, fresh)
            fresh.chmod(0o600)
            count = asyncio.run(_put_in_doubt(f"sqlite:///{fresh}", keyring, clock, manifest, progress))
            aside = _keep_aside(place)
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.rename(place)
            sync_folder(place.parent)
        return count, aside
    finally:
        ownership.release()


@contextlib.contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A file beside the database, in which the restoration is made; whatever is left of it at the end is removed."""
    fresh = place.with_name(f".{place.name}.restoring")
    _remove(fresh)
    try:
        yield fresh
    finally:
        _remove(fresh)


def _remove(database: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal", ".lock"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)


def _keep_aside(place: Path) -> str:
    """Give the database that is there a second name; it keeps the first until another takes it in one step.

    A kill at any moment leaves a whole record under the first name, and never none, for which the next start would make
    an empty one. Only of a damaged one, whose journal cannot be read, does the journal go aside before.
    """
    if not place.exists():
        return ""
    number, aside = 1, place.with_name(f"{place.name}.before-restore")
    while aside.exists():
        number += 1
        aside = place.with_name(f"{place.name}.before-restore-{number}")
    if not embedded.fold_journal(place):
        for ending in ("-wal", "-shm"):
            part = place.with_name(f"{place.name}{ending}")
            if part.exists():
                part.rename(aside.with_name(f"{aside.name}{ending}"))
    os.link(place, aside)
    return str(aside)


def _served(
    settings: Settings,
    keyring: Keyring,
    clock: Clock,
    folder: Path,
    manifest: Manifest,
    *,
    force: bool,
    progress: Progress,
) -> tuple[int, str]:
    url = settings.database_url
    server = postgres.ask_server(url)
    source = folder / manifest.database.name
    postgres.read_through(url, server, source)
    aside = asyncio.run(_make_room(url, force=force))
    tables: list[str] = []

    def moved(table: str) -> None:
        tables.append(table)
        progress("record", len(tables), max(len(tables), server.tables))

    try:
        postgres.load(url, server, source, moved)
    except BaseException:
        asyncio.run(_give_room_back(url, aside))
        raise
    count = asyncio.run(_put_in_doubt(url, keyring, clock, manifest, progress))
    return count, f"schema {aside}" if aside else ""


_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jisr'"
_NUMBER = "SELECT count(*) + 1 FROM pg_namespace WHERE nspname LIKE $1"


async def _make_room(url: str, *, force: bool) -> str:
    """Move what is there into a schema of its own, and say that a restoration is under way; the schema's name."""
    async with postgres.connected(url) as conn, conn.transaction():
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jisr'"
        )
        if await conn.fetchval(others):
            raise BackupError(
                "البوابة أو عامل منها يعمل على هذه القاعدة: أوقف ‎`jisr serve` و‎`jisr worker` على كل الأجهزة، "
                "ثم أعد الأمر.",
                "A gateway or a worker uses this database: stop `jisr serve` and `jisr worker` on every machine, then "
                "repeat the command.",
            )
        under_way = await conn.fetchval("SELECT to_regnamespace($1) IS NOT NULL", postgres.RESTORING)
        used = await conn.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        if used and not force and not under_way and await _has_rows(conn):
            raise _refuse("قاعدة البيانات", "the database")
        if not under_way:
            await conn.execute(f"CREATE SCHEMA {postgres.RESTORING}")
        if not used:
            return ""
        number = await conn.fetchval(_NUMBER, f"{postgres.BEFORE}%")
        aside = f"{postgres.BEFORE}{number}"
        await conn.execute(f"ALTER SCHEMA public RENAME TO {aside}")
        await conn.execute("CREATE SCHEMA public")
        return aside


async def _has_rows(conn: Any) -> bool:
    for table in ("principals", "requests"):
        if await conn.fetchval(f"SELECT to_regclass('public.{table}') IS NOT NULL") and await conn.fetchval(
            f"SELECT EXISTS (SELECT FROM public.{table})"  # noqa: S608 - one of these two
        ):
            return True
    return False


async def _give_room_back(url: str, aside: str) -> None:
    """As it was: nothing was loaded, because loading is one transaction."""
    async with postgres.connected(url) as conn, conn.transaction():
        if aside:
            await conn.execute("DROP SCHEMA public")
            await conn.execute(f"ALTER SCHEMA {aside} RENAME TO public")
        await conn.execute(f"DROP SCHEMA {postgres.RESTORING}")


async def _put_in_doubt(url: str, keyring: Keyring, clock: Clock, manifest: Manifest, progress: Progress) -> int:
    """Bring the schema to this version, put every open request into doubt, and switch restore mode on, in this order:
    a database without the last step is not used by anybody."""
    store = await engine.open_store(url, keyring, clock, restoring=True)
    try:
        count = await _doubt_all(store, progress)
        await store.write(_done, manifest.taken_at, count)
    finally:
        await store.close()
    return count


def _done(conn: Connection, backup_at: int, open_requests: int) -> None:
    begin_restore(conn, backup_at, open_requests)
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"DROP SCHEMA {postgres.RESTORING}")


async def _doubt_all(store: Store, progress: Progress) -> int:
    count, last = 0, ""
    while True:
        some, last = await store.write(doubt_some, last)
        if not some:
            return count
        count += some
        progress("doubting", count, count)


def _statements(folder: Path, manifest: Manifest, target: Path) -> int:
    """Bring back the institutions' files that are missing; one that is there stays as it is."""
    count = 0
    for part in manifest.parts:
        if part.kind != "statement":
            continue
        place = target / Path(part.name).relative_to("statements")
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.restoring")
        shutil.copyfile(folder / part.name, fresh)
        fresh.rename(place)
        count += 1
    return count
