"""This file reads the centres at which citizens take results over: data, so that a new one needs no code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.places import line_of, read_toml
from gateway.service_values import Wrong, both_languages, check_keys, string, table_of
from mappings.codes import table

_ID = re.compile(r"[a-z][a-z0-9-]{0,40}")


class CentresError(Exception):
    """The list of centres is wrong; the message is one sentence with file, line and key."""


@dataclass(frozen=True, slots=True)
class Centre:
    """One centre."""

    id: str
    name: Mapping[str, str]  #: {"ar", "en"}
    governorate: str  #: Canonical code.


def load_centres(file: Path) -> dict[str, Centre]:
    """The centres of a file, by id. Raises CentresError."""
    try:
        raw, text = read_toml(file, str(file), dict[str, Any])
    except ManifestError as error:
        raise CentresError(f"{error}.") from error
    try:
        return {name: _centre(name, each) for name, each in raw.items()}
    except Wrong as wrong:
        line = line_of(text, wrong.key)
        raise CentresError(f"{file}{'' if line is None else f':{line}'}: {wrong}.") from wrong


def _centre(name: str, raw: object) -> Centre:
    if _ID.fullmatch(name) is None:
        raise Wrong("it is no id: small letters, digits and hyphens", name)
    fields: Mapping[str, Any] = table_of(raw, name)
    check_keys(fields, frozenset({"name", "governorate"}), frozenset(), f"{name}.")
    governorate = string(fields, "governorate", name)
    if governorate not in table("governorates"):
        raise Wrong(f"{governorate!r} is no governorate's code", f"{name}.governorate")
    return Centre(name, both_languages(fields["name"], f"{name}.name"), governorate)
