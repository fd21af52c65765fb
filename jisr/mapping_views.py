"""How the results of `jisr mapping` look: as tables for people, as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from jisr.terminal import Front

if TYPE_CHECKING:
    from connectors.kit.mapping_tools.explaining import Explained, Explanation
    from connectors.kit.mapping_tools.linting import Finding
    from connectors.kit.mapping_tools.testing import Tested
    from connectors.kit.mapping_tools.trying import Tried


def show_tests(here: Front, package: str, results: "Sequence[Tested]", *, as_json: bool) -> None:
    """What differs, place by place, and how many are as they should be."""
    if as_json:
        print(json.dumps([{**asdict(result), "good": result.good} for result in results], ensure_ascii=False))
        return
    for result in results:
        if not result.good:
            _show_test(here, result)
    bad = sum(not result.good for result in results)
    good = len(results) - bad
    style = "red" if bad else "green"
    here.out.print(
        here.text(
            f"[{style}]{package}: صحّ {good}، اختلف {bad}[/]",
            f"[{style}]{package}: {good} as they should be, {bad} not[/]",
        )
    )


def _show_test(here: Front, result: "Tested") -> None:
    here.out.print(Text(f"✗ {result.operation}/{result.name}  ", style="red").append(result.source, style="cyan"))
    if result.problem:
        here.out.print(Text(f"    {result.problem}"))
    if not result.differences:
        return
    nothing = here.text("(لا شيء)", "(nothing)")
    table = Table(box=None, padding=(0, 2), pad_edge=True)
    for title in (here.text("الموضع", "where"), here.text("المطلوب", "wanted"), here.text("ما جاء", "came")):
        table.add_column(title, overflow="fold")
    for path, wanted, found in result.differences:
        table.add_row(Text(path), Text(wanted or nothing, "green"), Text(found or nothing, "red"))
    here.out.print(table)


def show_findings(here: Front, package: str, findings: "Sequence[Finding]", *, as_json: bool) -> None:
    """One line for each finding: where, which rule, what."""
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        return
    words = {"wrong": here.text("خطأ", "wrong"), "doubtful": here.text("راجع", "doubtful")}
    for finding in findings:
        where = f"{finding.place.file}:{finding.place.line}" if finding.place.line else finding.place.file
        style = "red" if finding.severity == "wrong" else "yellow"
        line = Text(f"{words[finding.severity]} ", style=style).append(f"{where}: {finding.key}: ", style="cyan")
        here.out.print(
            line.append(here.text(finding.ar, finding.en), style="default").append(f"  [{finding.rule}]", "dim")
        )
    bad = sum(finding.severity == "wrong" for finding in findings)
    style = "red" if bad else "yellow" if findings else "green"
    here.out.print(
        here.text(
            f"[{style}]{package}: خطأ {bad}، للمراجعة {len(findings) - bad}[/]",
            f"[{style}]{package}: {bad} wrong, {len(findings) - bad} doubtful[/]",
        )
    )


def show_tried(here: Front, tried: "Tried", *, as_json: bool) -> None:
    """Both sides next to each other."""
    if as_json:
        print(json.dumps(asdict(tried), ensure_ascii=False))
        return
    titles = (here.text("الوثيقة الموحدة", "canonical document"), here.text("الطلب", "request"))
    if tried.canonical:
        here.out.print(_beside(titles, tried.canonical, tried.request or tried.problem, bad=bool(tried.problem)))
    if tried.answer:
        titles = (here.text("الجواب", "answer"), here.text("النتيجة", "outcome"))
        here.out.print(_beside(titles, tried.answer, tried.outcome, bad=False))


def _beside(titles: tuple[str, str], left: str, right: str, *, bad: bool) -> Table:
    table = Table(show_lines=False, expand=False)
    for title in titles:
        table.add_column(title, overflow="fold", ratio=1)
    table.add_row(Text(left), Text(right, "red" if bad else ""))
    return table


def show_explained(here: Front, explanation: "Explanation", *, as_json: bool) -> None:
    """A table for each direction."""
    if as_json:
        print(json.dumps(asdict(explanation), ensure_ascii=False))
        return
    titles = {
        "request": here.text("من الوثيقة الموحدة إلى الطلب", "from the canonical document to the request"),
        "answer": here.text("من الجواب إلى النتيجة", "from the answer to the outcome"),
    }
    for direction, title in titles.items():
        fields = [field for field in explanation.fields if field.direction == direction]
        if fields:
            here.out.print(_explained(here, f"{explanation.operation}/{explanation.case}: {title}", fields))
    if explanation.meaning:
        here.out.print(
            Text(here.text("رمز الجهة ومعناه: ", "the institution's code and its meaning: "))
            .append(explanation.code or "-", style="bold")
            .append(f" → {explanation.meaning}")
        )


def _explained(here: Front, title: str, fields: "Sequence[Explained]") -> Table:
    table = Table(title=title, title_justify="left")
    headings = (
        here.text("الحقل الموحد", "canonical field"),
        here.text("في رسائل الجهة", "on the wire"),
        here.text("القاعدة", "rule"),
        here.text("ما قُرئ", "read"),
        here.text("ما نتج", "gave"),
        here.text("أين", "where"),
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for field in fields:
        table.add_row(
            Text("\n".join(field.canonical)),
            Text("\n".join(field.wire)),
            Text(field.rule),
            Text("\n".join(field.raw)),
            Text(field.problem or field.result, "red" if field.problem else ""),
            Text(f"{field.place.file.rpartition('/')[2]}:{field.place.line}", "cyan"),
        )
    return table
