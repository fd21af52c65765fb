"""Takes a backup: one state of the record, the institutions' files, a manifest; whole under its name, or not at all."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from gateway.backup import embedded, postgres
from gateway.backup.errors import BackupError, full, of_os
from gateway.backup.manifest import (
    FORMAT,
    Manifest,
    Part,
    digest_of,
    part_of,
    proof_of,
    read_manifest,
    sync_folder,
    verify,
    write_manifest,
)
from gateway.moments import iso
from gateway.security.keyring import Keyring
from gateway.settings import Settings
from gateway.store.clock import Clock
from gateway.store.sqlite import database_path

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]
NAMES = {"sqlite": "record.sqlite", "postgresql": "record.pgdump"}
_PREFIX = "jisr-"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted."""

    target: Path  #: The folder in which each backup has a folder of its own.
    program: str  #: Our own version.
    settings_file: Path | None = None
    with_keys: bool = False  #: Also the keyring and the settings file, in clear.


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that stands."""

    folder: Path
    manifest: Manifest


def quiet(_what: str, _done: int, _all: int) -> None:
    """Nobody watches."""


def take(settings: Settings, keyring: Keyring, clock: Clock, order: Order, progress: Progress = quiet) -> Taken:
    """Take a backup beside a running server or without one. Raises BackupError; then nothing of it is left."""
    try:
        order.target.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _under_way(order.target, _stamp(clock.now_ms())) as (part, folder):
            manifest = _fill(part, settings, keyring, clock, order, progress)
            write_manifest(part, manifest)
            _verify(part, manifest, progress)
        return Taken(folder, manifest)
    except OSError as error:
        raise of_os(error, order.target) from error


@contextlib.contextmanager
def _under_way(target: Path, stamp: str) -> Iterator[tuple[Path, Path]]:
    """A folder to fill, and the one that it becomes once it is whole and on the disk."""
    number, folder = 1, target / f"{_PREFIX}{stamp}"
    while folder.exists():
        number += 1
        folder = target / f"{_PREFIX}{stamp}-{number}"
    part = target / f".{folder.name}.{os.getpid()}"
    part.mkdir(mode=0o700)
    try:
        yield part, folder
        for each in (part, *(each for each in part.rglob("*") if each.is_dir())):
            sync_folder(each)
        part.rename(folder)
        sync_folder(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _fill(part: Path, settings: Settings, keyring: Keyring, clock: Clock, order: Order, progress: Progress) -> Manifest:
    # first the files: what the record knows of them is younger, and knows at least as much
    parts = _statements(part, settings.statements_folder, order.target, progress)
    dialect = "sqlite" if settings.uses_sqlite else "postgresql"
    record = part / NAMES[dialect]
    taken_at, revision, server = (_embedded if settings.uses_sqlite else _served)(settings, clock, record, progress)
    parts.append(part_of(part, record.name, "database"))
    if order.with_keys:
        parts += _secrets(part, settings.keyring_path, order.settings_file)
    digest = hashlib.sha256(order.settings_file.read_bytes()).hexdigest() if order.settings_file else ""
    return Manifest(FORMAT, taken_at, order.program, dialect, server, revision, digest, proof_of(keyring), parts)


def _embedded(settings: Settings, clock: Clock, record: Path, progress: Progress) -> tuple[int, str, str]:
    source = database_path(make_url(settings.database_url))
    if not source.exists():
        raise BackupError(f"لا توجد قاعدة بيانات في {source}.", f"There is no database at {source}.")
    if shutil.disk_usage(record.parent).free < source.stat().st_size:
        raise full(record.parent.parent)
    taken_at = clock.now_ms()
    copied = embedded.copy_database(source, record, lambda done, total: progress("record", done, total))
    return taken_at, copied.revision, copied.server


def _served(settings: Settings, _clock: Clock, record: Path, progress: Progress) -> tuple[int, str, str]:
    server = postgres.ask_server(settings.database_url)
    if server.revision is None:
        raise BackupError(
            "ليس في قاعدة البيانات سجلّ لجسر بعد: لا شيء يُنسخ.",
            "The database has no record of Jisr yet: nothing to back up.",
        )
    tables: list[str] = []

    def moved(table: str) -> None:
        tables.append(table)
        progress("record", len(tables), server.tables)

    postgres.dump(settings.database_url, server, record, moved)
    return server.now_ms, server.revision, server.version


def _statements(part: Path, source: Path, target: Path, progress: Progress) -> list[Part]:
    """The institutions' files; what an earlier backup has already is linked, not copied."""
    files = sorted(each for each in source.rglob("*") if each.is_file() and not each.is_symlink())
    known = _known(target)
    parts = []
    for number, file in enumerate(files):
        progress("statements", number, len(files))
        name = f"statements/{file.relative_to(source).as_posix()}"
        copy = part / name
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = known.get(digest_of(file))
        if before is None or not _linked(before, copy):
            shutil.copyfile(file, copy)
            copy.chmod(0o600)
        parts.append(part_of(part, name, "statement"))
    return parts


def _known(target: Path) -> dict[str, Path]:
    """The files of the newest backup there, by their digest."""
    for folder in sorted(target.glob(f"{_PREFIX}*"), reverse=True):
        with contextlib.suppress(BackupError):
            parts = read_manifest(folder).parts
            return {part.sha256: folder / part.name for part in parts if part.kind == "statement"}
    return {}


def _linked(before: Path, copy: Path) -> bool:
    try:
        os.link(before, copy)
    except OSError:  # another file system, or one without links
        return False
    return True


def _secrets(part: Path, keyring_path: Path, settings_file: Path | None) -> list[Part]:
    folder = part / "secrets"
    folder.mkdir(mode=0o700)
    parts = []
    for source in (keyring_path, settings_file):
        if source is not None and source.is_file():
            copy = folder / source.name
            shutil.copyfile(source, copy)
            copy.chmod(stat.S_IRUSR | stat.S_IWUSR)
            parts.append(part_of(part, f"secrets/{source.name}", "secret"))
    return parts


def _verify(part: Path, manifest: Manifest, progress: Progress) -> None:
    """Read all of it again, as it lies there."""
    total = sum(each.bytes for each in manifest.parts)
    read = 0

    def moved(count: int) -> None:
        nonlocal read
        read += count
        progress("verifying", read, total)

    verify(part, manifest, moved)


def _stamp(milliseconds: int) -> str:
    return (iso(milliseconds) or "")[:19].replace("-", "").replace(":", "") + "Z"
