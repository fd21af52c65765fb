"""A package that an author is working on: a copy of an in-tree one, to be changed by a test."""

import shutil
from pathlib import Path

from connectors.registry import BUILT_IN

TREE = {folder.name: folder for root in BUILT_IN for folder in root.iterdir() if (folder / "manifest.toml").is_file()}


def copy_of(name: str, folder: Path) -> Path:
    """The package `name`, copied into `folder`."""
    target = folder / name
    shutil.copytree(TREE[name], target)
    return target


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")
