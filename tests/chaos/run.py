"""A run on one database: load and sabotage, then calm, the daily file, and the comparison."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.chaos.checker import FINISHED, Findings, check
from tests.chaos.load import WALLET, Load
from tests.chaos.records import Effect, Kept, Records
from tests.chaos.recovery import Recovery
from tests.chaos.saboteurs import Saboteurs
from tests.chaos.stage import Stage, staged, statements_folder

#: How long a run may take to come to rest: an institution that may show an act a minute late is asked three times after it.
SETTLE_SECONDS = 180.0
#: And then, once the wallet's daily file is in.
CLOSE_SECONDS = 90.0
#: Whatever a killed process held is taken up within this, or told.
RECOVER_SECONDS = 60.0
PROGRESS_SECONDS = 5.0
LEAST_A_MINUTE = 500
ZONE = ZoneInfo("Asia/Damascus")
#: The machine of the files: their day must be over, by everybody's clock.
NEXT_DAY = timedelta(hours=30)

_REQUESTS = (
    "SELECT r.id, i.key, r.service, r.state, r.reason, n.state, "
    "(SELECT count(*) FROM jobs j WHERE j.request_id = r.id AND j.due_at < 4611686018427387904), "
    "(SELECT count(*) FROM attempts a WHERE a.request_id = r.id AND a.operation = 'confirm' AND a.state = 'in_doubt'), "
    "(SELECT count(*) FROM events e WHERE e.request_id = r.id AND e.state = 'in_doubt') "
    "FROM requests r LEFT JOIN idempotency i ON i.request_id = r.id AND i.scope = 'requests' "
    "LEFT JOIN intents n ON n.request_id = r.id"
)
_OPEN = (
    "SELECT state, count(*) FROM requests WHERE state NOT IN ('completed', 'refused', 'cancelled', 'expired', 'parked') "
    "GROUP BY state"
)

_ASKED = (
    "SELECT count(*) FROM requests r JOIN jobs j ON j.request_id = r.id "
    "WHERE r.state = 'in_doubt' AND j.due_at < 4611686018427387904"
)


@dataclass(slots=True)
class Result:
    """What came of a run."""

    database: str
    seed: str
    minutes: float
    findings: Findings
    kills: int
    other_acts: int
    lost_answers: int
    recovery: Recovery
    troubles: list[str] = field(default_factory=list)  #: Why it proved nothing, or what else went wrong.

    @property
    def figures(self) -> dict[str, Any]:
        """One object of chaos-report.json."""
        found = self.findings
        return {
            "database": self.database,
            "seed": self.seed,
            "minutes": self.minutes,
            "acknowledged": found.acknowledged,
            "finished": found.finished,
            "in_doubt_now": found.in_doubt_now,
            "in_doubt_resolved": found.in_doubt_resolved,
            "parked": found.parked,
            "effects": found.effects,
            "duplicates": len(found.duplicates),
            "lost": len(found.lost),
            "kills": self.kills,
            "recovery_median_s": round(self.recovery.median_seconds, 2),
            "recovery_max_s": round(self.recovery.most_seconds, 2),
        }

    @property
    def failures(self) -> list[str]:
        """Every reason for which the run is no proof, or a proof of the contrary; none is success."""
        found = self.findings
        reasons = list(self.troubles)
        if found.acknowledged < LEAST_A_MINUTE * self.minutes:
            reasons.append(
                f"only {found.acknowledged} requests were acknowledged in {self.minutes:g} minutes, of "
                f"{LEAST_A_MINUTE} a minute that are needed: it proved nothing"
            )
        if not self.kills:
            reasons.append("nothing was killed: it proved nothing")
        reasons += [f"done twice: {each}" for each in found.duplicates]
        reasons += [f"lost: {each}" for each in found.lost]
        reasons += [f"the database is damaged: {each}" for each in found.problems]
        return reasons


async def run(
    dialect: str,
    seed: str,
    minutes: float,
    folder: Path,
    *,
    rate: float,
    say: Callable[[str], None],
    commands: Sequence[str] = (),
    to_the_end: bool = True,
) -> Result:
    """Play it; everything that was started has ended when this returns or raises.

    `commands` as in `staged`. Not `to_the_end`: what is in doubt by then, with somebody who will ask or tell, stays so.
    """
    async with staged(dialect, folder, commands) as stage:
        load = Load(stage, rate, random.Random(f"{seed}/{dialect}/load"))
        recovery = Recovery(stage, lambda: load.last_asked_at)
        with (folder / "diary.txt").open("w", encoding="utf-8") as diary:
            saboteurs = Saboteurs(stage, recovery, seed, diary)
            stage.start()
            await stage.ready()
            teller = asyncio.create_task(_tell(dialect, load, saboteurs, recovery, say))
            try:
                await _trouble(load, saboteurs, minutes * 60)
                troubles = await _calm(stage, load, recovery, say, to_the_end=to_the_end)
            finally:
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
                await load.end()
        troubles += [f"a request was refused: {each}" for each in load.refused]
        troubles += [each for node in stage.nodes for each in node.ended_by_itself]
        await stage.end_gateway()
        findings = check(await records(stage, load))
        return Result(
            dialect,
            seed,
            minutes,
            findings,
            saboteurs.kills,
            saboteurs.other_acts,
            load.lost_answers,
            recovery,
            troubles,
        )


async def _trouble(load: Load, saboteurs: Saboteurs, seconds: float) -> None:
    """Load and sabotage together, for so long."""
    arriving, sabotage = asyncio.create_task(load.arrive()), asyncio.create_task(saboteurs.work())
    try:
        done, _ = await asyncio.wait({arriving, sabotage}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        arriving.cancel()
        sabotage.cancel()
        await asyncio.gather(arriving, sabotage, return_exceptions=True)


async def _calm(
    stage: Stage, load: Load, recovery: Recovery, say: Callable[[str], None], *, to_the_end: bool
) -> list[str]:
    """Let everything come to rest, then take the wallet's daily file in; what did not recover."""
    name = stage.database.dialect
    say(f"{name}: the trouble is over; everything comes to rest ...")
    await stage.quiet()
    await _wait_until(lambda: _at_rest(stage, load, unasked=not to_the_end), SETTLE_SECONDS)
    late = await recovery.finish(RECOVER_SECONDS)
    if to_the_end and await stage.database.rows(_OPEN):
        say(f"{name}: the wallet's daily file tells about the payments that nobody can be asked about ...")
        await _next_day(stage)
        await _wait_until(lambda: _finished(stage, load), CLOSE_SECONDS)
    return late


async def _at_rest(stage: Stage, load: Load, *, unasked: bool) -> bool:
    """Everything is acknowledged, and nothing is open but what is in doubt and, unless `unasked`, nobody will ask about."""
    if load.waiting:
        return False
    try:
        states = {state for state, _ in await stage.database.rows(_OPEN)}
        asked = await stage.database.rows(_ASKED)
    except OSError:
        return False
    return states <= {"in_doubt"} and (unasked or not asked[0][0])


async def _finished(stage: Stage, load: Load) -> bool:
    """Nothing is open any more."""
    try:
        return not load.waiting and not await stage.database.rows(_OPEN)
    except OSError:
        return False


async def _next_day(stage: Stage) -> None:
    """A day passes: the institutions write the files of the days that the run touched, and the gateway takes them in."""
    wallet, folder = stage.sandboxes[WALLET], statements_folder(stage.folder)
    today = datetime.now(UTC).astimezone(ZONE).date()
    for day in (today - timedelta(days=1), today):
        given = {"day": day.isoformat(), "folder": str(folder)}
        await asyncio.to_thread(wallet.control, "POST", "statements", given)
    for sandbox in stage.sandboxes.values():
        await asyncio.to_thread(sandbox.advance_clock, NEXT_DAY.total_seconds())
    for node in stage.nodes:
        stage.step_clock(node, int(NEXT_DAY.total_seconds() * 1000))


async def _wait_until(condition: Callable[[], Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (there := await condition()) and time.monotonic() < deadline:  # noqa: ASYNC110 - it asks a database
        await asyncio.sleep(0.5)
    return bool(there)


async def records(stage: Stage, load: Load) -> Records:
    """All three sides, read when nothing runs any more but the institutions and the database."""
    kept = [
        Kept(
            *(request_id, key or "", service, state, reason or "", intent or ""),
            scheduled=bool(jobs),
            by_statement=bool(confirms),
            was_in_doubt=bool(doubts),
        )
        for request_id, key, service, state, reason, intent, jobs, confirms, doubts in await stage.database.rows(
            _REQUESTS
        )
    ]
    effects = [
        Effect(name, str(row["what"]), str(row["operation_id"]), int(row["count"]))
        for name, sandbox in stage.sandboxes.items()
        for row in await asyncio.to_thread(sandbox.effects)
    ]
    found = Records(load.acknowledged, kept, effects, await stage.database.problems())
    _keep(stage.folder, found)
    return found


def _keep(folder: Path, found: Records) -> None:
    """For whoever looks into the folder afterwards."""
    told = "".join(f"{one.key} {one.request_id}\n" for one in found.acknowledged)
    (folder / "acknowledged.txt").write_text(told, encoding="utf-8")
    effects = [[one.institution, one.what, one.operation_id, one.count] for one in found.effects]
    (folder / "effects.json").write_text(json.dumps(effects, indent=0), encoding="utf-8")


async def _tell(dialect: str, load: Load, saboteurs: Saboteurs, recovery: Recovery, say: Callable[[str], None]) -> None:
    """A line every few seconds."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        told = len({one.request_id for one in load.acknowledged})
        say(
            f"{dialect:10} {time.monotonic() - began:4.0f} s  acknowledged {told:5}  waiting {load.waiting:3}  "
            f"answers lost {load.lost_answers:4}  kills {saboteurs.kills:3}  other acts {saboteurs.other_acts:4}  "
            f"recovery at most {recovery.most_seconds:4.1f} s  {await _open(load.stage)}"
        )


async def _open(stage: Stage) -> str:
    """What is not finished."""
    try:
        return ", ".join(f"{count} {state}" for state, count in sorted(await stage.database.rows(_OPEN)))
    except OSError:
        return "the database does not answer"


__all__ = ["FINISHED", "Result", "run"]
