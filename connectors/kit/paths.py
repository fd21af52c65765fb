"""Keeps what a package names inside its folder: relative paths only, and no link that leads out."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


class PathEscapes(ValueError):
    """A path of a package leads out of its folder; the message is the problem, without the file's name."""


def inside(folder: Path, relative: str) -> Path:
    """The file that a package names. Raises PathEscapes; whether it exists is not looked at."""
    parts = PurePosixPath(relative).parts
    if not relative or "\\" in relative or "\0" in relative or relative.startswith("/") or ".." in parts:
        raise PathEscapes(f"{relative!r} is not a relative path inside the package's folder")
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PathEscapes(f"{relative} leads out of the package's folder by a link")
    return path


def links_that_escape(folder: Path) -> Iterator[str]:
    """The links inside the folder that lead out of it, as relative paths."""
    root = folder.resolve()
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    if not Path(entry.path).resolve().is_relative_to(root):
                        yield Path(entry.path).relative_to(folder).as_posix()
                elif entry.is_dir():
                    waiting.append(entry.path)
