"""Imports run downwards only, and some things are known in one room alone."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT, name, sources


def test_import_contracts_are_kept():
    """In a process of its own: the linter configures logging, which would silence the loggers of the tests after it."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"

    linter = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)

    assert linter.returncode == 0, linter.stdout + linter.stderr


def test_in_connectors_only_the_kits_http_and_whatever_plays_an_institution_import_the_http_client():
    allowed = {"connectors/kit/http.py", "connectors/kit/conformance/canned.py"}
    found = [
        name(path)
        for path in sources("connectors")
        if _imports(path) & {"aiohttp", "httpx", "requests", "urllib3"} and not _is_sandbox(path)
    ]

    assert set(found) <= allowed


def test_no_file_of_the_gateway_imports_the_command_line():
    found = [
        name(path)
        for path in sources("gateway", "scheduler", "connectors", "mappings")
        if _imports(path) & {"typer", "rich"}
    ]

    assert found == []


def test_tests_never_import_a_mock_library():
    found = [name(path) for path in sources("tests") if _imports(path) & {"mock", "pytest_mock"}]

    assert found == []


def _is_sandbox(path: Path) -> bool:
    return "sandbox" in path.parts


def _imports(path: Path) -> set[str]:
    """The top-level modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
