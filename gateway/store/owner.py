"""Who owns an embedded database: one process, proven by a lock on a file beside it, with a generation number per start.

What an earlier generation held is free at once, because its process cannot be alive: no lease and no clock is needed.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.errors import StoreError
from gateway.store.tables import owner

#: File systems on which neither this lock nor SQLite's write-ahead log can be trusted.
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"}
)


@dataclass(slots=True)
class Ownership:
    """The held lock; it ends with `release` or with the process, however that ends."""

    path: Path
    _descriptor: int

    @classmethod
    def take(cls, database: Path) -> Self:
        """Lock the database for this process, or raise StoreError with the process that owns it."""
        path = database.with_name(f"{database.name}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"the lock file {path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreError(f"the database {database} is owned by the running process {pid}") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Give the lock up; the file stays, because removing it would race with the next owner."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def next_generation(conn: Connection) -> int:
    """Count this start, inside the caller's transaction, and return its number, from 1 on."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    conn.execute(insert(owner).values(id=1, generation=0).on_conflict_do_nothing(index_elements=["id"]))
    bump = update(owner).where(owner.c.id == 1).values(generation=owner.c.generation + 1)
    return int(conn.execute(bump.returning(owner.c.generation)).scalar_one())


def refuse_network_file_system(database: Path, mountinfo: str) -> None:
    """Raise StoreError when the database stands on a file system of another machine; `mountinfo` as in proc(5)."""
    folder = database.resolve().parent
    best, kind = "", ""
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        mount_point = fields.split(" ")[4].encode().decode("unicode_escape")
        if folder.is_relative_to(mount_point) and len(mount_point) >= len(best):
            best, kind = mount_point, rest.split(" ")[0]
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(f"the database {database} is on a network file system ({kind}), where SQLite is not safe")
