"""Rules of the request: what the contract demands is filled, and nothing is written that it does not have."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kit.importing.fields import Field
from connectors.kit.mapping_tools.linting.finding import Finding
from connectors.kit.mapping_tools.linting.subject import Subject
from mappings.documents import Place, place_of
from mappings.language import used


def requests(subject: Subject) -> Iterator[Finding]:
    """Every operation whose contract is known."""
    for operation, contract in subject.contracts.items():
        file = subject.file(operation)
        request = subject.documents[operation].get("request") or {}
        tree = used(request, subject.parts, file, "request")
        for section, fields in contract.sections.items():
            place = place_of(tree, section, place_of(subject.documents[operation], "request", file))
            yield from _compared(subject, fields, tree.get(section, {}), f"request.{section}", place)


def _compared(subject: Subject, field: Field, tree: Any, key: str, place: Place) -> Iterator[Finding]:
    if field.whole or not isinstance(tree, dict):
        return  # free content, or passed on as a whole
    tree = used(tree, subject.parts, place, key)
    if "$each" in tree:
        yield from _compared(subject, field, tree.get("$item"), f"{key}[]", place_of(tree, "$item", place))
        return
    headers = key == "request.headers"
    known = {_name(child.key, headers=headers): child for child in field.children}
    written = {_name(name, headers=headers): name for name in tree if not name.startswith("$")}
    for name, child in known.items():
        if child.least > 0 and name not in written:
            yield Finding(
                "mandatory", "wrong", place, f"{key}.{child.key}",
                f"حقل إلزامي في العقد لا يملؤه شيء ({child.kind}).",
                f"The contract demands this field and nothing fills it ({child.kind}).",
            )  # fmt: skip
    for lower, name in written.items():
        here = place_of(tree, name, place)
        found = known.get(lower)
        if found is not None:
            yield from _compared(subject, found, tree[name], f"{key}.{name}", here)
        elif not headers and known:
            yield Finding(
                "unknown-field", "wrong", here, f"{key}.{name}",
                f"لا حقل بهذا الاسم في العقد؛ فيه: {_some(known)}.",
                f"The contract has no such field; it has {_some(known)}.",
            )  # fmt: skip


def _name(name: str, *, headers: bool) -> str:
    return name.lower() if headers else name


def _some(known: Mapping[str, Field]) -> str:
    names = [child.key for child in known.values()]
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
