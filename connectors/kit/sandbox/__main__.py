"""An institution's sandbox as a process: `python -m connectors.kit.sandbox NAME --port N [--ledger FILE]`."""

import argparse
import asyncio
import importlib.util
import resource
import sys
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

from connectors.kit.manifest import ManifestError, SettingError
from connectors.kit.sandbox.callbacks import CallbackError
from connectors.kit.sandbox.certificates import Certificates
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.server import SandboxError, find_folder, open_institution, serve


def main(arguments: list[str] | None = None) -> int:
    """Run one sandbox; the exit status of the process."""
    parser = argparse.ArgumentParser(prog="python -m connectors.kit.sandbox", description="Plays an institution.")
    parser.add_argument("name", help="a connector's folder name, or the path of a package folder")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ledger", type=Path, help="file (JSON lines) that keeps the ledger over a restart")
    parser.add_argument("--callbacks", default="", metavar="URL", help="where the institution sends its own messages")
    parser.add_argument("--certificates", type=Path, help="folder of the test certificates; it is made when missing")
    parser.add_argument("--statements", type=Path, metavar="DIR", help="folder into which it writes its daily files")
    options = parser.parse_args(arguments)
    try:
        folder = Path(options.name) if "/" in options.name else find_folder(options.name)
        certificates = Certificates(options.certificates) if options.certificates else None
        institution = open_institution(folder, Ledger(options.ledger), certificates)
        _allow_many_connections()
        run = _fast_runner()
        run(serve(institution, options.host, options.port, options.callbacks, options.statements))
    except (SandboxError, CallbackError, ManifestError, SettingError, OSError, tomllib.TOMLDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _allow_many_connections() -> None:
    """Thousands of silent callers at once need as many open files as the system grants."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _fast_runner() -> Callable[[Awaitable[None]], None]:
    """uvloop where it is there, else asyncio."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.run  # type: ignore[return-value]  # it wants a coroutine, which `serve` gives
    import uvloop

    return uvloop.run  # type: ignore[return-value]  # as above


sys.exit(main())
