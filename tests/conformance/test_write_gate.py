"""The write gate: the connection is cut after the effect, and the declared effect must keep what it promises.

The oracle is the sandbox's ledger. `idempotent`: a repeat with the same operation id acts once. `inquirable`: the
inquiry finds what was done. `none`: the kit itself never repeats.
"""

import pytest

from connectors.kit.contract import Call, Effect
from connectors.kit.errors import ConnectionLost
from tests.conformance.live import Stage, acted_id, staged
from tests.conformance.packages import READS, WRITES, heard, say


async def lose_the_answer(stage: Stage, call: Call) -> None:
    """The institution acts, and no byte of its answer comes back."""
    name = stage.operation.name
    before = stage.sandbox.calls(name)
    stage.sandbox.switch("cut_after", operation=name, times=1)
    with pytest.raises(ConnectionLost) as lost:
        await say(stage.connector, name, call)
    assert lost.value.maybe_delivered
    assert stage.sandbox.calls(name) == before + 1, "the kit repeated a call whose answer was lost"


async def count_in_the_end(stage: Stage, call: Call) -> int:
    """How often the act is in the ledger; a payment that was only begun is confirmed first."""
    if stage.operation.role in ("initiate", "resend"):
        confirming = stage.on(stage.other("confirm"))
        subject = Call(acted_id(call), call.document)
        word, _ = await heard(stage.connector, confirming.operation.name, confirming.following(subject))
        assert word == "succeeded"
    return stage.sandbox.count(acted_id(call))


@pytest.mark.parametrize(("name", "operation"), WRITES)
async def test_n4_a_declared_effect_keeps_its_promise_when_the_answer_is_lost(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        await lose_the_answer(stage, call)
        if stage.operation.effect is Effect.IDEMPOTENT:
            word, _ = await heard(stage.connector, operation, call)
            assert word == "succeeded"
        elif stage.operation.effect is Effect.INQUIRABLE:
            asking = stage.on(stage.connector.operations[stage.operation.inquire or ""])
            word, _ = await heard(stage.connector, asking.operation.name, asking.following(call))
            assert word.split(":")[0] in ("succeeded", "pending", "refused")
        assert await count_in_the_end(stage, call) == 1


@pytest.mark.parametrize(("name", "operation"), READS)
async def test_a_read_on_a_kept_alive_connection_is_not_repeated_by_the_kit(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        await say(stage.connector, operation, call)
        await lose_the_answer(stage, call)


@pytest.mark.parametrize(("name", "operation"), WRITES)
async def test_nothing_was_done_when_the_connection_is_cut_before_the_effect(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        stage.sandbox.switch("cut_before", operation=operation, times=1)
        before = stage.sandbox.count()
        with pytest.raises(ConnectionLost) as lost:
            await say(stage.connector, operation, call)
        assert lost.value.maybe_delivered, "the kit cannot know that nothing was done"
        assert stage.sandbox.count() == before
        assert stage.sandbox.calls(operation) == 1


@pytest.mark.parametrize(("name", "operation"), READS)
async def test_a_safe_operation_leaves_the_ledger_as_it_was(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        before = stage.sandbox.count()
        await say(stage.connector, operation, call)
        await say(stage.connector, operation, call)
        assert stage.sandbox.count() == before


async def test_a_second_submission_to_education_issues_a_second_copy(sandbox) -> None:
    async with staged("education", "submit", sandbox) as stage:
        call = await stage.ready()
        await say(stage.connector, "submit", call)
        await say(stage.connector, "submit", call)
        assert stage.sandbox.count(call.operation_id) == 2


async def test_a_second_confirmation_at_the_wallet_debits_a_second_time(sandbox) -> None:
    async with staged("syriatel_cash", "confirm", sandbox) as stage:
        call = await stage.ready()
        await say(stage.connector, "confirm", call)
        await say(stage.connector, "confirm", call)
        assert stage.sandbox.count(acted_id(call)) == 2
