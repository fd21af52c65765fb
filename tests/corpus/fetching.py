"""Downloads the packages of packages.toml with each registry's ordinary client, and unpacks them."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

LIST = Path(__file__).with_name("packages.toml")
SECONDS = 180


def fetch(folder: Path, listed_in: Path = LIST) -> Iterator[tuple[str, Path | None]]:
    """Each package's name with the folder that it was unpacked into; None for one that is not to be had."""
    listed = tomllib.loads(listed_in.read_text("utf-8"))
    for number, (kind, name) in enumerate((kind, name) for kind, names in listed.items() for name in names):
        place = folder / f"{number:03}"
        (place / "packed").mkdir(parents=True)
        try:
            _DOWNLOAD[kind](name, place / "packed")
            for file in (place / "packed").iterdir():
                unpack(file, place / "files")
        except (OSError, subprocess.SubprocessError, tarfile.TarError, zipfile.BadZipFile):
            yield f"{kind}: {name}", None
            continue
        yield f"{kind}: {name}", place / "files"


def _pypi(name: str, place: Path) -> None:
    wanted, _, form = name.partition(" ")
    binary = ["--no-binary", ":all:"] if form == "sdist" else ["--only-binary", ":all:"]
    _run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *binary, "--dest", str(place), wanted], place
    )


def _npm(name: str, place: Path) -> None:
    _run(["npm", "pack", "--silent", name], place)


def _debian(name: str, place: Path) -> None:
    _run(["apt-get", "download", "--quiet", name], place)


_DOWNLOAD = {"pypi": _pypi, "npm": _npm, "debian": _debian}


def _run(command: list[str], place: Path) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=SECONDS)


def unpack(file: Path, into: Path) -> None:
    """Unpack an archive; members that would leave the folder are refused."""
    into.mkdir(exist_ok=True)
    if file.suffix in {".whl", ".zip"}:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(into)
    elif file.suffix == ".deb":
        _run(["dpkg-deb", "--extract", str(file), str(into)], into)
    elif file.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(file) as archive:
            archive.extractall(into, filter="data")
