"""Packages with one fault each, as edits of a good one: `jisr connector check` is red, with the sentence that helps.

A file `*.toml` beside this one is one broken package: `package` is the good one, `edit`, `remove`, `write`, `link` and
`pad` break it, `check` is the check that must fail, `says` stands in its English sentence, and `place` (with the text
of its `line`) is where the sentence points.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.packages import PACKAGES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BROKEN = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.toml"))}


def broken(facts: dict[str, Any], folder: Path) -> Path:
    """The package, copied into `folder` and broken."""
    package: Path = folder / facts["package"]
    shutil.copytree(PACKAGES[facts["package"]].folder, package, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in facts.get("edit", ()):
        file = package / edit["file"]
        text = file.read_text(encoding="utf-8")
        at = text.find(edit["old"], text.find(edit.get("after", "")))
        assert at >= 0, f"{edit['file']} has changed; mend the edit"
        file.write_text(text[:at] + edit["new"] + text[at + len(edit["old"]) :], encoding="utf-8")
    for remove in facts.get("remove", ()):
        shutil.rmtree(package / remove["path"])
    for write in facts.get("write", ()):
        (package / write["file"]).write_text(write["text"], encoding="utf-8")
    for link in facts.get("link", ()):
        (package / link["path"]).symlink_to(link["to"])
    for pad in facts.get("pad", ()):
        with (package / pad["file"]).open("a", encoding="utf-8") as file:
            file.write("# " + "x" * pad["bytes"] + "\n")
    return package


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`jisr connector check` as a person runs it."""
    command = [sys.executable, "-m", "jisr", "--lang", "en", "connector", "check", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env={**os.environ}
    )


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_red_with_the_sentence_that_helps(tmp_path, name) -> None:
    facts = BROKEN[name]
    package = broken(facts, tmp_path)

    ended = checked(str(package), "--only", facts["check"], "--json", str(tmp_path / "report.json"))

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (check,) = report["checks"]
    assert (report["result"], check["id"], check["status"]) == ("failed", facts["check"], "failed")
    assert facts["says"] in check["en"]
    assert any("\u0600" <= letter <= "\u06ff" for letter in check["ar"])
    assert facts["says"] in ended.stdout, "the terminal says it too"
    assert (check["file"] or "").startswith(facts["place"])
    if "line" in facts:
        lines = (tmp_path / check["file"]).read_text(encoding="utf-8").splitlines()
        assert facts["line"] in lines[check["line"] - 1]


def test_a_good_package_is_green_from_anywhere(tmp_path) -> None:
    package = broken({"package": "transport"}, tmp_path)

    ended = checked(str(package), "--json", str(tmp_path / "report.json"), "--html", str(tmp_path / "report.html"))

    assert ended.returncode == 0, ended.stdout
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["failed"] == 0
    assert report["passed"] > 100
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="ar" dir="rtl">' in page
    assert "http" not in page.replace("HTTP", "")
    assert [check["id"] for check in report["checks"] if check["id"] not in page] == []
