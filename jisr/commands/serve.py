"""`jisr serve` and `jisr worker`: the gateway's processes."""

import asyncio
import errno
import socket
from collections.abc import Coroutine
from typing import Annotated, Any

import msgspec
import typer

from gateway import logs
from gateway.settings import Settings
from jisr.errors import CommandError
from jisr.terminal import Front, front


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on, over the settings.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, over the settings.", min=0, max=65535)] = None,
) -> None:
    """Run the gateway: the API, and on SQLite the worker with it.

    Examples:

      jisr serve

      jisr --config /etc/jisr/jisr.toml serve --port 8090
    """
    here = front(context)
    settings = here.settings()
    if host is not None or port is not None:
        settings = msgspec.structs.replace(settings, host=host or settings.host, port=port or settings.port)
        here.use(settings)
    with listener_on(here, settings.host, settings.port) as listener:
        from jisr.app import run_server

        _run(settings, run_server(settings, listener))


def worker(context: typer.Context) -> None:
    """Run a worker process beside the gateway; PostgreSQL only.

    Example:

      JISR_DATABASE_URL=postgresql://jisr@db/jisr jisr worker
    """
    here = front(context)
    settings = here.settings()
    if settings.uses_sqlite:
        raise CommandError(
            here.text(
                "قاعدة البيانات المضمّنة يملكها برنامج واحد: ‎`jisr serve` يشغّل العامل معه، فلا حاجة إلى ‎`jisr worker`.",
                "The embedded database belongs to one process: `jisr serve` runs the worker too, `jisr worker` needs "
                "PostgreSQL.",
            )
        )
    from jisr.app import run_worker

    _run(settings, run_worker(settings))


def listener_on(here: Front, host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises CommandError when nobody can listen."""
    try:
        return listening(host, port)
    except OSError as error:
        reason = error.errno
        if reason == errno.EADDRINUSE:
            raise CommandError(
                here.text(
                    f"المنفذ {port} على {host} يستعمله برنامج آخر: أوقفه، أو اختر منفذاً آخر بـ ‎--port.",
                    f"Port {port} on {host} is in use by another program: stop it, or choose another with --port.",
                )
            ) from error
        raise CommandError(
            here.text(
                f"لا يمكن الاستماع على {host}:{port}: {error.strerror}.",
                f"Nobody can listen on {host}:{port}: {error.strerror or error}.",
            )
        ) from error


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; bound alone, it would not keep others away. Raises OSError when nobody can listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def probe(host: str, port: int) -> int:
    """Listen for a moment; the port that was free. Raises OSError when it is not."""
    with listening(host, port) as listener:
        return int(listener.getsockname()[1])


def _run(settings: Settings, main: Coroutine[Any, Any, None]) -> None:
    import uvloop

    logs.configure(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
