"""Prepares an installation: the settings file, the keyring and the data folder."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.security.keyring import Keyring
from gateway.settings import Settings, load
from jisr.errors import CommandError

SETTINGS_FILE = "jisr.toml"

_HEAD = """\
# Settings of this installation; what stands here overrides the defaults (docs/reference/settings.md).
data_dir = "data"
host = "127.0.0.1"
port = {port}
"""
_CONNECTORS = """
# The connectors. These values reach the sandboxes that `jisr sandbox` starts; for an institution's own service put its
# address here, and secrets as "env:NAME" or "file:PATH".
"""


def create(folder: Path, *, port: int, base_port: int, connectors: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Write settings, keyring (mode 0600) and data folder (mode 0700) into `folder`; the settings as they now read.

    Raises CommandError when one of them is there already: nothing is overwritten.
    """
    for name in (SETTINGS_FILE, "data"):
        if (folder / name).exists():
            raise CommandError(f"{folder / name} exists already; nothing was changed.")
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    data.mkdir(mode=0o700)
    Keyring.create(data / "keyring.json")
    return write_settings(folder, port=port, base_port=base_port, connectors=connectors)


def write_settings(
    folder: Path, *, port: int, base_port: int, connectors: Mapping[str, Mapping[str, Any]], extra: str = ""
) -> Settings:
    """Write the settings file (mode 0600, it may hold secrets), in one piece; the settings as they now read."""
    text = _HEAD.format(port=port) + extra + f"\n[sandbox]\nbase_port = {base_port}\n" + _CONNECTORS
    for name, values in connectors.items():
        text += f"\n[connectors.{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
    path = folder / SETTINGS_FILE
    write_private(path, text)
    return load(path)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner reads, in one piece: a reader sees the old one or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def toml(value: Any) -> str:
    """A value as TOML: text, number, truth value, list, or a table in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    raise TypeError(type(value).__name__)
