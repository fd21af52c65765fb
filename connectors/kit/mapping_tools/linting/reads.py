"""Rules of what is read: the canonical document, the settings, the secrets and the answer have such a field."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from connectors.kit.importing.fields import Field
from connectors.kit.mapping_tools.linting.finding import Finding
from connectors.kit.mapping_tools.linting.subject import Subject
from mappings import canonical
from mappings.reading import Leaf, Path

_ROOTS = get_type_hints(canonical.Document)
_BESIDE = {"request": {"settings", "secrets", "token"}, "answer": {"settings", "answer", "http"}}


def reads(subject: Subject) -> Iterator[Finding]:
    """Every expression of every document."""
    for operation in subject.documents:
        for section in ("request", "answer"):
            for leaf in subject.leaves(operation, section):
                for path in leaf.reads:
                    yield from _read(subject, operation, section, leaf, path)


def _read(subject: Subject, operation: str, section: str, leaf: Leaf, path: Path) -> Iterator[Finding]:
    key = ".".join((section, *leaf.key))
    first = path[0]
    if first == "settings" and len(path) > 1:
        yield from _declared(leaf, key, path[1], set(subject.bench.package.settings), "setting", "settings")
    elif first == "secrets" and len(path) > 1 and operation in subject.bench.operations:
        secrets = set(subject.bench.operations[operation].secrets)
        yield from _declared(leaf, key, path[1], secrets, "secret of the operation", "secrets")
    elif first == "answer" and section == "answer" and operation in subject.contracts:
        yield from _answered(leaf, key, path[1:], subject.contracts[operation].answer, "answer")
    elif first in _BESIDE[section]:
        return
    elif operation in subject.bench.package.manifest.callbacks and first != "operation_id":
        ar = f"لا يقرأ إشعار الجهة {first}؛ يقرأ answer وhttp وoperation_id وsettings."
        en = f"A callback does not read {first}; it reads answer, http, operation_id and settings."
        yield _finding(leaf, key, "unknown-read", ar, en)
    elif first in _ROOTS:
        yield from _canonical(leaf, key, path)
    else:
        known = ", ".join(sorted({*_ROOTS, *_BESIDE[section]}))
        ar, en = f"لا وجود لـ {first}؛ الموجود: {known}.", f"There is no {first}; there are {known}."
        yield _finding(leaf, key, "unknown-read", ar, en)


def _declared(leaf: Leaf, key: str, name: str, known: set[str], what: str, table: str) -> Iterator[Finding]:
    if name not in known:
        yield _finding(
            leaf, key, "unknown-read",
            f"لا يعلن manifest.toml عن {table}.{name}؛ أضفه أو صحح الاسم.",
            f"manifest.toml declares no {what} {name}; add it or mend the name.",
        )  # fmt: skip


def _canonical(leaf: Leaf, key: str, path: Path) -> Iterator[Finding]:
    """A field that no canonical document has; what services define freely (`input`, `steps`) cannot be judged."""
    known: Any = _ROOTS
    for depth, name in enumerate(path):
        if name == "*":
            return
        if name not in known:
            shown = ", ".join(known)
            where = ".".join(path[:depth]) or "the document"
            yield _finding(
                leaf, key, "unknown-read",
                f"لا حقل {name} في {where}؛ فيه: {shown}.", f"{where} has no field {name}; it has {shown}.",
            )  # fmt: skip
            return
        inner = _fields_of(known[name])
        if inner is None:
            return
        known = inner


def _fields_of(kind: Any) -> dict[str, Any] | None:
    """The fields of a TypedDict, also behind `| None` and NotRequired; None for anything else."""
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and hasattr(one, "__required_keys__"):
            return get_type_hints(one)
        for inner in get_args(one):
            if isinstance(inner, type) and hasattr(inner, "__required_keys__"):
                return get_type_hints(inner)
    return None


def _answered(leaf: Leaf, key: str, path: Path, field: Field, way: str) -> Iterator[Finding]:
    for number, name in enumerate(path):
        if name == "*":
            continue
        if field.whole or field.form == "any" or not field.children:
            return
        found = next((child for child in field.children if child.key == name), None)
        if found is None:
            shown = ", ".join(child.key for child in field.children[:12])
            yield _finding(
                leaf, key, "unknown-answer",
                f"لا حقل {name} في {way} حسب العقد؛ فيه: {shown}.",
                f"The contract has no {name} in {way}; it has {shown}.",
            )  # fmt: skip
            return
        way = f"{way}.{name}"
        follows = path[number + 1] if number + 1 < len(path) else ""
        if found.repeats and follows not in {"", "*"}:
            yield _finding(
                leaf, key, "list-as-one",
                f"الحقل {way} قائمة في العقد، فالقراءة {'.'.join(path)} لا تعطي شيئاً؛ استعمل [*] أو ‎$each.",
                f"{way} is a list in the contract, so that {'.'.join(path)} gives nothing; use [*] or $each.",
            )  # fmt: skip
            return
        field = found


def _finding(leaf: Leaf, key: str, rule: str, ar: str, en: str) -> Finding:
    return Finding(rule, "wrong", leaf.place, key, ar, en)
