"""`make chaos`: kills things for some minutes while requests come in, on both databases, and compares what is left.

Ends with status 0 when nothing was lost and nothing was done twice; else it says what, and keeps the folder.
"""

import argparse
import asyncio
import contextlib
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.chaos import report
from tests.chaos.run import LEAST_A_MINUTE, Result, run

DATABASES = ("sqlite", "postgresql")
#: New requests a second: more than are needed, for those who come while nobody answers.
RATE = LEAST_A_MINUTE * 1.7 / 60
INTERRUPTED = 130


def main() -> int:
    """Run, and print what came of it; the exit status."""
    given = _arguments()
    seed = given.seed or str(secrets.randbelow(10**9))
    folder = Path(tempfile.mkdtemp(prefix="jisr-chaos-"))
    again = f"make chaos SEED={seed} MINUTES={given.minutes:g}"
    say(f"seed {seed}; the same again: {again}")
    try:
        results = asyncio.run(_all(given.only or DATABASES, seed, given.minutes, folder))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(f"Interrupted; everything is stopped. What was logged is in {folder}.")
        return INTERRUPTED
    report.write(results, given.report)
    say(f"\n{report.table(results)}\n\nThe figures are in {given.report}.")
    if slow := report.slow(results):
        say(slow)
    failures = [f"{result.database}: {each}" for result in results for each in result.failures]
    if failures:
        say("\n".join([f"The promises were not proven ({len(failures)}); everything is kept in {folder}:", *failures]))
        return 1
    if given.keep:
        say(f"Everything is kept in {folder}.")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    say("Nothing was lost and nothing was done twice.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of load and sabotage (default 5)")
    parser.add_argument("--seed", default="", help="the same sabotage again")
    parser.add_argument("--only", action="append", choices=DATABASES, help="one database alone")
    parser.add_argument("--report", type=Path, default=Path("chaos-report.json"))
    parser.add_argument("--keep", action="store_true", help="keep databases, logs and ledgers also of a good run")
    given = parser.parse_args()
    if given.minutes <= 0:
        parser.error("--minutes must be more than 0")
    return given


async def _all(databases: Sequence[str], seed: str, minutes: float, folder: Path) -> list[Result]:
    """All databases side by side: what one waits for, the other uses."""
    this = asyncio.current_task()
    assert this is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, this.cancel)
    runs = []
    for name in databases:
        place = folder / name
        place.mkdir()
        runs.append(asyncio.create_task(run(name, seed, minutes, place, rate=RATE, say=say)))
    try:
        return list(await asyncio.gather(*runs))
    finally:
        for each in runs:
            each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*runs, return_exceptions=True)


def say(text: str) -> None:
    """Print it at once."""
    print(text, flush=True)  # noqa: T201 - it talks to a terminal


if __name__ == "__main__":
    sys.exit(main())
