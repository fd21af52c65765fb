"""Answers that are late, cut or lost: the deadline holds, and half an answer is never a whole one."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from connectors.kit.conformance.bench import Bench, Stage, heard, say, until
from connectors.kit.conformance.canned import Said
from connectors.kit.conformance.case import Failure, Variant, case, require
from connectors.kit.conformance.replay import on_the_wire
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation, Outcome, Status
from connectors.kit.errors import ConnectorError, TimedOut

DEADLINE_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
_GIVEN_UP = 150  # several times the places in a pool
_DENSE = 700


def _late(_: Subject, __: Operation | None) -> Iterable[Variant]:
    return [Variant("silence"), Variant("drip", 300)]


@case(
    "late",
    "deadline",
    "حين تصمت الجهة أو تجيب ببطء شديد ينتهي الطلب عند مهلته بـTimedOut، ويُترك مكانه لغيره.",
    "When the institution is silent or drips, the call ends at its deadline as TimedOut, and its place is free again.",
    variants=_late,
)
async def the_deadline_holds(bench: Bench) -> None:
    """(N2, N3) A short deadline is given to the call; nothing waits for the declared one."""
    async with bench.staged() as stage:
        call = replace(await stage.ready(), deadline_seconds=DEADLINE_SECONDS)
        stage.sandbox.switch(bench.variant.name, bench.variant.value, operation=bench.name)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                word, came = await heard(stage.connector, bench.name, call)
        except TimeoutError as error:
            raise Failure(
                f"لم تنتهِ {bench.name} عند مهلتها ({DEADLINE_SECONDS} ثانية) بل تجاوزت {_PATIENCE_SECONDS}.",
                f"{bench.name} did not end at its deadline ({DEADLINE_SECONDS} s); after {_PATIENCE_SECONDS} s it was "
                "still waiting.",
            ) from error
        require(
            isinstance(came, TimedOut) and came.maybe_delivered,
            f"توقعنا TimedOut عند صمت الجهة، وجاء {word}.",
            f"TimedOut was expected when the institution is silent, and {word} came.",
        )
        await require_quiet(stage)
        await require_still_works(stage)


async def require_quiet(stage: Stage) -> None:
    """No request hangs at the institution any more."""
    require(
        await until(lambda: stage.sandbox.in_flight() == 0),
        f"بقي طلب من {stage.operation.name} معلقاً لدى الجهة بعد أن تُرك.",
        f"A request of {stage.operation.name} hangs at the institution after it was given up.",
    )


async def require_still_works(stage: Stage) -> None:
    """With the faults off, the same connector serves the next call."""
    stage.sandbox.switches_off()
    word, came = await heard(stage.connector, stage.operation.name, await stage.ready())
    require(
        word == stage.subject.good(stage.operation.name),
        f"بعد الخلل لم يعد الموصل صالحاً: النداء التالي انتهى إلى {word}. ({_why(came)})",
        f"After the fault the connector is not usable any more: the next call ended as {word}. ({_why(came)})",
    )


def _why(came: Outcome | ConnectorError) -> str:
    return str(came) if isinstance(came, ConnectorError) else came.institution_code


def cuts(raw: bytes) -> list[int]:
    """Every byte offset where the answer's own structure is; inside a long document one in 37 is enough."""
    if len(raw) <= 2 * _DENSE:
        return list(range(1, len(raw)))
    return [*range(1, _DENSE), *range(_DENSE, len(raw) - _DENSE, 37), *range(len(raw) - _DENSE, len(raw))]


@case(
    "late",
    "cut-at-any-byte",
    "جواب مقطوع عند أي بايت لا يصير نجاحاً ولا رفضاً، والكامل ينجح.",
    "An answer cut at any byte becomes neither a success nor a refusal, and the whole one succeeds.",
)
async def an_answer_cut_at_any_byte_is_never_final(bench: Bench) -> None:
    """(N5) The sandbox's own answer, served again and again, each time one byte longer."""
    async with bench.staged() as stage:
        call = await stage.ready()
        whole = await say(stage.connector, bench.name, call)
    require(whole.exchange is not None, "ضاعت بايتات الجواب.", "The bytes of the answer were not kept.")
    assert whole.exchange is not None
    raw, content_type = whole.exchange.response.rstrip(), whole.exchange.content_type  # a line end is no part of it
    status = whole.exchange.status
    if content_type.startswith("multipart/"):  # of which evidence keeps digests alone: the sample's is cut
        sample = bench.subject.sample(bench.name)
        said, call = on_the_wire(bench.subject, sample), sample.call()
        raw, content_type, status = said.body.rstrip(), said.content_type, said.status
    async with bench.replayed(Said(b"", content_type=content_type)) as (server, connector):
        for size in cuts(raw):
            server.said = Said(raw[:size], status, content_type)
            word, came = await heard(connector, bench.name, call)
            require(
                not (isinstance(came, Outcome) and came.status in (Status.SUCCEEDED, Status.REFUSED)),
                f"جواب مقطوع بعد {size} بايت من {len(raw)} صار {word}.",
                f"An answer cut after {size} of {len(raw)} bytes became {word}.",
                bench.subject.at(f"mapping/{bench.name}.yaml", "answer"),
            )
        server.said = Said(raw, status, content_type)
        word, _ = await heard(connector, bench.name, call)
        require(
            word == bench.subject.good(bench.name), f"الجواب الكامل صار {word}.", f"The whole answer became {word}."
        )


@case(
    "late",
    "cut-in-the-middle",
    "حين ينقطع الاتصال في وسط الجواب تبقى الحقيقة مجهولة، ولا يعاد الإرسال.",
    "When the connection ends in the middle of the answer the truth is unknown, and nothing is sent again.",
)
async def a_connection_that_ends_in_the_middle_is_an_error(bench: Bench) -> None:
    """(N5) The connection itself is cut."""
    async with bench.staged() as stage:
        call = await stage.ready()
        stage.sandbox.switch("cut_middle", operation=bench.name)
        word, came = await heard(stage.connector, bench.name, call)
        require(
            isinstance(came, ConnectorError) and came.maybe_delivered,
            f"انقطع الاتصال في وسط الجواب، وجاء {word}.",
            f"The connection ended in the middle of the answer, and {word} came.",
        )
        calls = stage.sandbox.calls(bench.name)
        require(calls == 1, f"أُرسل الطلب {calls} مرات.", f"The request was sent {calls} times.")


@case(
    "late",
    "given-up-calls",
    "مئة وخمسون نداء تُركت في منتصفها لا تفسد ما بعدها.",
    "A hundred and fifty calls that were given up leave the pool usable.",
)
async def calls_that_were_given_up_leave_the_pool_usable(bench: Bench) -> None:
    """(N13) Cancelled while the institution is silent."""
    async with bench.staged() as stage:
        calls = [await stage.ready() for _ in range(3)]
        stage.sandbox.switch("silence", operation=bench.name)
        waiting = [asyncio.ensure_future(say(stage.connector, bench.name, calls[n % 3])) for n in range(_GIVEN_UP)]
        arrived = await until(lambda: stage.sandbox.in_flight() > 0)
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        if not arrived:
            raise Failure("لم يصل أي نداء إلى الجهة.", "No call reached the institution.")
        require(
            {type(end) for end in ended} == {asyncio.CancelledError},
            "نداء تُرك ولم ينتهِ بالترك.",
            "A call that was given up ended otherwise.",
        )
        await require_quiet(stage)
        await require_still_works(stage)
