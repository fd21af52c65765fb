"""The insurance federation: a quote is for one vehicle, its months and its beginning, at one price, for a day."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from connectors.kit.contract import Call, Ports
from connectors.kit.outcome_file import quote_of
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector

PACKAGE = find_packages()["insurance"]
SAMPLE = json.loads((PACKAGE.folder / "samples/bind/succeeded/canonical.json").read_text("utf-8"))
A_DAY = timedelta(days=1, seconds=1)


class Federation:
    """The connector in front of the sandbox, and a clock for both."""

    def __init__(self, sandbox):
        self.sandbox, self._later = sandbox, timedelta()
        self.document = {**SAMPLE, "quote": None, "fee": None}

    def later(self, by):
        self._later += by
        self.sandbox.advance_clock(by.total_seconds())

    def say(self, operation, **changes):
        async def once():
            ports = Ports(self.sandbox.settings, LocalTokens(), lambda: datetime.now(UTC) + self._later)
            connector = open_connector(PACKAGE, ports)
            try:
                id_ = str(uuid4())
                call = Call(id_, {**self.document, **changes, "operation_id": id_})
                return await connector.send(connector.prepare(operation, call))
            finally:
                await connector.close()

        return asyncio.run(once())

    def quoted(self, **changes):
        return at_price(self.say("quote", **changes).quote)


def at_price(quote):
    shown = quote_of(quote)
    return {"quote": shown, "fee": {name: shown[name] for name in ("amount_minor", "currency", "denomination")}}


def with_input(**fields):
    return {"input": {**SAMPLE["input"], **fields}}


@pytest.fixture
def federation(sandbox):
    return Federation(sandbox("insurance"))


@pytest.mark.parametrize(
    ("months", "starts", "ends"),
    [(3, "2026-03-02", "2026-06-01"), (6, "2026-08-31", "2027-02-27"), (12, "2027-03-01", "2028-02-29")],
)
def test_a_policy_ends_a_day_before_its_months_are_over(federation, months, starts, ends):
    wanted = with_input(months=months, start_date=starts)
    bound = federation.say("bind", **wanted, **federation.quoted(**wanted))

    assert (bound.status, bound.data["starts_on"], bound.data["ends_on"]) == ("succeeded", starts, ends)


def test_a_premium_follows_category_and_months(federation):
    wanted = [with_input(category=c, months=m) for c, m in (("private", 3), ("private", 12), ("truck", 12))]

    assert [federation.quoted(**each)["fee"]["amount_minor"] for each in wanted] == [5500, 18000, 45000]


def test_a_quote_is_over_after_a_day_and_its_refusal_names_the_price_for_another(federation):
    price = federation.quoted()
    federation.later(A_DAY)
    refused = federation.say("bind", **price)
    bound = federation.say("bind", **at_price(refused.quote))

    assert (refused.status, refused.code, refused.asked.kind) == ("refused", "quote_expired", "renew_quote")
    assert refused.quote.valid_until > datetime.now(UTC) + A_DAY
    assert bound.status == "succeeded"
    assert federation.sandbox.count() == 1


@pytest.mark.parametrize("other", [{"plate_number": "204518"}, {"months": 3}, {"start_date": "2026-03-03"}])
def test_a_quote_of_another_insurance_is_no_quote_of_this_one(federation, other):
    refused = federation.say("bind", **with_input(**other), **federation.quoted())

    assert (refused.status, refused.code) == ("refused", "quote_expired")


def test_a_quote_that_was_never_given_insures_nothing(federation):
    made_up = federation.quoted()
    made_up["quote"]["id"] = "Q-00000000"

    assert federation.say("bind", **made_up).code == "quote_expired"
    assert federation.sandbox.count() == 0


def test_another_price_than_the_one_in_force_insures_nothing(federation):
    cheaper = federation.quoted()
    cheaper["fee"]["amount_minor"] -= 100
    refused = federation.say("bind", **cheaper)

    assert (refused.code, refused.quote.amount_minor) == ("price_changed", 18000)
    assert federation.sandbox.count() == 0
