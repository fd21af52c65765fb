"""The contract in the package: pinned by its hashes, and nothing outside the package's folder."""

import hashlib
import json
from pathlib import Path
from typing import Any

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.case import Failure, Noted, Place, Skipped, Text, case, require
from connectors.kit.wsdl import load_wsdl

_LOCK = "contract.lock"
_FOLDERS = ("wsdl", "openapi")


@case(
    "contract",
    "inside-the-folder",
    "كل ملفات الحزمة داخل مجلدها؛ لا وصلة تخرج منه.",
    "Every file of the package lies in its folder; no link leads out of it.",
    of_package=True,
)
async def everything_lies_inside_the_folder(bench: Bench) -> None:
    """A package is moved, signed and reviewed as one folder."""
    folder = bench.subject.folder
    for path in sorted(folder.rglob("*")):
        require(
            not path.is_symlink() or path.resolve().is_relative_to(folder),
            f"{path.relative_to(folder)} وصلة إلى خارج مجلد الحزمة؛ ضع الملف نفسه مكانها.",
            f"{path.relative_to(folder)} is a link out of the package's folder; put the file itself in its place.",
            Place(path),
        )


@case(
    "contract",
    "contract-lock",
    "ملفات العقد هي التي ثُبتت في contract.lock، لا أكثر ولا أقل.",
    "The contract's files are those that contract.lock pins, no more and no fewer.",
    of_package=True,
)
async def the_contract_is_the_one_that_was_pinned(bench: Bench) -> None:
    """`{"source": …, "files": {"wsdl/x.wsdl": "sha256:<hex>"}}`."""
    folder = bench.subject.folder
    lock = folder / _LOCK
    if not lock.is_file():
        raise Skipped(
            "لا contract.lock في الحزمة؛ ‎`jisr connector lock` يكتبه.",
            "The package has no contract.lock; `jisr connector lock` writes it.",
        )
    pinned = _pinned(lock)
    for name, digest in pinned.items():
        _require_pinned(folder, name, digest)
    loose = sorted(
        path.relative_to(folder).as_posix()
        for kind in _FOLDERS
        for path in (folder / kind).rglob("*")
        if path.is_file()
    )
    for name in loose:
        require(
            name in pinned,
            f"{name} ليس في contract.lock؛ راجع الفرق ثم نفّذ ‎jisr connector lock --accept.",
            f"{name} is not in contract.lock; review it, then run jisr connector lock --accept.",
            Place(lock),
        )


@case(
    "contract",
    "compiled-codec",
    "رسائل SOAP تُكتب وتُقرأ بالمُرمّز المُجمَّع وتُفحص بمخطط WSDL كله.",
    "SOAP messages go through the compiled codec and are held against the WSDL's whole schema.",
    of_package=True,
)
async def the_compiled_codec_covers_the_contract(bench: Bench) -> None:
    """What goes another way works too, slower or with a weaker check; the author should know."""
    package = bench.subject.package
    if package.manifest.soap is None:
        raise Skipped("ليست حزمة SOAP.", "It is no SOAP package.")
    notes = load_wsdl(package.folder, package.manifest, package.manifest.soap).notes
    if notes:
        raise Noted(f"يعمل، لكن: {'؛ '.join(notes)}", f"It works, but: {'; '.join(notes)}")


@case(
    "contract",
    "repairs",
    "لم يلزم إصلاح شيء في العقد عند الاستيراد.",
    "Nothing in the contract had to be mended at the import.",
    of_package=True,
)
async def repairs_are_told(bench: Bench) -> None:
    """No fault, but the vendored copy is not what the institution sent."""
    found = _repairs(bench.subject.folder / _LOCK)
    if found:
        raise Noted(" ".join(text.ar for text in found), " ".join(text.en for text in found))


def _repairs(lock: Path) -> list[Text]:
    try:
        content: Any = json.loads(lock.read_text(encoding="utf-8"))
        return [Text(str(words["ar"]), str(words["en"])) for words in content.get("repairs", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # `contract-lock` says what is wrong with it


def _pinned(lock: Path) -> dict[str, str]:
    try:
        content: Any = json.loads(lock.read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(
            "لا يُقرأ contract.lock؛ احذفه ثم نفّذ ‎jisr connector lock.",
            "contract.lock cannot be read; remove it and run jisr connector lock.",
            Place(lock, getattr(error, "lineno", None)),
        ) from error


def _require_pinned(folder: Path, name: str, digest: str) -> None:
    file = folder / name
    inside = file.resolve().is_relative_to(folder.resolve())
    raw = file.read_bytes() if inside and file.is_file() else None
    require(
        raw is not None,
        f"contract.lock يذكر {name} وهو ليس في الحزمة.",
        f"contract.lock names {name}, which is not in the package.",
        Place(folder / _LOCK),
    )
    require(
        raw is not None and digest == f"sha256:{hashlib.sha256(raw).hexdigest()}",
        f"{name} تغيّر بعد أن ثُبت في contract.lock؛ أعد الأصل، أو راجع الفرق ثم نفّذ ‎jisr connector lock --accept.",
        f"{name} has changed since contract.lock pinned it; restore it, or review the difference and run "
        "jisr connector lock --accept.",
        Place(file),
    )
