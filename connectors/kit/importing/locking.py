"""contract.lock: which contract a package was made from, file by file and field by field."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field
from connectors.kit.importing.refusal import ContractRefused, Words


def digest(content: bytes) -> str:
    """As contract.lock writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def lock_of(
    source: str, files: Mapping[str, bytes], drafts: Iterable[Draft], repairs: Iterable[Words] = ()
) -> dict[str, Any]:
    """The content of contract.lock. `operations` is there so that a change can be told in words, `repairs` so that
    `jisr connector check` says what was mended in the vendored copy.
    """
    mended = [{"ar": words.ar, "en": words.en} for words in repairs]
    return {
        "source": source,
        "files": {name: digest(content) for name, content in sorted(files.items())},
        "operations": {draft.wire: shape_of(draft) for draft in drafts},
    } | ({"repairs": mended} if mended else {})


def shape_of(draft: Draft) -> dict[str, dict[str, str]]:
    """Every field of an operation's messages: its path and what is said of it."""
    request: dict[str, str] = {}
    for section, root in draft.sections.items():
        _shape(root, "" if section == "body" else f"{section}:", request)
    answer: dict[str, str] = {}
    _shape(draft.answer, "", answer)
    return {"request": request, "answer": answer}


def _shape(parent: Field, prefix: str, found: dict[str, str]) -> None:
    for child in parent.children:
        path = f"{prefix}{child.key}"
        most = "∞" if child.most is None else str(child.most)
        found[path] = ", ".join(part for part in (child.kind, f"{child.least}..{most}", child.facets) if part)
        _shape(child, f"{path}/", found)


def read_lock(folder: Path) -> dict[str, Any] | None:
    """The package's contract.lock; None where there is none. Raises ContractRefused for one that is broken."""
    path = folder / "contract.lock"
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = content["source"], dict(content["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractRefused(
            f"{folder.name}/contract.lock cannot be read; remove it and run `jisr connector lock {folder.name}`.",
            f"لا يُقرأ {folder.name}/contract.lock؛ احذفه ثم نفّذ ‎`jisr connector lock {folder.name}`.",
        ) from error
    return content


def whole_hash(lock: Mapping[str, Any]) -> str:
    """One digest of all files of a contract."""
    return digest("".join(f"{name} {value}\n" for name, value in sorted(lock["files"].items())).encode())
