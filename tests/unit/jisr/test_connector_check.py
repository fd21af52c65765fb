"""`jisr connector check` finds what a person means, and its exit status tells apart red, green and wrong usage."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.registry import find_packages
from tests.conformance.packages import PACKAGES

ROOT = Path(__file__).resolve().parents[3]


def jisr(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command, run in a folder of its own."""
    command = [sys.executable, "-m", "jisr", "--lang", "en", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A copy of Transport under another name, in a folder that `connector_paths` names."""
    package = tmp_path / "ours" / "town_transport"
    shutil.copytree(PACKAGES["transport"].folder, package, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = package / "manifest.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('name = "transport"', 'name = "town_transport"'), "utf-8")
    return package


@pytest.mark.parametrize("paths", ["ours", "ours/town_transport"])
def test_a_name_is_looked_up_in_the_folders_of_the_settings(tmp_path, town, paths) -> None:
    (tmp_path / "jisr.toml").write_text(f'connector_paths = ["{paths}"]\n', encoding="utf-8")

    ended = jisr("--config", "jisr.toml", "connector", "check", "town_transport", "--only", "codes", folder=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "town_transport: " in ended.stdout
    assert "0 failed" in ended.stdout


def test_an_unknown_name_is_wrong_usage_and_the_known_ones_are_told(tmp_path) -> None:
    ended = jisr("connector", "check", "nobody", folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"there are {', '.join(find_packages())}." in ended.stderr


def test_a_check_that_does_not_exist_is_wrong_usage(tmp_path, town) -> None:
    ended = jisr("connector", "check", str(town), "--only", "submit/*", folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No check is named submit/*" in ended.stderr


def test_a_group_an_operation_and_a_pattern_choose_checks(tmp_path, town) -> None:
    def count(only: str) -> int:
        ended = jisr("connector", "check", str(town), "--only", only, "--all", folder=tmp_path)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout.count("✓ vehicle-")

    assert count("samples") > count("vehicle-check/sample*") == 10
    assert count("vehicle-check/sample[succeeded]") == 1


def test_one_fault_is_told_once_although_every_check_meets_it(tmp_path, town) -> None:
    with (town / "sandbox.toml").open("a", encoding="utf-8") as file:
        file.write("\n[nonsense]\n")

    ended = jisr("connector", "check", str(town), "--only", "late", "--html", "report.html", folder=tmp_path)

    assert ended.returncode == 1
    red = [line for line in ended.stdout.splitlines() if line.startswith("✗ ") and "sandbox.toml" in line]
    assert len(red) == 1, ended.stdout
    assert "nonsense: unknown key" in red[0]
    assert "more for the same reason)" in red[0]
    assert (tmp_path / "report.html").read_text("utf-8").count("<article") == 1
