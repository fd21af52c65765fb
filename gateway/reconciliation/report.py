"""Makes the report of a day: a document of plain JSON, the same byte for byte whenever the same things are known.

No moment of making stands in it, and nothing personal: acts are named by our ids, lines by file and number.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.reconciliation.breaks import EXPECTED, WORDS, Break, Kind
from gateway.reconciliation.days import bucket_of, business_days, day_of
from gateway.reconciliation.matching import ABSENT, DOUBTFUL, EXACT, Sides, in_group, pairs_of, state_then
from gateway.reconciliation.sources import StatementSource
from gateway.store.reconciliation.files import KeptFile
from gateway.store.reconciliation.sides import Act, Listed
from mappings.money import Money
from mappings.status import Attempt

#: The rules by which this engine matches; it changes when they do.
ENGINE = "1"


@dataclass(frozen=True, slots=True)
class SourceDay:
    """What there is of one source on one day, once everything is matched."""

    source: StatementSource
    sides: Sides
    breaks: Sequence[Break]
    files: Sequence[KeptFile]


def report_of(day: date, parts: Sequence[SourceDay], ruleset_hash: str) -> dict[str, Any]:
    """The whole report."""
    return {
        "day": day.isoformat(),
        "engine": ENGINE,
        "ruleset": ruleset_hash,
        "sources": [_source(part) for part in parts],
        "breaks": [_break(part, each, day) for part in parts for each in _ordered(part)],
        "resolved": [each for part in parts for each in _resolved(part)],
        "closed": [each for part in parts for each in _closed(part)],
    }


def text_of(report: Mapping[str, Any]) -> str:
    """The report as it is kept and compared."""
    return json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def checksum_of(text: str) -> str:
    """SHA-256 of a report, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _source(part: SourceDay) -> dict[str, Any]:
    source, money = part.source, part.source.form.money
    kinds = [each.kind for each in part.breaks]
    return {
        "source": source.name,
        "leg": source.leg,
        "title": dict(source.title),
        "currency": money.currency if money else None,
        "denomination": money.denomination if money else None,
        "files": [_file(each) for each in part.files if each.state == "accepted"],
        "corrected": [_file(each) for each in part.files if each.state == "corrected"],
        "refused": [_file(each) for each in part.files if each.state == "refused"],
        "counts": {
            "exceptions": sum(kind not in EXPECTED for kind in kinds),
            "expected": sum(kind in EXPECTED for kind in kinds),
            "breaks": {kind.value: kinds.count(kind) for kind in Kind if kind in kinds},
        },
        "proof": _proof(part),
    }


def _proof(part: SourceDay) -> dict[str, Any]:
    """Both sides of the day, and where each part of them went; the differences must be 0."""
    source, day = part.source, part.sides.day
    lines = [line for line in part.sides.lines if line.file_day == day]
    acts = [act for act in part.sides.acts if _counts(source, act, day)]
    listed = [line for line in lines if in_group(line, day)]
    matched = [act for act in acts if in_group(act, day) and act.group is not None and act.group.rule == EXACT]
    absent = [act for act in acts if in_group(act, day) and act.group is not None and act.group.rule == ABSENT]
    left = [act for act in acts if not in_group(act, day)]
    theirs, theirs_left = _sum(lines), [line for line in lines if not in_group(line, day)]
    return {
        "theirs": {"count": len(lines), "amount_minor": theirs},
        "theirs_matched": {"count": len(listed), "amount_minor": _sum(listed)},
        "theirs_open": {"count": len(theirs_left), "amount_minor": _sum(theirs_left)},
        "theirs_difference": theirs - _sum(listed) - _sum(theirs_left),
        "ours": {"count": len(acts), "amount_minor": _total(source, acts)},
        "ours_matched": {"count": len(matched), "amount_minor": _total(source, matched)},
        "ours_not_done": {"count": len(absent), "amount_minor": _total(source, absent)},
        "ours_open": {"count": len(left), "amount_minor": _total(source, left)},
        "ours_difference": _total(source, acts) - sum(_total(source, each) for each in (matched, absent, left)),
        "matched_difference": sum(pair.line.amount_minor or 0 for pair in pairs_of(part.sides))
        - _total(source, [pair.act for pair in pairs_of(part.sides)]),
        "control_difference": theirs - sum(each.amount_minor or 0 for each in part.files if each.state == "accepted"),
    }


def _counts(source: StatementSource, act: Act, day: str) -> bool:
    """Whether the act is of that day and was done, or may have been."""
    state = state_then(act, day)
    done = state is Attempt.SUCCEEDED or state in DOUBTFUL or in_group(act, day)
    return done and day_of(act.sending_at, source.form.zone).isoformat() == day


def _sum(lines: Iterable[Listed]) -> int:
    return sum(line.amount_minor or 0 for line in lines)


def _total(source: StatementSource, acts: Iterable[Act]) -> int:
    return sum(amount_in(source, act) or 0 for act in acts)


def amount_in(source: StatementSource, act: Act) -> int | None:
    """Our amount in the money that the file counts in; None where there is none, or where it cannot be said in it."""
    money = source.form.money
    if act.amount_minor is None or money is None:
        return None
    try:
        return Money(act.amount_minor, act.currency, act.denomination).converted(money.denomination).amount_minor
    except ValueError:
        return None


def _file(file: KeptFile) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": file.name, "sha256": file.sha256}
    if file.problem is not None:
        return shown | {"code": file.problem.code, "line": file.problem.line, "facts": dict(file.problem.facts)}
    return shown | {"lines": file.lines, "amount_minor": file.amount_minor, "fee_minor": file.fee_minor}


def _ordered(part: SourceDay) -> list[Break]:
    return sorted(part.breaks, key=lambda each: (each.day, each.kind.value, each.id_of(part.source.name)))


def _break(part: SourceDay, each: Break, day: date) -> dict[str, Any]:
    source, act, line = part.source, each.act, each.line
    ours = amount_in(source, act) if act is not None else None
    theirs = line.amount_minor if line is not None else None
    age = business_days(date.fromisoformat(each.day), day)
    money = source.form.money
    return {
        "id": each.id_of(source.name),
        "type": each.kind.value,
        "title": {"ar": WORDS[each.kind][0], "en": WORDS[each.kind][1]},
        "expected": each.kind in EXPECTED,
        "source": source.name,
        "leg": source.leg,
        "day": each.day,
        "age_business_days": age,
        "age_bucket": bucket_of(age),
        "ours_minor": ours,
        "theirs_minor": theirs,
        "currency": money.currency if money else None,
        "denomination": money.denomination if money else None,
        "request_id": act.request_id if act is not None else None,
        "our_reference": act.operation_id if act is not None else line.our_reference if line is not None else None,
        "their_reference": line.their_reference if line is not None else None,
        "file": line.file if line is not None else None,
        "line": line.number if line is not None else None,
    }


def _resolved(part: SourceDay) -> list[dict[str, Any]]:
    """The acts in doubt that this day's files decided."""
    lines = {line.group.id: line for line in part.sides.lines if line.group is not None}
    told = []
    for act in sorted(part.sides.acts, key=lambda act: act.operation_id):
        group = act.group
        if group is None or group.decision is None or group.day != part.sides.day:
            continue
        line = lines.get(group.id)
        told.append(
            {
                "source": part.source.name,
                "decision": group.decision,
                "request_id": act.request_id,
                "our_reference": act.operation_id,
                "their_reference": line.their_reference if line is not None else None,
                "day": day_of(act.sending_at, part.source.form.zone).isoformat(),
                "amount_minor": amount_in(part.source, act),
                "file": line.file if line is not None else None,
                "line": line.number if line is not None else None,
            }
        )
    return told


def _closed(part: SourceDay) -> list[dict[str, Any]]:
    """What earlier days had left and what this day brought the counterpart of."""
    told = []
    for pair in sorted(pairs_of(part.sides), key=lambda pair: pair.act.operation_id):
        ours = day_of(pair.act.sending_at, part.source.form.zone)
        first = min(ours, date.fromisoformat(pair.line.file_day))
        late = (date.fromisoformat(part.sides.day) - first).days
        if late:
            told.append(
                {
                    "source": part.source.name,
                    "request_id": pair.act.request_id,
                    "our_reference": pair.act.operation_id,
                    "their_reference": pair.line.their_reference,
                    "day": first.isoformat(),
                    "days_late": late,
                    "amount_minor": pair.line.amount_minor,
                }
            )
    return told
