"""`python -m tests.corpus.imports`: imports every WSDL and OpenAPI document of the listed packages; prints a table and shares.

An import may refuse a contract in one sentence. It may not crash, write half a package, or write one that does not
replay its own samples: that is proven by the import itself and looked at again here.
"""

import hashlib
import json
import logging
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from zeep import Client
from zeep.wsdl.bindings.soap import SoapBinding

from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.refusal import ContractRefused
from connectors.kit.importing.wsdl_import import import_wsdl
from connectors.kit.package import load_package
from tests.corpus.fetching import LIST, fetch

OPENAPI_LIST = Path(__file__).with_name("packages_openapi.toml")
GOAL = 0.95
SECONDS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one contract."""

    kind: str
    file: str
    verdict: str  #: imported | refused | crashed
    sentence: str
    operations: int = 0
    left_out: int = 0
    repairs: int = 0
    zeep_loads: bool = False
    seconds: float = 0.0


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raises TimeoutError in what takes longer."""

    def end(*_: Any) -> None:
        raise TimeoutError(f"not done within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def look(kind: str, path: Path, root: Path) -> Outcome:
    """Import one contract into a folder of its own."""
    begun = time.monotonic()
    take: Any = import_wsdl if kind == "wsdl" else import_openapi
    loads = kind == "wsdl" and zeep_loads(path)
    file = path.relative_to(root).as_posix()
    with tempfile.TemporaryDirectory(prefix="jisr-import-") as name:
        into = Path(name)
        try:
            with at_most(SECONDS):
                folder, report = take("foreign", str(path), into, root=root)
        except ContractRefused as refused:
            verdict = "refused" if not list(into.iterdir()) and "\n" not in refused.en else "crashed"
            return Outcome(kind, file, verdict, refused.en, zeep_loads=loads, seconds=time.monotonic() - begun)
        except Exception as error:  # noqa: BLE001 - that it is any other is the finding
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            return Outcome(kind, file, "crashed", said, zeep_loads=loads, seconds=time.monotonic() - begun)
        package = load_package(folder)
        cases = list((folder / "samples").glob("*/succeeded/outcome.json"))
        good = len(cases) == len(package.manifest.operations) and [one.name for one in into.iterdir()] == ["foreign"]
        return Outcome(
            kind,
            file,
            "imported" if good else "crashed",
            report.left_out[0].en if report.left_out else "",
            len(package.manifest.operations),
            len(report.left_out),
            len(report.repairs),
            loads,
            time.monotonic() - begun,
        )


def zeep_loads(path: Path) -> bool:
    """Whether zeep itself loads it, fetching nothing from elsewhere, and finds a SOAP operation with an answer."""
    try:
        with at_most(SECONDS):
            bindings = Client(str(path)).wsdl.bindings.values()
            found = [one for each in bindings if isinstance(each, SoapBinding) for one in each.all().values()]
    except Exception:  # noqa: BLE001 - zeep raises anything
        return False
    return any(one.output is not None for one in found)


def contracts(folder: Path, console: Console) -> Iterator[tuple[str, Path, Path]]:
    """Each contract once, with the folder that it may refer to."""
    seen: set[str] = set()
    for listed in (LIST, OPENAPI_LIST):
        (folder / listed.stem).mkdir()
        for package, root in fetch(folder / listed.stem, listed):
            if root is None:
                console.print(f"[yellow]{package} is not to be had here")
                continue
            for path in sorted(root.rglob("*")):
                kind = kind_of(path)
                digest = hashlib.sha256(path.read_bytes()).hexdigest() if kind else ""
                if kind and digest not in seen:
                    seen.add(digest)
                    yield kind, path, root


def kind_of(path: Path) -> str:
    """`wsdl`, `openapi`, or nothing of interest."""
    if not path.is_file() or path.is_symlink():
        return ""
    if path.suffix.lower() == ".wsdl":
        return "wsdl"
    if path.suffix.lower() not in {".json", ".yaml", ".yml"}:
        return ""
    start = path.read_bytes()[:4000]
    return "openapi" if b'"openapi"' in start or b"\nopenapi:" in b"\n" + start else ""


def main(arguments: list[str]) -> int:
    """Print the table and the shares; 1 when something crashed or a share is below the goal."""
    console = Console(width=220)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="jisr-corpus-") as name:
        found = [look(*each) for each in contracts(Path(name), console)]
    table = Table("contract", "kind", "verdict", "operations", "left out", "repairs", "seconds", "first sentence")
    for one in sorted(found, key=lambda one: (one.kind, one.verdict, one.file)):
        cells = (one.operations, one.left_out, one.repairs, f"{one.seconds:.1f}")
        table.add_row(Path(one.file).name, one.kind, one.verdict, *(str(cell) for cell in cells), one.sentence[:120])
    console.print(table)
    if arguments:
        Path(arguments[0]).write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")
    return 0 if _good(found, console) else 1


def _good(found: list[Outcome], console: Console) -> bool:
    for kind in ("wsdl", "openapi"):
        counts = Counter(one.verdict for one in found if one.kind == kind)
        console.print(
            json.dumps({"kind": kind, **counts, "operations": sum(one.operations for one in found if one.kind == kind)})
        )
    loadable = [one for one in found if one.zeep_loads]
    share = sum(one.verdict == "imported" for one in loadable) / max(len(loadable), 1)
    console.print(
        json.dumps({"WSDLs with a SOAP operation that zeep loads": len(loadable), "imported": round(share, 3)})
    )
    return share >= GOAL and not any(one.verdict == "crashed" for one in found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
