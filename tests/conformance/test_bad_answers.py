"""Answers that are late, cut, spoiled or from elsewhere: live, through the real connector, for every operation."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from connectors.kit.contract import Outcome, Status
from connectors.kit.errors import ConnectorError, Redirected, Throttled, TimedOut, TooLarge, Unreadable
from tests.conformance.canned import Said, canned
from tests.conformance.live import Stage, staged
from tests.conformance.packages import OPERATIONS, SOAP, heard, opened, say, token_path
from tests.sandboxes import SandboxProcess

DEADLINE_SECONDS = 1.0
ONE_HOUR = 3600
GIVEN_UP = 150  # several times the places in a pool


def cuts(raw: bytes) -> list[int]:
    """Every byte offset where the answer's own structure is; inside a long document one in 37 is enough."""
    dense = 700
    if len(raw) <= 2 * dense:
        return list(range(1, len(raw)))
    return [*range(1, dense), *range(dense, len(raw) - dense, 37), *range(len(raw) - dense, len(raw))]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; ten seconds are more than enough on any machine."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


def in_flight(sandbox: SandboxProcess) -> int:
    """Requests that the sandbox has not answered."""
    return int(sandbox.control("GET", "health")["in_flight"])


async def still_works(stage: Stage) -> None:
    """With the faults off, the same connector serves the next call."""
    stage.sandbox.switches_off()
    word, _ = await heard(stage.connector, stage.operation.name, await stage.ready())
    assert word == "succeeded"


@pytest.mark.parametrize("fault", [pytest.param(("silence", None), id="n2"), pytest.param(("drip", 300), id="n3")])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n2_n3_the_total_deadline_holds_and_the_slot_is_released(sandbox, name, operation, fault) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = replace(await stage.ready(), deadline_seconds=DEADLINE_SECONDS)
        mode, value = fault
        stage.sandbox.switch(mode, value, operation=operation)
        started = time.monotonic()
        with pytest.raises(TimedOut) as late:
            await say(stage.connector, operation, call)
        assert DEADLINE_SECONDS * 0.9 < time.monotonic() - started < DEADLINE_SECONDS * 3
        assert late.value.maybe_delivered
        await until(lambda: in_flight(stage.sandbox) == 0)
        await still_works(stage)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n5_an_answer_cut_at_any_byte_never_succeeds(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        whole = await say(stage.connector, operation, call)
        assert whole.exchange is not None
        raw, content_type = whole.exchange.response, whole.exchange.content_type
    silent = canned(Said(b"", content_type=content_type), token_path=token_path(name))
    async with silent as server, opened(name, server.port) as connector:
        for size in cuts(raw):
            server.said = Said(raw[:size], content_type=content_type)
            _, came = await heard(connector, operation, call)
            assert not (isinstance(came, Outcome) and came.status in (Status.SUCCEEDED, Status.REFUSED)), size
        server.said = Said(raw, content_type=content_type)
        word, _ = await heard(connector, operation, call)
        assert word == "succeeded"


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n5_a_connection_that_ends_in_the_middle_of_the_answer_never_succeeds(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        stage.sandbox.switch("cut_middle", operation=operation)
        with pytest.raises(ConnectorError) as broken:
            await say(stage.connector, operation, call)
        assert broken.value.maybe_delivered
        assert stage.sandbox.calls(operation) == 1


@pytest.mark.parametrize("mode", ["html", "empty", "wrong_content_type", "wrong_charset", "bom"])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n6_an_answer_that_is_not_of_the_contract_is_unreadable_and_its_bytes_are_kept(
    sandbox, name, operation, mode
) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        stage.sandbox.switch(mode, operation=operation)
        with pytest.raises(Unreadable) as caught:
            await say(stage.connector, operation, call)
        assert caught.value.maybe_delivered
        assert caught.value.exchange is not None
        assert caught.value.exchange.status in (200, 201)
        assert bool(caught.value.exchange.response) == (mode != "empty")
        await still_works(stage)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n7_faults_and_broken_servers_have_errors_of_their_own(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        words = []
        for mode, value in (("fault", None), ("status", 503), ("html", None)):
            call = await stage.ready()
            stage.sandbox.switch(mode, value, operation=operation, times=1)
            words.append((await heard(stage.connector, operation, call))[0])
    assert words[1:] == ["error:upstream_server_failed", "error:upstream_protocol"]
    assert words[0] in ("error:upstream_fault", "in_doubt:provider_technical")


@pytest.mark.parametrize(("name", "operation"), SOAP)
async def test_n8_an_element_that_the_schema_lacks_is_refused(sandbox, name, operation) -> None:
    await refuses_shape("extra_element", staged(name, operation, sandbox), operation)


@pytest.mark.parametrize("mode", ["wrong_element", "missing_element"])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n8_an_answer_of_another_shape_is_refused(sandbox, name, operation, mode) -> None:
    await refuses_shape(mode, staged(name, operation, sandbox), operation)


async def refuses_shape(mode: str, staging: AbstractAsyncContextManager[Stage], operation: str) -> None:
    """An answer spoiled in this way is unreadable."""
    async with staging as stage:
        call = await stage.ready()
        stage.sandbox.switch(mode, operation=operation)
        with pytest.raises(Unreadable):
            await say(stage.connector, operation, call)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n9_a_redirect_is_a_failure_and_nothing_goes_to_where_it_points(sandbox, name, operation, code) -> None:
    async with canned(Said(b"{}")) as elsewhere, staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        target = f"http://127.0.0.1:{elsewhere.port}/elsewhere"
        stage.sandbox.switch("redirect", {"url": target, "code": code}, operation=operation)
        with pytest.raises(Redirected):
            await say(stage.connector, operation, call)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("code", "retry_after", "at_most", "at_least"),
    [
        (429, 7, 7, 7),
        (503, 120, 120, 120),
        (429, "Fri, 31 Dec 2100 23:59:59 GMT", ONE_HOUR, ONE_HOUR),
        (429, 315_360_000, ONE_HOUR, ONE_HOUR),
    ],
    ids=["seconds", "503", "date", "ten-years"],
)
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n10_a_wish_to_be_asked_later_is_heard_and_capped(
    sandbox, name, operation, code, retry_after, at_most, at_least
) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        stage.sandbox.switch("status", {"code": code, "retry_after": retry_after}, operation=operation)
        with pytest.raises(Throttled) as busy:
            await say(stage.connector, operation, call)
        assert busy.value.maybe_delivered is False
        assert busy.value.retry_after_seconds is not None
        assert at_least <= busy.value.retry_after_seconds <= at_most


@pytest.mark.parametrize("mode", ["huge", "gzip_bomb"])
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n11_an_answer_beyond_the_cap_is_cut(sandbox, name, operation, mode) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        stage.sandbox.switch(mode, stage.operation.max_response_bytes * 2, operation=operation)
        with pytest.raises(TooLarge):
            await say(stage.connector, operation, call)
        await until(lambda: in_flight(stage.sandbox) == 0)
        await still_works(stage)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n13_calls_that_were_given_up_leave_the_pool_usable(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        calls = [await stage.ready() for _ in range(3)]
        stage.sandbox.switch("silence", operation=operation)
        waiting = [asyncio.ensure_future(say(stage.connector, operation, calls[n % 3])) for n in range(GIVEN_UP)]
        await until(lambda: in_flight(stage.sandbox) > 0)
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(end) for end in ended} == {asyncio.CancelledError}
        await until(lambda: in_flight(stage.sandbox) == 0)
        await still_works(stage)
