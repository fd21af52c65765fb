"""Holds the catalogue of error codes against the source: what is raised has words, and what is answered has a status."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway import errors
from gateway.api.statuses import RETRY_AFTER_SECONDS, STATUSES
from gateway.errors import AUDIENCES, CATALOGUE, CatalogueFault, load

ROOT = Path(__file__).parents[2]
PACKAGES = ("jisr", "scheduler", "gateway", "connectors", "mappings")
#: Functions and methods whose first (or second, for field_error) literal is a code of the catalogue.
RAISERS = {"Problem": 0, "field_error": 1}
REASONS = {"park": 0, "refuse": 0}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file, Constants.put_in(ast.parse(file.read_text("utf-8")))


class Constants(ast.NodeTransformer):
    """Puts the texts of a module's constants where their names are read, so that `code = _BROKEN` is seen."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    @classmethod
    def put_in(cls, module: ast.Module) -> ast.Module:
        known: dict[str, ast.expr] = {}
        for statement in module.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                known |= {target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)}
        return cls(known).visit(module)  # type: ignore[no-any-return]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._known.get(node.id, node) if isinstance(node.ctx, ast.Load) else node


def literals(node: ast.expr) -> Iterator[str]:
    """Every text that the expression can be (`a or "b"`, `"a" if x else "b"`)."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from literals(value)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def codes_in(module: ast.Module, raisers: dict[str, int]) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and called(node) in raisers:
            position = raisers[called(node)]
            if len(node.args) > position:
                yield from literals(node.args[position])


def class_codes(module: ast.Module) -> Iterator[str]:
    """`code = "…"` in the body of a class."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.Assign) and [
                    t.id for t in statement.targets if isinstance(t, ast.Name)
                ] == ["code"]:
                    yield from literals(statement.value)


def reason_codes(module: ast.Module) -> Iterator[str]:
    """`reason="…"` handed to a call, and `something.reason = "…"`."""
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == "reason":
            yield from literals(node.value)
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Attribute) and t.attr == "reason" for t in node.targets
        ):
            yield from literals(node.value)


@cache
def raised() -> set[tuple[str, str]]:
    return {(str(file.relative_to(ROOT)), code) for file, module in sources() for code in codes_in(module, RAISERS)}


@cache
def explained() -> set[tuple[str, str]]:
    found = set()
    for file, module in sources():
        where = str(file.relative_to(ROOT))
        found |= {(where, code) for code in class_codes(module)}
        if where in ("gateway/settle.py", "gateway/upkeep.py", "gateway/dispatch.py", "gateway/store/settlements.py"):
            found |= {(where, code) for code in (*reason_codes(module), *codes_in(module, REASONS))}
    return found


def connector_codes() -> set[tuple[str, str]]:
    found = set()
    for file in sorted((ROOT / "connectors").rglob("codes.toml")):
        tables = tomllib.loads(file.read_text("utf-8"))
        for kind in ("codes", "faults"):
            for operation in tables.get(kind, {}).values():
                found |= {(str(file.relative_to(ROOT)), row["code"]) for row in operation.values() if "code" in row}
    return found


def test_the_source_raises_codes_at_all() -> None:
    assert {code for _, code in raised()} >= {"not_found", "invalid_request", "idempotency_key_reused"}
    assert {code for _, code in explained()} >= {"upstream_timeout", "inquiry_exhausted", "connector_failure"}
    assert {code for _, code in connector_codes()} >= {"otp_wrong", "certificate_not_found"}


def test_every_code_that_is_raised_has_words() -> None:
    assert [use for use in sorted(raised()) if use[1] not in CATALOGUE] == []


def test_every_reason_of_the_source_has_words() -> None:
    assert [use for use in sorted(explained()) if use[1] not in CATALOGUE] == []


def test_every_code_of_a_connector_has_words() -> None:
    assert [use for use in sorted(connector_codes()) if use[1] not in CATALOGUE] == []


def test_every_code_that_a_call_is_refused_with_has_a_status() -> None:
    problems = {
        (str(file.relative_to(ROOT)), code) for file, module in sources() for code in codes_in(module, {"Problem": 0})
    }
    assert [use for use in sorted(problems) if use[1] not in STATUSES] == []


def test_every_error_of_a_connector_has_a_status() -> None:
    codes = {code for file, module in sources() for code in class_codes(module)}
    assert sorted(codes - set(STATUSES)) == []


def test_the_status_table_names_codes_of_the_catalogue_only() -> None:
    assert sorted(set(STATUSES) - set(CATALOGUE)) == []
    assert sorted(set(RETRY_AFTER_SECONDS) - set(STATUSES)) == []


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_arabic_texts_are_arabic_and_english_ones_are_not(code: str) -> None:
    for audience in AUDIENCES:
        text = getattr(CATALOGUE[code], audience)
        assert any("\u0600" <= character <= "\u06ff" for character in text.ar)
        assert not any("\u0600" <= character <= "\u06ff" for character in text.en)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_both_languages_name_the_same_facts(code: str) -> None:
    for audience in AUDIENCES:
        text = getattr(CATALOGUE[code], audience)
        assert set(errors._PLACEHOLDER.findall(text.ar)) == set(errors._PLACEHOLDER.findall(text.en))


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[x]\ncitizen.ar='ا'\ncitizen.en='a'\n", "x must say safe_to_retry"),
        ("[x]\nsafe_to_retry=true\ncitizen.ar='ا'\n", "x.citizen must have the texts"),
        ("[x]\nfield=true\ncitizen.ar='ا'\ncitizen.en='a'\nhttp=404\n", "x has the unknown key 'http'"),
        ("[x]\nsafe_to_retry=true\ncitizen.ar='ا'\ncitizen.en='a'\n", "x.clerk must have the texts"),
    ],
)
def test_a_wrong_entry_is_one_sentence(toml: str, sentence: str) -> None:
    with pytest.raises(CatalogueFault, match=sentence):
        load(toml)
