"""Each test person gets the outcome that persons.toml promises, and everybody else succeeds, against the live sandbox."""

import pytest

from connectors.kit.contract import Outcome
from connectors.kit.sandbox_institution import Persons
from tests.conformance.live import staged
from tests.conformance.packages import OPERATIONS, PACKAGES, heard

EXPECTED = [
    pytest.param(name, operation, person.key, wanted, id=f"{name}-{operation}-{person.outcome}")
    for name, package in PACKAGES.items()
    if (package.folder / "persons.toml").is_file()
    for person in Persons.load(package.folder / "persons.toml").listed
    for operation, wanted in person.expect.items()
]
LISTED = [
    pytest.param(name, person.key, person.expect, id=f"{name}-{person.outcome}")
    for name, package in PACKAGES.items()
    if (package.folder / "persons.toml").is_file()
    for person in Persons.load(package.folder / "persons.toml").listed
]


@pytest.mark.parametrize(("name", "operation", "person", "wanted"), EXPECTED)
async def test_a_test_person_gets_the_promised_outcome(sandbox, name, operation, person, wanted) -> None:
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready(person)
        came = [(await heard(stage.connector, operation, call))[0] for _ in wanted]
    assert came == wanted


@pytest.mark.parametrize(("name", "person", "expect"), LISTED)
def test_a_test_person_promises_something_of_an_operation_that_exists(name, person, expect) -> None:
    assert expect, person
    assert set(expect) <= {param.values[1] for param in OPERATIONS if param.values[0] == name}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_anybody_else_succeeds(sandbox, name, operation) -> None:
    async with staged(name, operation, sandbox) as stage:
        word, outcome = await heard(stage.connector, operation, await stage.ready())
    assert word == "succeeded"
    assert isinstance(outcome, Outcome)
    assert outcome.exchange is not None
    assert outcome.exchange.response
