"""Mapping documents: what is mapped wrongly although it loads, and the author's own cases beside them."""

from collections.abc import Iterable
from pathlib import Path

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.case import Failure, Noted, Place, Variant, case
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation
from connectors.kit.mapping_tools.linting import Finding, lint
from connectors.kit.mapping_tools.testing import run
from connectors.kit.mapping_tools.workbench import ToolError, Workbench
from mappings.errors import MappingError
from mappings.sentences import arabic_of

_MOST_TOLD = 5


@case(
    "mapping",
    "lint",
    "لا حقل إلزامي بلا قيمة، ولا حقل لا يعرفه العقد أو الوثيقة الموحدة، ولا رمز أو جدول بلا معنى.",
    "No mandatory field is left empty, no field is unknown to the contract or the canonical document, no code is lost.",
    of_package=True,
)
async def nothing_is_mapped_wrongly(bench: Bench) -> None:
    """What `jisr mapping lint` finds: wrong is a failure, doubtful something to know."""
    findings = lint(Workbench(bench.subject.folder), bench.subject.catalogue or frozenset())
    wrong = [one for one in findings if one.severity == "wrong"]
    if wrong:
        ar, en = _told(wrong)
        raise Failure(ar, en, _place(bench.subject, wrong[0]))
    if findings:
        raise Noted(*_told(findings))


def _told(findings: Iterable[Finding]) -> tuple[str, str]:
    shown = list(findings)
    more = len(shown) - _MOST_TOLD
    rest = (f" (و{more} غيرها: ‎jisr mapping lint)", f" (and {more} more: jisr mapping lint)") if more > 0 else ("", "")
    first = shown[:_MOST_TOLD]
    return (
        " ".join(f"{one.key}: {one.ar}" for one in first) + rest[0],
        " ".join(f"{one.key}: {one.en}" for one in first) + rest[1],
    )


def _place(subject: Subject, finding: Finding) -> Place:
    return Place(subject.folder.parent / finding.place.file, finding.place.line or None)


def _with_cases(subject: Subject, operation: Operation | None) -> Iterable[Variant]:
    assert operation is not None
    file = subject.folder / "mapping" / f"{operation.name}.cases.yaml"
    return [Variant("", file)] if file.is_file() else []


@case(
    "mapping",
    "own-cases",
    "الحالات التي كتبها صاحب الحزمة بجانب وثيقة التحويل تصح كلها.",
    "The cases that the author wrote beside the mapping document hold.",
    variants=_with_cases,
)
async def the_authors_cases_hold(bench: Bench) -> None:
    """What `jisr mapping test` runs."""
    file: Path = bench.variant.value
    try:
        wrong = [one for one in run(Workbench(bench.subject.folder), bench.name) if not one.good]
    except (MappingError, ToolError) as error:
        raise Failure(
            f"لا تُقرأ الحالات: {arabic_of(error)}", f"The cases cannot be read: {error}", Place(file)
        ) from error
    if wrong:
        names = "; ".join(one.name for one in wrong[:_MOST_TOLD])
        raise Failure(
            f"لا تصح: {names}؛ ‎jisr mapping test {bench.subject.name} {bench.name} يعرض الفرق.",
            f"They do not hold: {names}; jisr mapping test {bench.subject.name} {bench.name} shows the difference.",
            Place(file),
        )
