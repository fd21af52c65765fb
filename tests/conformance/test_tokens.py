"""A token that ends in the middle is fetched once for all callers, and a token that cannot be had sends nothing."""

import asyncio

import pytest

from connectors.kit.errors import TokenUnavailable
from tests.conformance.live import staged
from tests.conformance.packages import WITH_TOKEN, heard, say

CALLERS = 20


@pytest.mark.parametrize(("name", "operation"), WITH_TOKEN)
async def test_a_token_that_ends_in_the_middle_is_fetched_once_for_twenty_callers(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        calls = [await stage.ready() for _ in range(CALLERS)]
        await say(stage.connector, operation, await stage.ready())
        assert stage.sandbox.calls("token") == 1
        stage.sandbox.switch("token_expired", operation=operation, times=1)
        stage.sandbox.switch("latency", 200, operation="token")  # so that all callers ask while one fetches
        words = await asyncio.gather(*(heard(stage.connector, operation, call) for call in calls))
        assert {word for word, _ in words} == {"succeeded"}
        assert stage.sandbox.calls("token") == 2


@pytest.mark.parametrize(("name", "operation"), WITH_TOKEN)
async def test_a_token_that_is_refused_twice_in_a_row_ends_the_call_unsent(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        before, acts = stage.sandbox.calls(operation), stage.sandbox.count()
        stage.sandbox.switch("token_expired", operation=operation)
        with pytest.raises(TokenUnavailable) as refused:
            await say(stage.connector, operation, call)
        assert refused.value.maybe_delivered is False
        assert stage.sandbox.calls(operation) == before + 2
        assert stage.sandbox.count() == acts


@pytest.mark.parametrize("mode", ["fault", "html", "cut_after", "empty"])
@pytest.mark.parametrize(("name", "operation"), WITH_TOKEN)
async def test_without_a_token_the_operation_is_never_sent(sandbox, name, operation, mode) -> None:
    async with staged(name, operation, sandbox) as stage:
        await say(stage.connector, operation, await stage.ready())
        call = await stage.ready()
        sent = stage.sandbox.calls(operation)
        stage.sandbox.switch("token_expired", operation=operation, times=1)
        stage.sandbox.switch(mode, operation="token")
        with pytest.raises(TokenUnavailable):
            await say(stage.connector, operation, call)
        assert stage.sandbox.calls(operation) == sent + 1, "only the call that was told that its token has ended"
