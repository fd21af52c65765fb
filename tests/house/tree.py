"""What the house tests look at: the tracked files of the project."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("mappings", "connectors", "gateway", "scheduler", "jisr")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is committed or about to be; in a tree without git, every file outside hidden folders and var."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return tuple(path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file())
    return tuple(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            part.startswith(".") or part in ("var", "__pycache__", "node_modules")
            for part in path.relative_to(ROOT).parts
        )
    )


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def name(path: Path) -> str:
    """The path as a person writes it."""
    return path.relative_to(ROOT).as_posix()
