"""docs/tutorial/your-first-connector, done as it stands there: from an unseen WSDL to an answer through the canonical API.

The blocks of the page are written and run in order: `title="…"` is a file, `sh` must end with status 0, `sh red` with
1, `sh background` is started and left running until the end, and `sh once` was done beforehand. Ports are replaced by
free ones, and nothing else.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateways import free_port, until

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "tests" / "journeys" / "peers" / "municipality"
PAGES = {
    language: ROOT / f"docs/tutorial/your-first-connector{end}.md" for language, end in (("en", ""), ("ar", ".ar"))
}
BLOCK = re.compile(r"^```([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NODE = shutil.which("node") is not None and (PEER / "node_modules" / "soap").is_dir()
needs_node = pytest.mark.skipif(
    not NODE, reason="Node or its package soap is missing: npm ci --prefix tests/journeys/peers/municipality"
)


@dataclass(slots=True)
class Walk:
    """One reader of the page: a folder, a shell, and what was started."""

    folder: Path
    language: str
    town_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    said: str = ""

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        return kept | {"PATH": path, "JISR_LANG": self.language, "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}

    def do(self, info: str, text: str) -> None:
        """One block of the page."""
        text = text.replace("8700", str(self.town_port)).replace("8080", str(self.gateway_port))
        title = re.search(r'title="([^"]+)"', info)
        if title:
            file = self.folder / title[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif info == "sh background":
            self.start(text)
        elif info in ("sh", "sh red"):
            self.run(text, status=1 if info == "sh red" else 0)
        else:
            assert info == "sh once", f"nobody knows what to do with a block {info!r}"

    def run(self, text: str, *, status: int) -> None:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        self.said += ended.stdout
        assert ended.returncode == status, f"{text}\n{ended.stdout}\n{ended.stderr}"

    def start(self, text: str) -> None:
        """Start it and wait until it listens."""
        port = self.town_port if str(self.town_port) in text else self.gateway_port
        with (self.folder / f"log-{port}").open("wb") as log:
            command = ["bash", "-c", f"exec {text.strip()}"]
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment(), stdout=log, stderr=log)
        self.running.append(process)

        def listens() -> bool:
            said = (self.folder / f"log-{port}").read_text()
            assert process.poll() is None, said
            if port == self.gateway_port:  # its own word: on a busy machine somebody else may listen there meanwhile
                return '"serving"' in said
            with socket.socket() as caller:
                return caller.connect_ex(("127.0.0.1", port)) == 0

        until(listens, f"somebody who listens on {port}")

    def stop(self) -> None:
        while self.running:
            process = self.running.pop()
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def blocks(language: str) -> list[tuple[str, str]]:
    """The page's fenced blocks: what stands behind the fence, and the text."""
    return [(info.strip(), text) for info, text in BLOCK.findall(PAGES[language].read_text(encoding="utf-8"))]


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Callable[..., Walk]]:
    """Walks the page in a language, with the municipality played by whoever is asked for; ends what was started."""
    with contextlib.ExitStack() as ends:

        def walked(language: str, town: str | None = None) -> Walk:
            reader = Walk(tmp_path, language)
            ends.callback(reader.stop)
            shutil.copyfile(PEER / "municipality.wsdl", tmp_path / "municipality.wsdl")
            if town is None:
                shutil.copytree(PEER, tmp_path / "town-hall")
            for info, text in blocks(language):
                reader.do(info, town or text if "town-hall" in text and info == "sh background" else text)
            return reader

        yield walked


def completed(reader: Walk) -> tuple[dict[str, Any], bytes]:
    """The request as its channel sees it in the end, and the document that came."""
    key = (reader.folder / "channel.key").read_text(encoding="utf-8").strip()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{reader.gateway_port}", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    ) as http:
        (listed,) = http.get("/v1/requests").json()["items"]
        until(lambda: http.get(f"/v1/requests/{listed['id']}").json()["state"] == "completed", "a decided request")
        request: dict[str, Any] = http.get(f"/v1/requests/{listed['id']}").json()
        content = http.get(request["documents"][0]["href"]).content
    return request, content


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("language", PAGES)
def test_the_page_leads_from_the_wsdl_to_an_answer_of_a_server_in_another_language(walk, language) -> None:
    reader = walk(language)

    request, content = completed(reader)

    assert request["service"] == "municipality.permit-extract"
    assert request["documents"][0]["name"] == "permit-extract.pdf"
    assert content.startswith(b"%PDF-1.4")
    assert b"Building permit extract" in content
    town = httpx.get(f"http://127.0.0.1:{reader.town_port}/issued", trust_env=False)
    assert town.json() == {"issued": 1}


@pytest.mark.slow
def test_the_page_leads_to_an_answer_of_the_packages_own_sandbox_where_node_is_missing(walk) -> None:
    page = PAGES["en"].read_text(encoding="utf-8")
    (instead,) = re.findall(r"`(python -m connectors\.kit\.sandbox [^`]+)`", page)

    reader = walk("en", instead)
    request, content = completed(reader)

    assert request["documents"][0]["name"] == "permit-extract.pdf"
    assert content.startswith(b"%PDF-1.4")
    ledger = httpx.get(f"http://127.0.0.1:{reader.town_port}/_sandbox/ledger", trust_env=False).json()
    assert [effect["count"] for effect in ledger["effects"]] == [1]
    report = (reader.folder / "report.html").read_text(encoding="utf-8")
    assert "✗" in report
    assert 'class="failed"' not in report.replace('<th class="failed">', "")


def test_both_languages_ask_for_the_same_steps() -> None:
    english, arabic = (
        [(info, [line for line in text.splitlines() if "#" not in line]) for info, text in blocks(language)]
        for language in ("en", "ar")
    )

    assert english == arabic
    assert len(english) > 20
    assert json.loads(next(text for info, text in blocks("ar") if 'title="request.json"' in info))
