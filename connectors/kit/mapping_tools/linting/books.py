"""Rules of codes.toml, and of what is written and never used: parts, tables, secrets, codes that repeat `"*"`."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kit.manifest.places import line_of
from connectors.kit.mapping_tools.linting.finding import Finding, Severity
from connectors.kit.mapping_tools.linting.subject import Subject
from connectors.kit.mapping_tools.linting.values import at, listed
from mappings.compiled import walk
from mappings.documents import Place, place_of
from mappings.expression import parse

_TABLED = frozenset({"code", "uncode", "has_code"})


def books(subject: Subject) -> Iterator[Finding]:
    """codes.toml against the contract and the catalogue, then what nothing uses."""
    yield from _codes_of_the_contract(subject)
    yield from _catalogue(subject)
    yield from _repeated(subject)
    yield from _unused_parts(subject)
    yield from _unused_tables(subject)
    yield from _unused_secrets(subject)


def _codes_of_the_contract(subject: Subject) -> Iterator[Finding]:
    for operation, contract in subject.contracts.items():
        for leaf in subject.leaves(operation, "answer"):
            if leaf.key != ("code",):
                continue
            paths = [path for path in leaf.reads if path[0] == "answer"]
            field = at(contract.answer, paths[0][1:]) if len(paths) == 1 else None
            possible = set(listed(field)) if field is not None else set()
            for code in sorted(possible):
                if subject.bench.package.codes.code(operation, code) is None:
                    yield _at_codes(
                        subject, f"codes.{operation}", "unlisted-code", "doubtful",
                        f"قد تجيب الجهة بالرمز {code} ولا معنى له هنا؛ ما ليس مدرجاً لا يكون نهائياً أبداً.",
                        f"The contract has the code {code}, and nothing says what it means: never final.",
                    )  # fmt: skip
            own = subject.bench.package.codes.codes.get(operation, {})
            for code in sorted(set(own) - possible) if possible else ():
                yield _at_codes(
                    subject, f"codes.{operation}.{code}", "unknown-code", "doubtful",
                    f"الرمز {code} ليس من رموز العقد.", f"The contract has no code {code}.",
                )  # fmt: skip


def _catalogue(subject: Subject) -> Iterator[Finding]:
    if subject.catalogue is None:
        return
    book = subject.bench.package.codes
    for kind, tables in (("codes", book.codes), ("faults", book.faults)):
        for operation, meanings in tables.items():
            for code, meaning in meanings.items():
                if meaning.status in {"refused", "in_doubt"} and meaning.code not in subject.catalogue:
                    yield _at_codes(
                        subject, f"{kind}.{operation}.{code}", "no-text", "wrong",
                        f"الرمز الموحد {meaning.code} ليس في فهرس الأخطاء، فلا نص له.",
                        f"{meaning.code} is no row of the error catalogue, so that nobody can be told what it means.",
                    )  # fmt: skip


def _repeated(subject: Subject) -> Iterator[Finding]:
    book = subject.bench.package.codes
    for kind, tables in (("codes", book.codes), ("faults", book.faults)):
        if kind == "faults" and tables and subject.bench.package.manifest.kind == "rest":
            yield _at_codes(
                subject, "faults", "unused", "doubtful",
                "لا أخطاء SOAP لموصل REST.", "A REST connector has no SOAP faults.",
            )  # fmt: skip
        for operation, meanings in tables.items():
            for code, meaning in meanings.items():
                if operation != "*" and tables.get("*", {}).get(code) == meaning:
                    yield _at_codes(
                        subject, f"{kind}.{operation}.{code}", "unused", "doubtful",
                        'يقول "*" الشيء نفسه.', '"*" says the same.',
                    )  # fmt: skip


def _unused_parts(subject: Subject) -> Iterator[Finding]:
    file = Place(f"{subject.bench.folder.name}/mapping/_parts.yaml", 0)
    reached = _parts_in(subject.documents)
    waiting = list(reached)
    while waiting:
        more = _parts_in(subject.parts.get(waiting.pop())) - reached
        reached |= more
        waiting += more
    for name in subject.parts:
        if name not in reached:
            yield Finding(
                "unused", "doubtful", place_of(subject.parts, name, file), name,
                "لا يستعمل شيء هذا الجزء.", "Nothing uses this part.",
            )  # fmt: skip


def _parts_in(tree: Any) -> set[str]:
    if isinstance(tree, Mapping):
        own = {tree["$use"]} if isinstance(tree.get("$use"), str) else set()
        return own.union(*(_parts_in(child) for child in tree.values()))
    return set().union(*(_parts_in(child) for child in tree)) if isinstance(tree, list) else set()


def _unused_tables(subject: Subject) -> Iterator[Finding]:
    named: set[str] = set()
    for leaf in subject.every_leaf():
        for part in walk(parse(leaf.text)):
            if part["type"] == "function_expression" and part["value"] in _TABLED:
                table = part["children"][0]
                if table["type"] != "literal":
                    return  # which table is meant is only known when it runs
                named.add(str(table["value"]).partition(".")[0])
    for name in subject.bench.package.codes.tables:
        if name not in named:
            yield _at_codes(
                subject, f"tables.{name}", "unused", "doubtful",
                "لا يستعمل شيء هذا الجدول.", "Nothing uses this table.",
            )  # fmt: skip


def _unused_secrets(subject: Subject) -> Iterator[Finding]:
    for name, operation in subject.bench.operations.items():
        paths = [path for leaf in subject.leaves(name, "request") for path in leaf.reads]
        read = {path[1] for path in paths if path[0] == "secrets" and len(path) > 1}
        for secret in operation.secrets:
            if secret not in read:
                file = f"{subject.bench.folder.name}/manifest.toml"
                key = f"operations.{name}.secrets"
                yield Finding(
                    "unused", "doubtful", Place(file, _line(subject, "manifest.toml", key)), key,
                    f"لا يقرأ الطلب secrets.{secret}.", f"The request does not read secrets.{secret}.",
                )  # fmt: skip


def _at_codes(subject: Subject, key: str, rule: str, severity: Severity, ar: str, en: str) -> Finding:
    file = f"{subject.bench.folder.name}/codes.toml"
    return Finding(rule, severity, Place(file, _line(subject, "codes.toml", key)), key, ar, en)


def _line(subject: Subject, file: str, key: str) -> int:
    try:
        return line_of((subject.bench.folder / file).read_text(encoding="utf-8"), key) or 0
    except (OSError, tomllib.TOMLDecodeError):
        return 0
