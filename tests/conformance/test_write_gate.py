"""What the institutions that are played here do when they are asked twice, and what the suite's write gate builds on."""

from tests.conformance.live import acted_id, staged
from tests.conformance.packages import say


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
