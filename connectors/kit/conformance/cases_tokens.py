"""A token that ends in the middle is fetched once for all callers, and a token that cannot be had sends nothing."""

import asyncio

from connectors.kit.conformance.bench import Bench, heard, say
from connectors.kit.conformance.case import Variant, case, require
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation
from connectors.kit.errors import TokenUnavailable

_CALLERS = 20
_MODES = ("fault", "html", "cut_after", "empty")


def _has_token(subject: Subject, _: Operation) -> bool:
    return subject.token_path != ""


@case(
    "tokens",
    "token-fetched-once",
    "رمز انتهى في المنتصف يُجلب مرة واحدة لعشرين نداء.",
    "A token that ends in the middle is fetched once for twenty callers.",
    applies=_has_token,
)
async def a_token_is_fetched_once_for_all(bench: Bench) -> None:
    """All ask while one fetches."""
    async with bench.staged() as stage:
        calls = [await stage.ready() for _ in range(_CALLERS)]
        await say(stage.connector, bench.name, await stage.ready())
        first = stage.sandbox.calls("token")
        stage.sandbox.switch("token_expired", operation=bench.name, times=1)
        stage.sandbox.switch("latency", 200, operation="token")  # so that all callers ask while one fetches
        words = await asyncio.gather(*(heard(stage.connector, bench.name, call) for call in calls))
        fetched = stage.sandbox.calls("token")
    ended = sorted({word for word, _ in words})
    require(
        ended == [bench.subject.good(bench.name)] and (first, fetched) == (1, 2),
        f"جُلب الرمز {fetched - first} مرات لعشرين نداء، والنتائج: {', '.join(ended)}.",
        f"The token was fetched {fetched - first} times for twenty callers, and they ended as {', '.join(ended)}.",
        bench.subject.at("manifest.toml", "authentication"),
    )


@case(
    "tokens",
    "token-refused-twice",
    "رمز مرفوض مرتين متتاليتين ينهي النداء دون فعل.",
    "A token that is refused twice in a row ends the call, and nothing was done.",
    applies=_has_token,
)
async def a_token_refused_twice_ends_the_call(bench: Bench) -> None:
    """One refetch and one repeat, no more."""
    async with bench.staged() as stage:
        call = await stage.ready()
        before, acts = stage.sandbox.calls(bench.name), stage.sandbox.count()
        stage.sandbox.switch("token_expired", operation=bench.name)
        word, came = await heard(stage.connector, bench.name, call)
        times = stage.sandbox.calls(bench.name) - before
        require(
            isinstance(came, TokenUnavailable) and not came.maybe_delivered and times == 2,
            f'رُفض الرمز مرتين، وجاء {word} بعد {times} إرسالات؛ أدرج رمز رفض الرمز بـerror = "token_rejected".',
            f"The token was refused twice, and {word} came after {times} sendings; list the code of a refused token "
            'with error = "token_rejected".',
            bench.subject.at("codes.toml", f"codes.{bench.name}"),
        )
        require(stage.sandbox.count() == acts, "حدث فعل بلا رمز.", "Something was done without a token.")


@case(
    "tokens",
    "no-token-no-call",
    "حين لا يأتي الرمز لا تُرسل العملية.",
    "Without a token the operation is never sent.",
    applies=_has_token,
    variants=lambda _, __: [Variant(mode) for mode in _MODES],
)
async def without_a_token_nothing_is_sent(bench: Bench) -> None:
    """The token's own call is spoiled."""
    async with bench.staged() as stage:
        await say(stage.connector, bench.name, await stage.ready())
        call = await stage.ready()
        sent = stage.sandbox.calls(bench.name)
        stage.sandbox.switch("token_expired", operation=bench.name, times=1)
        stage.sandbox.switch(bench.variant.name, operation="token")
        word, came = await heard(stage.connector, bench.name, call)
        times = stage.sandbox.calls(bench.name) - sent
        require(
            isinstance(came, TokenUnavailable) and times == 1,  # only the call that was told that its token has ended
            f"لم يأتِ الرمز ({bench.variant.name})، وجاء {word} بعد {times} إرسالات للعملية.",
            f"No token came ({bench.variant.name}), and {word} came after {times} sendings of the operation.",
            bench.subject.at("manifest.toml", "authentication"),
        )
