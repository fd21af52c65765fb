"""What the code says by name exists: error codes in the catalogue, log keys in the allow-list."""

import ast
import tomllib
from pathlib import Path

import connectors.kit.errors as kit_errors
from gateway.errors import CATALOGUE
from gateway.logs import ALLOWED
from tests.house.tree import ROOMS, ROOT, name, sources

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def _called(node: ast.Call) -> str:
    return (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_code_that_is_raised_stands_in_the_catalogue():
    raised = []
    for path in sources("gateway", "scheduler", "jisr"):
        for node in _calls(path):
            position = {"Problem": 0, "field_error": 1, "FieldError": 1}.get(_called(node))
            if position is not None and len(node.args) > position:
                code = _text(node.args[position])
                if code is not None:
                    raised.append((code, f"{name(path)}:{node.lineno}"))

    assert len(raised) > 20
    assert [(code, place) for code, place in raised if code not in CATALOGUE] == []


def test_every_code_of_a_connector_stands_in_the_catalogue():
    listed = []
    for file in sorted((ROOT / "connectors").glob("**/codes.toml")):
        listed += [(code, name(file)) for code in _canonical(tomllib.loads(file.read_text(encoding="utf-8")))]
    kit = [
        (kind.code, "connectors/kit/errors.py")
        for kind in vars(kit_errors).values()
        if hasattr(kind, "maybe_delivered")
    ]

    assert listed
    assert kit
    assert [(code, file) for code, file in listed + kit if code not in CATALOGUE] == []


def _canonical(content: object) -> list[str]:
    """The values of every key `canonical` or `code` in a table of codes."""
    if isinstance(content, dict):
        own = [value for key, value in content.items() if key in ("canonical", "code") and isinstance(value, str)]
        return own + [code for value in content.values() for code in _canonical(value)]
    if isinstance(content, list):
        return [code for value in content for code in _canonical(value)]
    return []


def test_every_text_of_the_catalogue_is_there_in_both_languages():
    for entry in CATALOGUE.values():
        for words in (entry.citizen, entry.clerk, entry.technician):
            assert any("\u0600" <= letter <= "\u06ff" for letter in words.ar), entry.code
            assert words.en.isprintable(), entry.code


def test_every_line_of_the_log_has_a_fixed_event_and_allowed_keys():
    """A key that is not listed would be dropped without a word; an event with a value in it could quote a person."""
    wrong = []
    for path in sources(*ROOMS):
        for node in _calls(path):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if not (isinstance(owner, ast.Name) and owner.id == "log" and _called(node) in LOG_METHODS):
                continue
            keys = {keyword.arg for keyword in node.keywords if keyword.arg} - ALLOWED - {"exc_info"}
            if not node.args or _text(node.args[0]) is None or keys:
                wrong.append(f"{name(path)}:{node.lineno} {sorted(keys)}")

    assert wrong == []
