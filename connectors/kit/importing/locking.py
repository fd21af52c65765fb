"""contract.lock: which contract a package was made from, file by file and field by field."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field


def digest(content: bytes) -> str:
    """As contract.lock writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def lock_of(source: str, files: Mapping[str, bytes], drafts: Iterable[Draft]) -> dict[str, Any]:
    """The content of contract.lock. `operations` is there so that a change can be told in words."""
    return {
        "source": source,
        "files": {name: digest(content) for name, content in sorted(files.items())},
        "operations": {draft.wire: shape_of(draft) for draft in drafts},
    }


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
