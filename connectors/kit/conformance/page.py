"""The report as one page that stands alone: right to left, both languages, no script, nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from connectors.kit.conformance.case import Result, Text

_STYLE = """
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #c62828; --none: #8a6d00; --line: #8884; --soft: #8881; }
* { box-sizing: border-box; }
body { font: 16px/1.7 "Noto Naskh Arabic", "Noto Sans Arabic", "DejaVu Sans", system-ui, sans-serif; max-width: 72rem;
  margin: 0 auto; padding: 1.5rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline; border-bottom: 3px solid var(--line);
  padding-bottom: 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.en { direction: ltr; text-align: left; unicode-bidi: isolate; }
.passed { color: var(--ok); } .failed { color: var(--bad); } .skipped { color: var(--none); }
.verdict { font-size: 1.3rem; font-weight: 700; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; }
article { border: 1px solid var(--line); border-inline-start: 5px solid currentColor; border-radius: 6px;
  padding: .6rem 1rem; margin: .7rem 0; }
article p { color: CanvasText; margin: .2rem 0; }
code { font: 13px/1.6 ui-monospace, "DejaVu Sans Mono", monospace; direction: ltr; unicode-bidi: isolate;
  background: var(--soft); padding: .05rem .35rem; border-radius: 4px; overflow-wrap: anywhere; }
summary { cursor: pointer; font-weight: 600; } details { margin: .6rem 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; }
@media (max-width: 50rem) { .two { display: block; } }
"""
_WORDS = {
    "passed": Text("نجح", "passed"),
    "failed": Text("فشل", "failed"),
    "skipped": Text("لا ينطبق", "not applicable"),
}
_SIGN = {"passed": "✓", "failed": "✗", "skipped": "–"}
Row = tuple[Result, str]  #: The result, and where in the package.


def once(rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """Each sentence once, with how many more checks say the same of the same place."""
    found: dict[tuple[str, Text, str], list[Row]] = {}
    for result, where in rows:
        found.setdefault((result.status, result.text, where), []).append((result, where))
    return [(same[0], len(same) - 1) for same in found.values()]


def more(count: int) -> Text:
    """How many more, in words; empty when there are none."""
    return Text(f"(و{count} غيره للسبب نفسه)", f"(and {count} more for the same reason)") if count else Text("", "")


def render_page(name: str, at: datetime, groups: Mapping[str, Text], rows: Sequence[Row]) -> str:
    """The whole page."""
    counts = {status: sum(result.status == status for result, _ in rows) for status in _WORDS}
    good = counts["failed"] == 0
    parts = [
        _head(name, at, counts, good=good),
        _overview(groups, rows),
        _articles(Text("ما يجب إصلاحه", "To mend"), [row for row in rows if row[0].status == "failed"]),
        _articles(Text("ما يجب أن يُعرف", "To know"), [row for row in rows if row[0].noted]),
        *(_group(title, [row for row in rows if row[0].group == group]) for group, title in groups.items()),
    ]
    return (
        f'<!doctype html>\n<html lang="ar" dir="rtl"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(name)}: '
        f"{_SIGN['passed' if good else 'failed']}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{''.join(parts)}</body></html>\n"
    )


def _head(name: str, at: datetime, counts: Mapping[str, int], *, good: bool) -> str:
    status = "passed" if good else "failed"
    ar = "الحزمة مطابقة" if good else "الحزمة غير مطابقة بعد"
    en = "The package conforms" if good else "The package does not conform yet"
    numbers = " · ".join(f"{_WORDS[key].ar} <bdi>{count}</bdi>" for key, count in counts.items())
    return (
        f'<header><h1>فحص الموصل <code>{escape(name)}</code></h1><span class="verdict {status}">{_SIGN[status]} {ar}'
        f'</span><span class="verdict {status} en" lang="en">{en}</span><span>{numbers}</span>'
        f"<span><bdi>{at.strftime('%Y-%m-%d %H:%M')} UTC</bdi></span></header>\n"
    )


def _overview(groups: Mapping[str, Text], rows: Sequence[Row]) -> str:
    lines = []
    for group, title in groups.items():
        cells = "".join(
            f'<td class="number {status if count else ""}">{count or ""}</td>'
            for status in _WORDS
            for count in [sum(result.group == group and result.status == status for result, _ in rows)]
        )
        lines.append(f'<tr><td>{escape(title.ar)}</td><td class="en" lang="en">{escape(title.en)}</td>{cells}</tr>')
    heads = "".join(f'<th class="{key}">{_SIGN[key]} {word.ar}</th>' for key, word in _WORDS.items())
    return f"<h2>الخلاصة</h2><table><tr><th>المجموعة</th><th></th>{heads}</tr>{''.join(lines)}</table>\n"


def _articles(title: Text, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    return f"<h2>{title.ar} · {title.en}</h2>{''.join(_article(*row, others) for row, others in once(rows))}\n"


def _article(result: Result, where: str, others: int) -> str:
    too = more(others)
    place = f" · <code>{escape(where)}</code>" if where else ""
    return (
        f'<article class="{result.status}"><code>{escape(result.id)}</code>{place}<div class="two">'
        f"<p>{escape(result.text.ar)} {too.ar}</p>"
        f'<p class="en" lang="en">{escape(result.text.en)} {too.en}</p></div></article>'
    )


def _group(title: Text, rows: Sequence[Row]) -> str:
    lines = "".join(
        f'<tr><td class="{result.status}">{_SIGN[result.status]}</td><td><code>{escape(result.id)}</code></td>'
        f'<td>{escape(result.text.ar)}</td><td class="en" lang="en">{escape(result.text.en)}</td></tr>'
        for result, _ in rows
    )
    return (
        f'<details><summary>{escape(title.ar)} · <span class="en" lang="en">{escape(title.en)}</span> '
        f"(<bdi>{len(rows)}</bdi>)</summary><table>{lines}</table></details>\n"
    )
