"""Child processes: watched, ended, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jisr.errors import CommandError
from jisr.processes import Processes

STAYS = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
)
ENDS = (sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)")


def _says_up(log: Path):
    return lambda: log.is_file() and "up" in log.read_text()


def test_children_end_with_the_block(tmp_path):
    with Processes() as processes:
        child = processes.start("one", STAYS, tmp_path / "log")
        processes.wait_until(child, _says_up(tmp_path / "log"))
        assert processes.pids() == [child.process.pid]
        assert processes.dead() == []

    assert child.ended == -signal.SIGTERM


def test_a_child_that_does_not_listen_is_killed(tmp_path):
    with Processes(patience_seconds=0.2) as processes:
        child = processes.start("one", STUBBORN, tmp_path / "log")
        processes.wait_until(child, _says_up(tmp_path / "log"))

    assert child.ended == -signal.SIGKILL


def test_a_child_that_ends_while_it_starts_is_told_with_its_last_words(tmp_path):
    with Processes() as processes:
        child = processes.start("one", ENDS, tmp_path / "log")

        with pytest.raises(CommandError, match=r"one ended while it started \(status 3\): no luck"):
            processes.wait_until(child, lambda: False)


def test_a_child_that_is_never_ready_is_told(tmp_path):
    with Processes() as processes:
        child = processes.start("one", STAYS, tmp_path / "log")

        with pytest.raises(CommandError, match="not ready"):
            processes.wait_until(child, lambda: False, seconds=0.1)


def test_an_ended_child_starts_again_as_it_was(tmp_path):
    with Processes() as processes:
        first = processes.start("one", STAYS, tmp_path / "log", {"MARK": "x"})
        processes.wait_until(first, _says_up(tmp_path / "log"))
        first.process.kill()
        first.process.wait()
        assert processes.dead() == [first]

        second = processes.restart("one")

        assert processes.dead() == []
        assert (second.command, second.environment) == (first.command, {"MARK": "x"})


@pytest.mark.skipif(sys.platform != "linux", reason="deliberately: only Linux tells children of their parent's death")
def test_children_die_with_a_parent_that_was_killed(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from jisr.processes import Processes\n"
        f"child = Processes().start('one', {STAYS!r}, Path({str(tmp_path / 'log')!r}))\n"
        "print(child.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    _wait_until_gone(child)


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _is_alive(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
