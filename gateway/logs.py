"""The log: one line per step, JSON for machines or plain for a terminal, and only the keys that are allowed.

Nothing personal can reach it by accident: a key that is not listed is dropped, a value that is not plain becomes the
name of its type, an exception becomes its class and the place where it was raised (its message may quote a person), and
control characters are escaped so that no value can forge a line or drive a terminal.
"""

import asyncio
import atexit
import contextlib
import logging
import re
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec
import structlog

from gateway.moments import iso_exact
from gateway.settings import LogSettings, Settings

#: The only keys that are written. Add one only when its values can never hold what a person typed.
ALLOWED = frozenset(
    {
        "event", "level", "at", "request_id", "correlation", "connector", "operation", "operation_id", "attempt",
        "milliseconds", "state", "code", "lane", "job", "channel", "service", "path", "method", "status", "count",
        "seconds", "database", "port", "host", "error_kind", "where", "address", "step", "phase", "pid", "generation",
        "names", "kind", "version", "verdict", "due_at", "fence", "logger", "bytes", "schedule", "free",
        "waiting", "reason", "query_milliseconds", "worker", "migration", "replayed", "signal",
    }
)  # fmt: skip
#: Machine-made ids: a long run of digits in them is no national number.
_IDS = frozenset({"request_id", "correlation", "operation_id", "job", "channel", "worker", "at", "due_at"})
_MAX_TEXT = 300
_LONGEST_NAME = 40
_LEVELS = {"warn": "warning", "exception": "error"}
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONG_NUMBER = re.compile(r"[0-9٠-٩۰-۹]{10,}")
#: Libraries whose message templates are known to hold nothing personal; of others only the place is told.
_QUIET_LIBRARIES = ("uvicorn", "apscheduler", "asyncio", "py.warnings")

_encode = msgspec.json.Encoder().encode

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
#: The trace of the call that this task serves; every line of it tells it.
correlation: ContextVar[str] = ContextVar("correlation", default="")


def configure(settings: Settings | LogSettings, stream: BinaryIO | None = None) -> None:
    """Send the log to `stream` (standard error unless given), and the libraries' messages with it."""
    chosen = settings.log if isinstance(settings, Settings) else settings
    target: BinaryIO = stream or sys.stderr.buffer
    console = chosen.format == "console" or (chosen.format == "auto" and target.isatty())
    level = logging.getLevelNamesMapping()[chosen.level.upper()]
    structlog.configure(
        processors=[
            with_correlation,
            explain_exception,
            only_allowed,
            Console(colours=target.isatty()) if console else as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=Lines(target),
        cache_logger_on_first_use=True,
    )
    vars(log).pop("bind", None)  # the logger that an earlier configuration left behind
    root = logging.getLogger()
    root.handlers = [LibraryHandler()]
    root.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


class Lines:
    """Writes lines; those of one turn of the event loop in one go, and a warning or worse at once with what waits.

    A process that is killed loses at most the lines of its last turn. It is its own factory for structlog.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None  #: That will write what waits.
        atexit.register(self.flush)

    def __call__(self, *_: object) -> Self:
        return self

    def info(self, line: bytes) -> None:
        """Write soon: when this turn of the event loop ends, or now where none runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.warning(line)
            return
        with self._lock:
            due = not self._waiting or loop is not self._loop
            self._loop = loop
            self._waiting.append(line)
        if due:
            loop.call_soon(self.flush)

    debug = info

    def warning(self, line: bytes) -> None:
        """Write now."""
        with self._lock:
            self._waiting.append(line)
        self.flush()

    error = critical = exception = log = msg = warning

    def flush(self) -> None:
        """Write what waits. What cannot be written is lost: a full disk under the log must not stop the work."""
        with self._lock, contextlib.suppress(ValueError, OSError):  # a stream that is closed by now takes nothing
            lines, self._waiting = self._waiting, []
            if lines:
                self._target.write(b"\n".join([*lines, b""]))
                self._target.flush()


def with_correlation(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the call's trace, if this is a call's task."""
    if trace := correlation.get():
        fields["correlation"] = trace
    return fields


def only_allowed(_logger: object, method: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Time, level and event first; of the rest drop every key that is not listed; every value plain and harmless."""
    line = {
        "at": iso_exact(time.time_ns() // 1000),
        "level": _LEVELS.get(method, method),
        "event": _plain("event", fields.pop("event", "")),
    }
    for key, value in fields.items():
        if key in ALLOWED and key not in line:
            line[key] = _plain(key, value)
    return line


def explain_exception(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the exception's class and the last place of this program that it passed."""
    given = fields.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        fields["error_kind"] = type(error).__name__
        fields["where"] = place(error.__traceback__)
    return fields


def place(traceback: TracebackType | None) -> str:
    """`file:line function` of the innermost frame, without the folder's path outside the program."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f"{'/'.join(Path(code.co_filename).parts[-2:])}:{traceback.tb_lineno} {code.co_name}"


def escape(text: str) -> str:
    r"""`text` with control, line-breaking and direction characters written as \xNN or \uNNNN."""
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def as_json(_logger: object, _method: str, fields: Mapping[str, Any]) -> bytes:
    """One line of JSON."""
    return _encode(fields)


class Console:
    """One readable line, for a terminal."""

    _COLOURS: Mapping[str, str] = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: object, _method: str, fields: Mapping[str, Any]) -> bytes:
        level = str(fields.get("level", ""))
        clock = str(fields.get("at", ""))[11:19]
        event = str(fields.get("event", "")).replace("_", " ")
        rest = "  ".join(
            f"{self._painted(key, '2')}={value}" for key, value in fields.items() if key not in {"at", "level", "event"}
        )
        line = f"{clock} {self._painted(f'{level:7}', self._COLOURS.get(level, '0'))} {event:28} {rest}"
        return line.rstrip().encode("utf-8", "backslashreplace")

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text


class LibraryHandler(logging.Handler):
    """What libraries say through `logging`, told without their arguments, which may quote a person."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        quiet = record.name.split(".")[0] in _QUIET_LIBRARIES
        log.log(
            logging.getLevelNamesMapping().get(record.levelname, logging.WARNING),
            "library_message",
            logger=record.name,
            reason=str(record.msg) if quiet else level,
            where=f"{record.module}:{record.lineno}",
            error_kind=record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "",
        )


def _plain(key: str, value: object) -> object:
    if isinstance(value, str):
        if key in _IDS:
            return value if len(value) <= _MAX_TEXT and value.isprintable() else _cut(value)
        return _name(value) if len(value) <= _LONGEST_NAME else _masked(value)
    if value is None or isinstance(value, bool | int | float):
        return value if key in _IDS or not _is_long_number(value) else "(number)"
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(key, item) for item in list(value)[:50]]
    return type(value).__name__


def _cut(text: str) -> str:
    """At most so long, and unable to forge a line or to drive a terminal."""
    text = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    return escape(text) if _UNSAFE.search(text) else text


def _masked(text: str) -> str:
    return _LONG_NUMBER.sub("(number)", _cut(text))


_name = lru_cache(maxsize=1024)(_masked)  #: Names of services, connectors and states come in every line.


def _is_long_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**9
