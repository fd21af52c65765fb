"""What a connector logs, and what its errors say, holds nothing personal and no secret."""

import logging

import pytest

from connectors.kit.errors import ConnectorError
from tests.conformance.live import staged
from tests.conformance.packages import OPERATIONS, heard

WAYS = [
    (None, None), ("fault", None), ("html", None), ("empty", None), ("cut_after", None), ("truncate", 40), ("status", 500),
    ("wrong_element", None), ("missing_element", None), ("wrong_charset", None), ("redirect", "http://127.0.0.1:9/"),
    ("token_expired", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_a17_no_error_path_tells_who_asked_or_with_which_secret(sandbox, caplog, name, operation) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        for mode, value in WAYS:
            if mode is not None:
                stage.sandbox.switch(mode, value, operation=operation, times=1)
            _, result = await heard(stage.connector, operation, call)
            if isinstance(result, ConnectorError):
                said += [str(result), repr(result), *(repr(cause) for cause in chain_of(result))]
            stage.sandbox.switches_off()
        applicant = call.document["applicant"]
        forbidden = {applicant["national_number"], *applicant["name"].values(), *call.secrets.values()}
        forbidden |= {
            stage.sandbox.settings[key] for key in ("password", "client_secret") if key in stage.sandbox.settings
        }
    told = "\n".join([caplog.text, *said])
    assert [word for word in forbidden if word in told] == []


def chain_of(error: BaseException) -> list[BaseException]:
    """Everything that a traceback would show with it."""
    chain: list[BaseException] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return chain
