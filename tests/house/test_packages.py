"""Packages of the tree are data: their only Python, if any, is a hooks.py that computes and does nothing else."""

import ast

from connectors.kit.hooks import HOOKS_FILE
from connectors.registry import BUILT_IN
from tests.house.tree import ROOT, name, tracked

FOLDERS = tuple(file.parent for root in BUILT_IN for file in root.glob("*/manifest.toml"))
#: What hooks may import: their base, the meaning of words, and what only computes.
ALLOWED = ("connectors.kit.hooks", "mappings", "lxml")
COMPUTING = {"base64", "binascii", "collections", "dataclasses", "datetime", "decimal", "functools", "hashlib", "hmac", "itertools", "json", "re", "string", "struct", "typing", "unicodedata", "zlib"}  # fmt: skip


def test_no_python_stands_in_a_package_but_its_hooks():
    found = [
        name(path)
        for path in tracked()
        if path.suffix in {".py", ".pyc", ".so"} and path.name != HOOKS_FILE and _package_of(path)
    ]
    assert len(FOLDERS) >= 3
    assert found == []


def test_every_package_has_cases_beside_its_mappings():
    """`jisr mapping test` runs them; they say what a sample cannot: other values, tables of codes, what is refused."""
    without = sorted(folder.name for folder in FOLDERS if not list((folder / "mapping").glob("*.cases.yaml")))
    assert without == []


def test_hooks_only_compute():
    found = [
        f"{name(path)}: {module}"
        for path in tracked()
        if path.name == HOOKS_FILE and _package_of(path)
        for module in _imports(path.read_text(encoding="utf-8"))
        if not _may(module)
    ]
    assert found == []


def test_the_rule_about_hooks_can_fail():
    assert [module for module in _imports("import socket\nfrom connectors.kit.http import x") if not _may(module)]
    assert all(
        map(_may, _imports("import zlib\nfrom connectors.kit.hooks import PackageHooks\nfrom lxml import etree"))
    )


def _package_of(path):
    return any(path.is_relative_to(folder) for folder in FOLDERS) and path.is_relative_to(ROOT)


def _imports(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def _may(module):
    return module.partition(".")[0] in COMPUTING or any(
        module == allowed or module.startswith(f"{allowed}.") for allowed in ALLOWED
    )
