"""Whether a contract is the one that was pinned, and what the institution's contract of today has otherwise."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.kit.importing.locking import digest, lock_of, read_lock
from connectors.kit.importing.refusal import ContractRefused, Report, Words
from connectors.kit.manifest import load_manifest

_FOLDERS = ("wsdl", "openapi")
_MOST_DIFFERENCES = 60


@dataclass(slots=True)
class Drift:
    """What was found."""

    unpinned: bool = False  #: There is no contract.lock yet.
    differences: list[Words] = field(default_factory=list)


def examine(folder: Path, *, against: str | None, root: Path | None = None, allow_private: bool = False) -> Drift:
    """The package's contract files against contract.lock, or a contract of today against the pinned one.

    Raises ContractRefused for a contract of today that cannot be read, ManifestError for a broken package."""
    lock = read_lock(folder)
    if lock is None:
        if against is not None:
            raise ContractRefused(
                f"{folder.name} has no contract.lock to compare with; `jisr connector lock {folder.name}` writes it.",
                f"لا contract.lock في {folder.name} للمقارنة؛ يكتبه ‎`jisr connector lock {folder.name}`.",
            )
        return Drift(unpinned=True)
    if against is None:
        return Drift(differences=list(_files(folder, lock)))
    today = _shapes_of(folder, against, root, allow_private=allow_private)
    pinned = lock.get("operations") or _shapes_in(folder)
    return Drift(differences=list(_compared(pinned, today))[:_MOST_DIFFERENCES])


def pin(folder: Path) -> None:
    """Write contract.lock for the files as they are."""
    known = read_lock(folder) or {}
    files = {name: (folder / name).read_bytes() for name in _contract_files(folder)}
    source = known.get("source") or next((Path(name).name for name in files), "none")
    content = lock_of(str(source), files, ())
    content["operations"] = _shapes_in(folder)
    content |= {"repairs": known["repairs"]} if "repairs" in known else {}
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    (folder / "contract.lock").write_text(text, encoding="utf-8")


def _contract_files(folder: Path) -> list[str]:
    found = [path for kind in _FOLDERS for path in (folder / kind).rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _files(folder: Path, lock: Mapping[str, Any]) -> Iterator[Words]:
    changed = False
    pinned = lock["files"]
    for name, expected in pinned.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            yield Words(f"{name} is pinned and not there.", f"الملف {name} مثبت وغير موجود.")
        elif digest(path.read_bytes()) != expected:
            changed = True
            yield Words(f"{name} is not the file that was pinned.", f"الملف {name} ليس هو الذي ثُبّت.")
    for name in _contract_files(folder):
        if name not in pinned:
            yield Words(f"{name} is not pinned.", f"الملف {name} غير مثبت.")
    if changed and lock.get("operations"):
        yield from list(_compared(lock["operations"], _shapes_in(folder)))[:_MOST_DIFFERENCES]


def _shapes_in(folder: Path) -> Mapping[str, Any]:
    """The shapes of the operations of the contract that lies in the package."""
    manifest = load_manifest(folder)
    if manifest.soap is not None:
        contract = folder / manifest.soap.wsdl
    else:
        contract = next(iter(sorted((folder / "openapi").glob("*.*"))), folder / "openapi")
    return _shapes_of(folder, str(contract), None, allow_private=False) if contract.is_file() else {}


def _shapes_of(folder: Path, source: str, root: Path | None, *, allow_private: bool) -> Mapping[str, Any]:
    manifest = load_manifest(folder)
    report = Report()
    if manifest.soap is not None:
        from connectors.kit.importing.wsdl_import import draft_wsdl

        package = draft_wsdl(
            folder.name, source, report, port=manifest.soap.port, root=root, allow_private=allow_private
        )
    else:
        from connectors.kit.importing.openapi_import import draft_openapi

        package = draft_openapi(folder.name, source, report, root=root, allow_private=allow_private)
    shapes: Mapping[str, Any] = package.lock["operations"]
    used = {operation.wire for operation in manifest.operations.values()}
    return {wire: shape for wire, shape in shapes.items() if wire in used} | {
        wire: {} for wire in shapes if wire not in used
    }


def _compared(pinned: Mapping[str, Any], today: Mapping[str, Any]) -> Iterator[Words]:
    for wire in pinned:
        if wire not in today:
            yield Words(f"The operation {wire} is gone.", f"العملية {wire} لم تعد موجودة.")
    for wire, shape in today.items():
        if wire not in pinned:
            yield Words(f"The operation {wire} is new.", f"العملية {wire} جديدة.")
            continue
        for side, ar in (("request", "الطلب"), ("answer", "الجواب")):
            if shape:
                yield from _fields(wire, side, ar, pinned[wire].get(side, {}), shape.get(side, {}))


def _fields(wire: str, side: str, ar: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Words]:
    for path, said in after.items():
        if path not in before:
            yield Words(
                f"{wire}, {side}: the field {path} is new ({said}).", f"{wire}، {ar}: الحقل {path} جديد ({said})."
            )
        elif before[path] != said:
            yield Words(
                f"{wire}, {side}: the field {path} was {before[path]} and is {said}.",
                f"{wire}، {ar}: الحقل {path} كان {before[path]} وصار {said}.",
            )
    for path in before:
        if path not in after:
            yield Words(f"{wire}, {side}: the field {path} is gone.", f"{wire}، {ar}: الحقل {path} لم يعد موجوداً.")
