"""Packages for the tests of the sandbox: copies of the tree's own, with other files in them."""

import re
import shutil
from pathlib import Path
from typing import Any

from connectors.kit.sandbox.institution import Answer, Heard
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.player import DataInstitution
from connectors.kit.sandbox.server import find_folder, open_institution


def copy_of(name: str, into: Path) -> Path:
    """The package of the tree, to be changed."""
    return Path(shutil.copytree(find_folder(name), into / name))


def without_rules(name: str, into: Path) -> Path:
    """The package as an importer writes it: settings and no word about behaviour or persons."""
    folder = copy_of(name, into)
    text = (folder / "sandbox.toml").read_text("utf-8")
    settings = re.search(r"^\[settings\]\n(?:\w+ = .*\n)+", text, re.MULTILINE)
    assert settings is not None
    (folder / "sandbox.toml").write_text(settings[0], "utf-8")
    (folder / "persons.toml").unlink()
    return folder


def replaced(file: Path, old: str, new: str) -> None:
    """Change a file that must have `old`."""
    text = file.read_text("utf-8")
    assert old in text, f"{file.name} has no {old!r}"
    file.write_text(text.replace(old, new, 1), "utf-8")


def opened(folder: Path, ledger: Path | None = None) -> DataInstitution:
    """The institution, in this process."""
    return open_institution(folder, Ledger(ledger))


def ask(
    institution: DataInstitution,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    case: str | None = None,
) -> Answer:
    """One call, heard and answered."""
    target = path if not query else f"{path}?{'&'.join(f'{key}={value}' for key, value in query.items())}"
    demand = institution.hear(Heard(method, path, query or {}, Names(headers or {}), body, target))
    return institution.answer(demand) if case is None else institution.answer_as(demand, case)


class Names(dict[str, Any]):
    """HTTP headers, whose names are compared without case."""

    def get(self, key: Any, default: Any = None) -> Any:
        """The header's value."""
        return next((value for name, value in self.items() if name.lower() == str(key).lower()), default)
