"""The demonstration as `make demo ONCE=1` runs it: every part a process of its own, killed where it hurts, read in the ledgers."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAID = "education.secondary-certificate-copy"
FREE = "transport.vehicle-statement"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("JISR_", "LANG", "LC_"))}


class Demo:
    """A running demonstration; `until` reads its output up to a line that matches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jisr", "--lang", "en", "demo", "--once", "--dir", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**ENVIRONMENT, "PYTHONIOENCODING": "utf-8"},
        )

    def until(self, pattern: str) -> re.Match[str]:
        """The first line from here on that matches; the test fails when the demonstration ends before."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"never said {pattern!r}:\n{''.join(self.said)}")

    def end(self) -> int:
        """Its exit status, when it has ended by itself."""
        assert self._process.stdout is not None
        self.said += self._process.stdout.readlines()
        self._process.stdout.close()
        return self._process.wait(timeout=60)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self.end()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The demonstration's own process stands still for so long."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def clear(self) -> None:
        """End it, whatever became of it, and close what was read."""
        assert self._process.stdout is not None
        if not self._process.stdout.closed:
            self._process.terminate()
            self.end()

    @property
    def text(self) -> str:
        return "".join(self.said)


@pytest.fixture
def start(tmp_path):
    """Starts demonstrations in one folder; whatever is left of them is ended."""
    started: list[Demo] = []

    def run() -> Demo:
        started.append(Demo(tmp_path / "demo"))
        return started[-1]

    yield run
    for demo in started:
        demo.clear()


def _effects(folder: Path, name: str) -> Counter[str]:
    """How often each operation id had its effect, as the institution's sandbox counted."""
    lines = (folder / "ledgers" / f"{name}.ledger").read_text(encoding="utf-8").splitlines()
    return Counter(row["effect"][0] for row in map(json.loads, lines) if "effect" in row)


def _documents(folder: Path, service: str) -> list[Path]:
    found = sorted((folder / "documents").glob(f"{service}-*"))
    assert all(path.read_bytes().startswith(b"%PDF-") for path in found)
    return found


def _make_slow(control: str, operation: str) -> None:
    body = json.dumps({"operation": operation, "mode": "latency", "value": 3000, "times": 1}).encode()
    with urllib.request.urlopen(
        urllib.request.Request(f"{control}switches", body, method="POST"), timeout=10
    ) as answer:
        assert answer.status == 201


def test_both_requests_end_with_a_document_and_each_act_happened_once(start, tmp_path):
    demo = start()

    assert demo.end() == 0, demo.text
    assert len(_documents(demo.folder, PAID)) == len(_documents(demo.folder, FREE)) == 1
    for name in ("education", "syriatel_cash", "transport"):
        assert list(_effects(demo.folder, name).values()) == [1]
    assert "completed · مكتمل" in demo.text
    told = demo.text.partition("What the channel was told, signed (webhooks)\n")[2].splitlines()
    assert [line.split()[0] for line in told[:2]] == [PAID, FREE]
    assert all(re.search(r" accepted → in_progress → .*completed$", line) for line in told[:2]), told[:2]
    key = (demo.folder / "channel.key").read_text().strip()
    assert key not in demo.text
    assert key not in (demo.folder / "logs/gateway.log").read_text()


def test_a_demonstration_that_was_killed_is_finished_by_the_next_one(start):
    first = start()
    first.until("needs citizen")
    first.kill()

    second = start()

    assert second.end() == 0, second.text
    assert "Resumed: 1 request(s)" in second.text
    assert len(_documents(second.folder, PAID)) == len(_documents(second.folder, FREE)) == 1
    assert list(_effects(second.folder, "syriatel_cash").values()) == [1]
    assert list(_effects(second.folder, "education").values()) == [1]


def test_c4_a_gateway_killed_while_the_ministry_works_asks_first_and_the_act_happens_once(start):
    demo = start()
    _make_slow(demo.until(r"education +(http://\S+/_sandbox/)")[1], "submit")
    gateway = int(demo.until(r"process (\d+)")[1])
    demo.until(r"sending +education\.submit")
    os.kill(gateway, signal.SIGKILL)

    assert demo.end() == 0, demo.text
    assert "gateway ended (signal 9); starting it again" in demo.text
    assert "answer lost" in demo.text
    assert set(_effects(demo.folder, "education").values()) == {1}
    assert len(_effects(demo.folder, "education")) == 1


def test_c4_a_gateway_killed_while_the_wallet_confirms_leaves_the_payment_in_doubt_and_says_why(start):
    demo = start()
    _make_slow(demo.until(r"syriatel_cash +(http://\S+/_sandbox/)")[1], "confirm")
    gateway = int(demo.until(r"process (\d+)")[1])
    demo.until(r"sending +syriatel_cash\.confirm")
    os.kill(gateway, signal.SIGKILL)

    assert demo.end() == 0, demo.text  # it goes on with another request
    assert "in doubt · غير محسوم" in demo.text
    assert "payment_in_doubt" in demo.text
    assert "Do not pay again" in demo.text
    assert "لا تدفع مرة ثانية" in demo.text
    assert set(_effects(demo.folder, "syriatel_cash").values()) == {1}
    assert len(_documents(demo.folder, PAID)) == 1
    assert len(_effects(demo.folder, "education")) == 1


def test_one_folder_holds_one_demonstration_at_a_time(start):
    first = start()
    first.until("process")
    with first.held():  # or it may be over before the second one has begun
        second = start()

        assert second.end() == 1
    assert re.fullmatch(r"Sandboxes and gateway\nA demonstration runs in \S+ already; .*\n", second.text)
    assert first.end() == 0, first.text
