"""Rules for the files themselves."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOMS, ROOT, name, sources, tracked

MOST_LINES = 350
MONEY = (
    "mappings/money.py",
    "gateway/payments",
    "gateway/payments/rules.py",
    "connectors/payments",
    "gateway/catalogue.py",
)
#: Bytes that are no text of ours.
BINARY = {".png", ".pdf", ".ico", ".jpg"}


def _text_files() -> list[Path]:
    return [path for path in tracked() if path.suffix not in BINARY]


def test_no_source_file_is_longer_than_a_person_reads_at_once():
    long = {name(path): lines for path in sources(*ROOMS, "tests", "bench") if (lines := _lines(path)) > MOST_LINES}

    assert long == {}


def test_every_source_file_says_what_it_is():
    silent = [
        name(path)
        for path in sources(*ROOMS, "bench")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_no_float_comes_near_money():
    found = []
    for path in sources(*ROOMS):
        if not name(path).startswith(MONEY) or "sandbox" in path.name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            written = isinstance(node, ast.Constant) and isinstance(node.value, float)
            if made or written:
                found.append(f"{name(path)}:{getattr(node, 'lineno', 0)}")

    assert found == []


def test_no_test_sleeps():
    """`asyncio.sleep(0)` only lets the others run, a pause in a `wait...` function polls a real condition, and a server
    that plays a slow peer is no test."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in sources("tests")
        if path.name.startswith(("test_", "conftest"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _is_sleep(node) and not _is_zero(node) and not _polls(path, node)
    ]

    assert found == []


@pytest.mark.parametrize("file", ["run.txt", "dev.txt", "bootstrap.txt"])
def test_the_lock_has_hashes_and_names_no_host(file):
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==", text, re.MULTILINE)

    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
    assert len(pins) >= 3
    assert text.count("--hash=sha256:") >= len(pins)


def test_run_and_dev_lock_the_same_versions():
    run, dev = _pins("run.txt"), _pins("dev.txt")

    assert run
    assert {package: dev.get(package) for package in run} == run


def test_no_tracked_file_names_a_path_of_a_machine():
    """Absolute paths of a builder's machine mean nothing to the reader."""
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users|work|opt/wheels)/[\w.-]+|/tmp/venv")
    found = [
        f"{name(path)}: {match.group()}"
        for path in _text_files()
        if path != Path(__file__)
        for match in [pattern.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match
    ]

    assert found == []


def test_no_tracked_file_names_a_package_registry():
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org")
    found = [
        f"{name(path)}: {host}"
        for path in _text_files()
        for host in hosts
        if host in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert found == []


def test_pages_load_nothing_from_another_host():
    pattern = re.compile(r"""(?:src|href)\s*=\s*["']?https?://(?!127\.0\.0\.1|localhost)""", re.IGNORECASE)
    found = [
        name(path)
        for path in [*sources(*ROOMS), *(path for path in tracked() if path.suffix in (".html", ".j2"))]
        if pattern.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_no_secret_looking_value_is_tracked():
    """A usable channel key or a private key in the tree would be one that leaked."""
    pattern = re.compile(
        r"jisr_(?:channel|operator|ministry)_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}|-----BEGIN [A-Z ]*PRIVATE KEY"
    )
    found = [name(path) for path in _text_files() if pattern.search(path.read_text(encoding="utf-8", errors="replace"))]

    assert found in ([], [name(Path(__file__))])


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _pins(file: str) -> dict[str, str]:
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==([^ \\]+)", text, re.MULTILINE))


def _is_sleep(node: ast.Call) -> bool:
    called = node.func
    return isinstance(called, ast.Attribute) and called.attr == "sleep"


def _is_zero(node: ast.Call) -> bool:
    return len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0


def _polls(path: Path, node: ast.Call) -> bool:
    """Whether the pause stands in a loop of a function whose name says that it waits for a condition."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            waits = re.match(r"_?(wait|until|eventually|poll)", function.name) is not None
            if waits and function.lineno <= node.lineno <= (function.end_lineno or 0):
                return True
    return False


def test_everything_that_the_project_depends_on_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {"run.txt": project["dependencies"], "dev.txt": project["optional-dependencies"]["dev"]}
    missing = [
        wanted
        for file, dependencies in named.items()
        for wanted in dependencies
        if re.match(r"[A-Za-z0-9._-]+", wanted)[0].lower() not in _pins(file)  # type: ignore[index]
    ]

    assert missing == []
