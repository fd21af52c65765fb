"""A run that was killed in the middle, at whatever point, is finished by the next one as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from gateway.store.reconciliation.tables import match_groups, recon_runs, statement_files
from gateway.store.tables import evidence
from tests.unit.gateway.reconciliation.conftest import open_scene

ROOT = Path(__file__).parents[4]
POINTS = (
    "reconcile.before_intake",
    "reconcile.within_intake",
    "reconcile.after_intake",
    "reconcile.after_match",
    "reconcile.before_settle",
    "settle.before_commit",
    "reconcile.before_report",
)
#: Runs the day again and again, each time in a fork of its own whose clock is a minute later: killed at each of the
#: points, then twice to the end. A fork, since a process of its own would load everything anew each time.
RUNNING = """
import asyncio, json, os, sys
from datetime import date
from pathlib import Path
from gateway import crash
from gateway.settings import load
from gateway.store.clock import Clock
from jisr.app import gateway

config, seconds, day, out, *points = sys.argv[1:]

async def run(offset):
    clock = Clock()
    clock.advance(float(seconds) + offset)
    async with gateway(load(Path(config), environment={}), clock) as built:
        await built.worker.rescue_leases()
        told = await built.reconciler.run(date.fromisoformat(day))
        with open(out, "a") as file:
            print(json.dumps([told.run.checksum, told.run.number, told.run.report, told.closed.waiting]), file=file)

statuses = []
for number, point in enumerate([*points, "", ""]):
    if (child := os.fork()) == 0:
        crash._AT = point
        asyncio.run(run(60 * number))
        os._exit(0)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(statuses))
"""


def run_and_kill(config, clock, day, folder):
    """The exit status of each run, and what the whole ones told."""
    out = folder / "told"
    arguments = [str(config), str(clock.passed_ms / 1000), day.isoformat(), str(out), *POINTS]
    done = subprocess.run(
        [sys.executable, "-c", RUNNING, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1]), [json.loads(line) for line in out.read_text().splitlines()]


async def test_c9_a_run_that_was_killed_at_every_point_is_finished_by_the_next_with_one_effect_each(
    config, clock, tmp_path
):
    path, sandboxes = config
    async with open_scene(path, clock, sandboxes) as scene:
        made = await scene.in_doubt("k-1")
        lost = await scene.in_doubt("k-2", mode="cut_before")
        await scene.paid("k-3")
        day = scene.next_day()
        scene.write_files(day)

    statuses, told = run_and_kill(path, clock, day, tmp_path)

    assert statuses == [-signal.SIGKILL] * len(POINTS) + [0, 0]
    assert told[0] == told[1]
    checksum, number, report, waiting = told[0]
    resolved = report["resolved"]
    assert (number, waiting) == (1, 0)
    assert len(checksum) == 64
    assert {each["request_id"]: each["decision"] for each in resolved} == {made["id"]: "done", lost["id"]: "not_done"}
    later = 60 * (len(POINTS) + 2)  # the runs stood so far ahead
    clock.advance(later)
    for each in sandboxes.values():
        each.advance_clock(later)
    async with open_scene(path, clock, sandboxes) as scene:

        def counted(conn):
            told = select(evidence.c.attempt_id).where(evidence.c.source == "statement")
            files = select(statement_files).where(statement_files.c.state == "accepted")
            tables = (files, select(match_groups), select(recon_runs))
            return [len(conn.execute(query).all()) for query in tables], conn.execute(told).all()

        counts, told = await scene.built.store.read(counted)
        assert counts == [2, 4, 1], "two files; two payments, one copy and one that was not made; one report"
        assert len(told) == len({row.attempt_id for row in told}) == 2
        await scene.until_final(made["id"], "completed")
        await scene.until_final(lost["id"], "awaiting_citizen")
        assert scene.wallet.count() == 2
