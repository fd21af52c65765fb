"""The documentation says what is so."""

import re
import tempfile
import tomllib
from pathlib import Path

import pytest

from gateway.catalogue import Catalogue
from gateway.security.principals import Kind, Principal
from gateway.settings import BUILTIN_SERVICES
from gateway.validation import Validator
from jisr import reference
from tests.house.tree import ROOT, name, sources, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]
FAULT = re.compile(r"\b([CDNSAO][0-9]{1,2})\b")


@pytest.mark.parametrize("page", reference.PAGES.values(), ids=list(reference.PAGES))
def test_generated_pages_are_current(page):
    assert page.is_current(ROOT / "docs" / "reference"), f"run `make docs` for {page.file}"


@pytest.mark.parametrize("page", PAGES, ids=[name(page) for page in PAGES])
def test_links_between_pages_resolve(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [
        target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith(("http://", "https://", "#"))
    ]

    assert [target for target in targets if not (page.parent / target.partition("#")[0]).exists()] == []


def test_every_make_command_that_a_page_names_exists():
    commands = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (command, name(page))
        for page in PAGES
        for command in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {"demo", "test", "check", "bench", "docs", "lock", "clean"} <= commands
    assert [(command, page) for command, page in sorted(named) if command not in commands] == []


def test_every_jisr_command_that_a_page_names_exists():
    known = set(re.findall(r"^## `jisr ([a-z ]+)`", reference.cli(), re.MULTILINE))
    named = {
        (words, name(page))
        for page in PAGES
        for words in re.findall(
            r"`jisr ((?:channel|operator|request|webhook|reconcile|db|docs|connector|mapping) [a-z]+|[a-z]+)[` ]",
            page.read_text(encoding="utf-8"),
        )
    }

    assert [(words, page) for words, page in sorted(named) if words not in known] == []


def test_every_page_of_the_documentation_is_in_its_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    decisions = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    missing = []
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").as_posix()
        listed = page.name in decisions if place.startswith("adr/") else place in index
        if page.name != "README.md" and not listed:
            missing.append(place)

    assert missing == []


def test_the_changelog_has_an_unreleased_part():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_fault_that_is_named_anywhere_has_a_test_with_its_id():
    """A page or a docstring that claims a fault case (as in "(D4)") must be backed by a test named after it."""
    claimed = {
        (match, name(path))
        for path in [*PAGES, *sources("gateway", "connectors", "scheduler", "jisr", "mappings")]
        for match in re.findall(r"\(([CDNSAO][0-9]{1,2})\)", path.read_text(encoding="utf-8"))
    }
    tested = {
        found.upper()
        for path in sources("tests")
        for found in re.findall(r"test_([cdnsao][0-9]{1,2})_", path.read_text(encoding="utf-8"))
    }

    assert tested
    assert [(fault, where) for fault, where in sorted(claimed) if fault not in tested] == []


def test_every_room_of_the_readme_exists():
    rooms = re.findall(r"^\| `([a-z]+)/`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert len(rooms) >= 6
    assert [room for room in rooms if not Path(ROOT / room).is_dir()] == []


def test_the_service_of_the_how_to_is_a_good_one():
    """The page's own files: the service loads, and the request that the page sends satisfies it."""
    page = (ROOT / "docs/how-to/add-a-service.md").read_text(encoding="utf-8")
    files = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', page, re.DOTALL))

    with tempfile.TemporaryDirectory() as folder:
        name_of_file = "transport.vehicle-statement-abroad.toml"
        (Path(folder) / name_of_file).write_text(files[f"services/{name_of_file}"], encoding="utf-8")
        catalogue = Catalogue.load([BUILTIN_SERVICES, folder])
    principal = Principal("c", Kind.CHANNEL, "c", frozenset(), ("*",), 2)
    checked = Validator(catalogue, {"syriatel_cash": "syriatel"}).check(principal, files["request.json"].encode())

    assert checked.service.id == "transport.vehicle-statement-abroad"
    assert tomllib.loads(files["jisr.toml"]) == {"services_paths": ["services"]}
