"""The files of a new package that are neither contract nor mapping nor sample: manifest, codes, sandbox, README."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.kit.importing.refusal import Report

if TYPE_CHECKING:
    from connectors.kit.importing.writing import PackageDraft

_LETTERS = 200
_SENTENCE = 1000


def toml(value: str) -> str:
    """A TOML string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def line(text: str, most: int = _LETTERS) -> str:
    """Text as a comment: one printable line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:most]


def manifest(package: "PackageDraft") -> str:
    """manifest.toml."""
    address = f" The contract names {package.address}" if package.address else ""
    lines = [
        "# docs/reference/connector-package.md explains every key. What is marked as guessed awaits your confirmation.",
        f"name = {toml(package.name)}",
        'version = "1"',
        f"kind = {toml(package.kind)}",
        "",
        "[title]",
        f"ar = {toml(package.title)}    # to be written in Arabic",
        f"en = {toml(package.title)}",
        "",
        "[settings.base_url]",
        'type = "url"',
        f"description = {toml(line(f'Scheme, host and port of the institution.{address}'))}",
    ]
    for name, secret in package.authentication.settings.items():
        lines += ["", f"[settings.{name}]", 'type = "text"', *(["secret = true"] if secret else [])]
    lines += ["", package.manifest_tables.rstrip(), "", "[authentication]"]
    note = package.authentication.note
    lines.append(f"kind = {toml(package.authentication.kind)}{f'    # {line(note)}' if note else ''}")
    lines += [f"{key} = {toml(value)}" for key, value in package.authentication.keys.items()]
    for draft in package.drafts:
        lines += [
            "",
            *([f"# {line(draft.documentation)}"] if line(draft.documentation) else []),
            f"[operations.{draft.name}]",
            f"wire = {toml(draft.wire)}",
            f"role = {toml(draft.guess.role)}",
            f"# {' '.join(draft.guess.reason.split())}",
            f"effect = {toml(draft.guess.effect)}",
            *([f"inquire = {toml(draft.guess.inquire)}"] if draft.guess.inquire else []),
            *([f"mtom = true    # {draft.mtom}"] if draft.mtom else []),
            *([f"lists = {{ {_pairs(draft.lists)} }}"] if draft.lists else []),
        ]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, str]) -> str:
    return ", ".join(f"{toml(key)} = {toml(value)}" for key, value in table.items())


def codes(package: "PackageDraft") -> str:
    """codes.toml: the codes of the samples, and those that the contract lists, for the author to fill in."""
    lines = [
        "# What the institution's codes mean. A code that is not listed here is never final.",
        "# status: succeeded | pending | absent | refused | in_doubt; the last two need a code of the catalogue:",
        '# "20" = { status = "refused", code = "record_withheld" }',
    ]
    for draft in package.drafts:
        lines += ["", f"[codes.{draft.name}]"]
        lines += [
            f'{toml(code)} = {{ status = "{status}" }}    # guessed: the code of the sample; confirm it'
            for code, status in draft.codes.items()
        ]
        lines += [f'# {toml(line(code))} = {{ status = "…" }}' for code in draft.other_codes if line(code) == code]
    return "\n".join(lines) + "\n"


def sandbox(package: "PackageDraft") -> str:
    """sandbox.toml."""
    lines = [
        "# Connector settings that fit the sandbox of this package; {port} is where it listens. No real credential",
        "# stands here.",
        "[settings]",
    ]
    return "\n".join([*lines, *(f"{name} = {toml(value)}" for name, value in package.settings().items())]) + "\n"


def readme(package: "PackageDraft", report: Report) -> str:
    """README.md: what was made and what is left to do, in both languages."""
    rows = [
        f"| `{draft.name}` | `{draft.wire}` | {draft.guess.role} | {draft.guess.effect} |" for draft in package.drafts
    ]
    told = (*report.repairs, *report.left_out, *report.hints)
    said_en = [f"- {line(words.en, _SENTENCE)}" for words in told] or ["- Nothing had to be repaired or left out."]
    said_ar = [f"- {line(words.ar, _SENTENCE)}" for words in told] or ["- لم يلزم إصلاح شيء ولا تركه."]
    return "\n".join([
        f"# {line(package.title)}", "",
        "Written from the institution's contract; dated notes on the institution's quirks belong here.", "",
        "| operation | on the wire | role | effect |", "|---|---|---|---|", *rows, "",
        "## What the import did", "", *said_en, "",
        "## Next steps", "",
        "1. Confirm what is marked as guessed in `manifest.toml`: role and effect class of each operation.",
        "2. List the institution's codes in `codes.toml`; what is not listed is never final.",
        "3. In `mapping/*.yaml` replace `input.…` by the canonical fields where there are some: the comments say type,",
        "   cardinality and meaning, and sometimes the likely expression.",
        "4. Name the folder above this one in `connector_paths` of `jisr.toml`.",
        "5. Start the sandbox: `jisr sandbox <this folder>`; the page that it names shows ledger and switches.",
        "6. Prove it: `jisr connector check <this folder>`.", "",
        '<div dir="rtl">', "",
        "## ما فعله الاستيراد", "", *said_ar, "",
        "## الخطوات التالية", "",
        "1. أكّد ما كُتب بجانبه guessed في `manifest.toml`: دور كل عملية وصنف أثرها.",
        "2. اكتب رموز الجهة في `codes.toml`؛ ما لا يُذكر لا يكون نهائياً.",
        "3. في `mapping/*.yaml` ضع الحقول المعتمدة مكان `input.…` حيث وُجدت؛ التعليقات تذكر النوع والعدد والمعنى.",
        "4. اذكر المجلد الذي فوق هذا في `connector_paths` من `jisr.toml`.",
        "5. شغّل الجهة التجريبية: `jisr sandbox <هذا المجلد>`؛ تعرض صفحتها سجل الأفعال والأعطال.",
        "6. أثبت صحته: `jisr connector check <هذا المجلد>`.", "",
        "</div>", "",
    ])  # fmt: skip
