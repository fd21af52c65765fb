"""Rules of values: codes that the contract does not have, and types that lose something on their way."""

from collections.abc import Iterator, Mapping

from connectors.kit.importing.fields import Field
from connectors.kit.mapping_tools.linting.finding import Finding, Severity
from connectors.kit.mapping_tools.linting.subject import Subject
from mappings.compiled import Node
from mappings.expression import parse
from mappings.functions import MappingFunctions
from mappings.reading import Leaf, Path

_LOSING: Mapping[str, tuple[str, str]] = {
    "fold": ("fold تغيّر كتابة الاسم.", "fold changes a name's spelling."),
    "floor": ("floor تُسقط الكسور.", "floor drops fractions."),
    "ceil": ("ceil تُسقط الكسور.", "ceil drops fractions."),
}  # fmt: skip
_OF_TIME = frozenset({"xsd:dateTime", "date-time"})


def values(subject: Subject) -> Iterator[Finding]:
    """Both sections of every operation."""
    for operation in subject.documents:
        contract = subject.contracts.get(operation)
        for leaf in subject.leaves(operation, "request"):
            key = ".".join(("request", *leaf.key))
            field = None
            if contract is not None and leaf.key and leaf.key[0] in contract.sections:
                field = at(contract.sections[leaf.key[0]], leaf.key[1:])
            if leaf.kind == "value":
                yield from _losses(leaf, key, {"fold", "floor", "ceil"})
                if field is not None:
                    yield from _written(subject, leaf, key, field)
        for leaf in subject.leaves(operation, "answer"):
            key = ".".join(("answer", *leaf.key))
            yield from _losses(leaf, key, {"floor", "ceil"})
            if contract is not None:
                yield from _read(subject, leaf, key, contract.answer)


def _losses(leaf: Leaf, key: str, names: set[str]) -> Iterator[Finding]:
    for call in leaf.calls:
        if call["value"] in names:
            yield _finding(leaf, key, "lossy", "doubtful", *_LOSING[call["value"]])


def _written(subject: Subject, leaf: Leaf, key: str, field: Field) -> Iterator[Finding]:
    """The request's side: constants and codes against the contract's list, a date where a moment is wanted."""
    node = parse(leaf.text)
    wanted = set(listed(field))
    if wanted and node["type"] == "literal" and str(node["value"]) not in wanted:
        yield _finding(
            leaf, key, "unknown-code", "wrong",
            f"القيمة {node['value']} ليست من قيم العقد: {_some(wanted)}.",
            f"{node['value']} is none of the contract's values: {_some(wanted)}.",
        )  # fmt: skip
    if wanted and _calls(node, "code"):
        table = _table(subject, node)
        codes = set(table.values())
        if codes - wanted:
            yield _finding(
                leaf, key, "unknown-code", "wrong",
                f"في الجدول رموز ليست في العقد: {_some(codes - wanted)}.",
                f"The table has codes that the contract does not have: {_some(codes - wanted)}.",
            )  # fmt: skip
        elif table and wanted - codes:
            yield _finding(
                leaf, key, "unreached-code", "doubtful",
                f"لا قيمة موحدة لرموز العقد: {_some(wanted - codes)}.",
                f"No canonical value gives the contract's {_some(wanted - codes)}.",
            )  # fmt: skip
    if field.kind in _OF_TIME and _calls(node, "date"):
        yield _finding(
            leaf, key, "lossy", "wrong",
            "العقد يريد لحظة (تاريخاً ووقتاً) وdate تعطي تاريخاً فقط؛ استعمل datetime.",
            "The contract wants a moment and date() gives a day only; use datetime().",
        )  # fmt: skip


def _read(subject: Subject, leaf: Leaf, key: str, answer: Field) -> Iterator[Finding]:
    """The answer's side: codes that the table does not know, a moment cut to a date, the first of a list."""
    node = parse(leaf.text)
    fields = [found for path in leaf.reads if path[0] == "answer" and (found := at(answer, path[1:])) is not None]
    if _calls(node, "uncode") and fields:
        unknown = set(listed(fields[0])) - set(_table(subject, node).values())
        if unknown:
            yield _finding(
                leaf, key, "unknown-code", "doubtful",
                f"قد تجيب الجهة برموز ليست في الجدول، فلا يُقرأ الجواب: {_some(unknown)}.",
                f"With these codes the answer is unreadable, because the table does not have them: {_some(unknown)}.",
            )  # fmt: skip
    if _calls(node, "iso_date") and any(field.kind in _OF_TIME for field in fields):
        yield _finding(
            leaf, key, "lossy", "doubtful",
            "في العقد تاريخ ووقت، وiso_date لا تقرأ الوقت؛ استعمل iso_datetime.",
            "The contract has a date and time, and iso_date() reads no time; use iso_datetime().",
        )  # fmt: skip
    if leaf.key[:1] == ("data",) and "[0]" in leaf.text and any(_in_list(answer, path[1:]) for path in leaf.reads):
        yield _finding(
            leaf, key, "lossy", "doubtful",
            "تُقرأ أول خانة من قائمة ويضيع ما بعدها.", "The first of a list is read and the rest is lost.",
        )  # fmt: skip


def listed(field: Field) -> list[str]:
    """The values that the contract lists for a field."""
    for facet in field.facets.split(", "):
        if facet.startswith("one of "):
            found = field.facets[field.facets.index("one of ") + len("one of ") :].split(" | ")
            last = found[-1].partition(", ")[0]
            return [value for value in [*found[:-1], last] if value != "…"] if found[-1] != "…" else []
    return []


def at(field: Field, path: Path) -> Field | None:
    for name in path:
        if name == "*" or name.isdigit():
            continue
        found = next((child for child in field.children if child.key == name), None)
        if found is None:
            return None
        field = found
    return field


def _in_list(field: Field, path: Path) -> bool:
    for name in path:
        if name == "*":
            continue
        found = next((child for child in field.children if child.key == name), None)
        if found is None:
            return False
        if found.repeats:
            return True
        field = found
    return False


def _calls(node: Node, name: str) -> bool:
    return bool(node["type"] == "function_expression" and node["value"] == name)


def _table(subject: Subject, node: Node) -> dict[str, str]:
    """Canonical value -> code of the table that a call names; empty when it is no constant."""
    name = node["children"][0]
    if name["type"] != "literal":
        return {}
    table, column = MappingFunctions(subject.bench.package.codes.tables).table(name["value"])
    return {value: row[column] for value, row in table.rows.items()}


def _some(codes: set[str]) -> str:
    shown = sorted(codes)
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "")


def _finding(leaf: Leaf, key: str, rule: str, severity: Severity, ar: str, en: str) -> Finding:
    return Finding(rule, severity, leaf.place, key, ar, en)
