"""This file reads the centres at which citizens take results over: data, so that a new one needs no code."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.service_values import Wrong, both_languages, check_keys, string, table_of
from mappings.codes import table

_ID = re.compile(r"[a-z][a-z0-9-]{0,40}")


class CentresError(Exception):
    """The list of centres is wrong; the message is one sentence with file and key."""


@dataclass(frozen=True, slots=True)
class Centre:
    """One centre."""

    id: str
    name: Mapping[str, str]  #: {"ar", "en"}
    governorate: str  #: Canonical code.


def load_centres(file: Path) -> dict[str, Centre]:
    """The centres of a file, by id. Raises CentresError."""
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CentresError(f"{file}: cannot be read as TOML: {error}.") from error
    try:
        return {name: _centre(name, each) for name, each in raw.items()}
    except Wrong as wrong:
        raise CentresError(f"{file}: {wrong}.") from wrong


def _centre(name: str, raw: object) -> Centre:
    if _ID.fullmatch(name) is None:
        raise Wrong(f"{name!r} is no id: small letters, digits and hyphens")
    fields: Mapping[str, Any] = table_of(raw, name)
    check_keys(fields, frozenset({"name", "governorate"}), frozenset(), f"{name}.")
    governorate = string(fields, "governorate", name)
    if governorate not in table("governorates"):
        raise Wrong(f"{name}.governorate is {governorate!r}, which is no governorate's code")
    return Centre(name, both_languages(fields["name"], f"{name}.name"), governorate)
