"""Lists the checks of a package and runs them, several sandboxes at a time, each a process of its own."""

import asyncio
import fnmatch
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.kit.conformance import (
    cases_amounts,
    cases_callbacks,
    cases_codes,
    cases_contract,
    cases_late,
    cases_mapping,
    cases_openapi,
    cases_persons,
    cases_privacy,
    cases_samples,
    cases_spoiled,
    cases_tokens,
    cases_unsent,
    cases_write_gate,
)
from connectors.kit.conformance.bench import Bench, heard, opened
from connectors.kit.conformance.case import (
    CASES,
    Case,
    Check,
    Failure,
    Noted,
    Place,
    Result,
    Skipped,
    Text,
    Variant,
    Verdict,
)
from connectors.kit.conformance.sandbox_process import SandboxFailed, SandboxProcess, start_process, stop_process
from connectors.kit.conformance.subject import Subject, open_subject
from connectors.kit.contract import Operation
from connectors.kit.errors import ConnectorError, NotSent, TokenUnavailable
from connectors.kit.manifest import ManifestError, SettingError
from connectors.kit.mapping_tools.workbench import ToolError
from mappings.errors import MappingError
from mappings.sentences import arabic_of, in_arabic

#: In this order people read what is wrong: first what stops everything else.
_MODULES = (
    cases_contract,
    cases_amounts,
    cases_mapping,
    cases_samples,
    cases_openapi,
    cases_codes,
    cases_callbacks,
    cases_persons,
    cases_write_gate,
    cases_late,
    cases_spoiled,
    cases_unsent,
    cases_tokens,
    cases_privacy,
)
_LANES = 3
_LOADS = "loads"
#: Groups that need no sandbox.
#: What says by itself what an author has to mend.
_TOLD = (SettingError, ManifestError, MappingError, ToolError)
_OFFLINE = frozenset({"contract", "mapping", "samples", "codes"})


def all_cases() -> list[Case]:
    """Every case, in the order of the groups."""
    order = [module.__name__ for module in _MODULES]
    return sorted(CASES, key=lambda one: order.index(one.prove.__module__))


def checks_of(subject: Subject) -> list[Check]:
    """Every check of a package: connector x operation x case x variant."""
    found = []
    for one in all_cases():
        operations: Sequence[Operation | None] = [None] if one.of_package else list(subject.operations.values())
        for operation in operations:
            if operation is None or one.applies(subject, operation):
                name = "" if operation is None else operation.name
                found += [Check(one, name, variant) for variant in one.variants(subject, operation)]
    return found


def chosen(checks: Sequence[Check], wanted: Sequence[str]) -> list[Check]:
    """The checks that a word of `wanted` names: a group, a case, an operation, or a check's id with * and ?."""
    if not wanted:
        return list(checks)
    return [check for check in checks if any(_fits(check, word) for word in wanted)]


def _fits(check: Check, word: str) -> bool:
    literal = word.replace("[", "[[]")
    return word in (check.case.group, check.case.name, check.operation) or fnmatch.fnmatchcase(check.id, literal)


async def run_check(subject: Subject, check: Check, sandbox: Callable[[], SandboxProcess]) -> Result:
    """Run one check; `sandbox` gives the institution's sandbox, clean."""
    operation = subject.operations.get(check.operation)
    begun = time.monotonic()
    status: Verdict = "passed"
    text, place = check.case.promise, None
    try:
        await check.case.prove(Bench(subject, operation, check.variant, sandbox))
    except Noted as noted:
        return replace(_result(check, "passed", noted.text, time.monotonic() - begun, None), noted=True)
    except Skipped as skipped:
        status, text = "skipped", skipped.text
    except Failure as failure:
        status, text, place = "failed", failure.text, failure.place
    except (ConnectorError, SandboxFailed) as error:
        status, text = "failed", _unexpected(error)
        place = Place(subject.folder / "sandbox.toml") if isinstance(error, SandboxFailed) else None
    seconds = time.monotonic() - begun
    return _result(check, status, text, seconds, place)


def _result(check: Check, status: Verdict, text: Text, seconds: float, place: Place | None) -> Result:
    return Result(
        id=check.id,
        group=check.case.group,
        case=check.case.name,
        operation=check.operation,
        variant=check.variant.name,
        status=status,
        text=text,
        seconds=seconds,
        place=place,
    )


def _unexpected(error: ConnectorError | SandboxFailed) -> Text:
    if isinstance(error, SandboxFailed):
        return Text(
            f"لا يعمل النظام التجريبي للحزمة: {in_arabic(str(error))}", f"The package's sandbox does not work: {error}"
        )
    return Text(
        f"النداء الذي كان يجب أن ينجح انتهى بالخطأ {error.code}: {in_arabic(str(error))}",
        f"A call that should have succeeded ended as {error.code}: {error}",
    )


@dataclass(slots=True)
class Sandboxes:
    """The sandbox processes of one run: one for each lane, started when first asked for."""

    folder: Path
    _running: dict[int, SandboxProcess] = field(default_factory=dict)
    _broken: SandboxFailed | None = None

    async def start(self, lanes: int) -> None:
        """Start as many before anything is measured: under way, a start would hold up the calls of the others."""
        starts = (asyncio.to_thread(start_process, self.folder) for _ in range(lanes))
        for lane, started in enumerate(await asyncio.gather(*starts, return_exceptions=True)):
            if isinstance(started, SandboxProcess):
                self._running[lane] = started
            elif isinstance(started, SandboxFailed):
                self._broken = started
            else:
                raise started

    async def meet(self, subject: Subject) -> None:
        """One call: a sandbox that its own connector cannot reach would make every check say so in words of its own."""
        operation = next((name for name in subject.operations if subject.samples_of(name)), None)
        if operation is None or not self._running:
            return
        process = next(iter(self._running.values()))
        async with opened(subject, process.port) as connector:
            _, result = await heard(connector, operation, subject.sample(operation).call())
        if isinstance(result, NotSent) and not isinstance(result, TokenUnavailable):
            self._broken = SandboxFailed(f"its own connector cannot reach it: {result}")

    def clean(self, lane: int) -> SandboxProcess:
        """The lane's sandbox, reset. Raises SandboxFailed, at once after the first time."""
        if self._broken is not None:
            raise self._broken
        if lane not in self._running:
            try:
                self._running[lane] = start_process(self.folder)
            except SandboxFailed as error:
                self._broken = error
                raise
        self._running[lane].reset()
        return self._running[lane]

    def stop(self) -> None:
        """End them all."""
        while self._running:
            _, process = self._running.popitem()
            stop_process(process)


@contextmanager
def sandboxes_of(subject: Subject) -> Iterator[Sandboxes]:
    """The sandboxes of a run, ended with it."""
    sandboxes = Sandboxes(subject.folder)
    try:
        yield sandboxes
    finally:
        sandboxes.stop()


async def run(
    subject: Subject, checks: Sequence[Check], done: Callable[[Result], None] = lambda _: None, *, lanes: int = _LANES
) -> list[Result]:
    """Run the checks, `lanes` at a time, and give the results in the order of the checks; `done` hears each at its end.

    A case that touches what the whole process shares runs when nothing else does.
    """
    results: dict[str, Result] = {}
    with sandboxes_of(subject) as sandboxes:

        async def work(lane: int, waiting: list[Check]) -> None:
            while waiting:
                check = waiting.pop(0)
                results[check.id] = await _guarded(subject, check, _cleaned(sandboxes, lane))
                done(results[check.id])

        live = sum(check.case.group not in _OFFLINE for check in checks)
        await sandboxes.start(min(lanes, live))
        await sandboxes.meet(subject)
        together = [check for check in checks if not check.case.alone]
        await asyncio.gather(*(work(lane, together) for lane in range(lanes)))
        await work(0, [check for check in checks if check.case.alone])
    return [results[check.id] for check in checks]


async def _guarded(subject: Subject, check: Check, sandbox: Callable[[], SandboxProcess]) -> Result:
    """A package may be odder than any case expects: one check fails then, and the others go on."""
    begun = time.monotonic()
    try:
        return await run_check(subject, check, sandbox)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told as this check's failure
        if type(error) in _TOLD:
            text = Text(arabic_of(error), str(error))
            return _result(check, "failed", text, time.monotonic() - begun, None)
        kind = type(error).__name__
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = Text(
            f"لم يمكن إجراء الفحص ({kind} في {Path(frame.filename).name}:{frame.lineno})؛ "
            "راجع شكل ملفات العينة والنظام التجريبي.",
            f"The check could not be carried out ({kind} in {Path(frame.filename).name}:{frame.lineno}); "
            "look at the form of the sample's files and of the sandbox.",
        )
        return _result(check, "failed", text, time.monotonic() - begun, None)


def _cleaned(sandboxes: Sandboxes, lane: int) -> Callable[[], SandboxProcess]:
    """The lane's sandbox, cleaned when a check first asks for it and not again."""
    clean: list[SandboxProcess] = []

    def sandbox() -> SandboxProcess:
        if not clean:
            clean.append(sandboxes.clean(lane))
        return clean[0]

    return sandbox


async def examine(
    folder: Path,
    *,
    catalogue: frozenset[str] | None = None,
    only: Sequence[str] = (),
    begun: Callable[[int], None] = lambda _: None,
    done: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """The results of every check of the package in `folder`; a package that cannot be loaded has one, which failed.

    `catalogue` are the codes of the error catalogue; `begun` hears how many checks there are.
    """
    try:
        subject = open_subject(folder, catalogue=catalogue)
        checks = chosen(checks_of(subject), only)
    except Failure as failure:
        begun(1)
        result = Result(f"package/{_LOADS}", "contract", _LOADS, "", "", "failed", failure.text, 0.0, failure.place)
        done(result)
        return [result]
    begun(len(checks))
    return await run(subject, checks, done)


__all__ = ["Check", "Result", "Subject", "Variant", "all_cases", "checks_of", "chosen", "examine", "run", "run_check"]
