"""How the command line speaks: its language, its two consoles, and where it leaves a report of its own faults."""

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console

from gateway.settings import Settings, load, settings_file

LANGUAGES = ("ar", "en")
_PIPE_WIDTH = 400


def language_of(environment: Mapping[str, str]) -> str:
    """`ar` or `en`: from JISR_LANG, else from the locale (LC_ALL, LC_MESSAGES, LANG), else English."""
    for name in ("JISR_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "ar" if value.lower().startswith("ar") else "en"
    return "en"


@dataclass(slots=True)
class Front:
    """What every command has at hand."""

    config: Path | None = None
    language: str = field(default_factory=lambda: language_of(os.environ))
    debug: bool = False
    out: Console = field(default_factory=lambda: _output(sys.stdout.isatty()))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))
    _settings: Settings | None = None

    def settings(self) -> Settings:
        """The settings, read once. Raises SettingsError."""
        if self._settings is None:
            self._settings = load(self.config)
        return self._settings

    def settings_file(self) -> Path | None:
        """The file that they were read from, if there is one."""
        return settings_file(self.config)

    def use(self, settings: Settings) -> None:
        """Go on with other settings than those that were read."""
        self._settings = settings

    def text(self, ar: str, en: str) -> str:
        """The one of the two texts that the person reads."""
        return ar if self.language == "ar" else en

    def say(self, ar: str, en: str) -> None:
        """Print one of two texts; rich markup is understood."""
        self.out.print(self.text(ar, en))

    def report_crash(self, error: BaseException) -> Path | None:
        """Write where `error` happened to a file that only the owner reads, without its message, which may quote a
        person. None when no file can be written."""
        folder = self._settings.data_dir if self._settings and self._settings.data_dir.is_dir() else None
        path = (
            folder or Path(tempfile.gettempdir())
        ) / f"jisr-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(frames(error))
        except OSError:
            return None
        return path


def _output(terminal: bool) -> Console:
    """Standard output; into a pipe or a file tables are as wide as they need, so that ids stay in one piece."""
    return Console(highlight=False, soft_wrap=True, width=None if terminal else _PIPE_WIDTH)


def frames(error: BaseException) -> str:
    """The stack of an error and of its causes: classes and places, no messages and no values."""
    parts = []
    current: BaseException | None = error
    while current is not None:
        stack = traceback.format_list(traceback.extract_tb(current.__traceback__))
        parts.append(f"{type(current).__name__}\n{''.join(stack)}")
        current = current.__cause__ or current.__context__
    return "\ncaused by\n".join(parts)


def front(context: typer.Context) -> Front:
    """The Front of a running command."""
    found = context.find_object(Front)
    assert found is not None
    return found
