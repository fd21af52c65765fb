"""Machine-made calls, from the reference itself: whatever comes, the answer is one that the reference names, never a 500."""

import json
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.api.openapi import build_document
from tests.unit.gateway.api.conftest import Api

SCHEMA = schemathesis.openapi.from_dict(build_document())
OPERATIONS = {
    f"{operation.method} {operation.path}": operation
    for operation in (cast("Any", result).ok() for result in SCHEMA.get_all_operations())
    if operation.path != "/v1/requests/{request_id}/stream"  # test_stream.py reads it as it happens
}
EXAMPLES = 15


def cases(name: str) -> Any:
    """Some calls that fit the reference and some that do not."""
    operation = OPERATIONS[name]
    wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    good = operation.as_strategy()
    drawn: list[Any] = []
    takes_nothing = not (operation.query or operation.headers or operation.path_parameters or operation.body)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw(data: Any) -> None:
        drawn.append(data.draw(good if takes_nothing else st.one_of(good, wrong)))

    draw()
    return drawn


def as_sent(api: Api, case: Any, who: str) -> httpx.Request | None:
    """The case as an HTTP request; None when HTTP itself cannot carry it (a header that is not ASCII, say)."""
    given = case.as_transport_kwargs(base_url="http://gateway.test")
    headers = {**given.get("headers", {}), **api.headers(who)}
    try:
        return api.client.build_request(
            given["method"],
            given["url"],
            params=given.get("params"),
            headers=[(name.encode("ascii"), str(value).encode("latin-1")) for name, value in headers.items()],
            content=given.get("data") if "data" in given else _json(given),
        )
    except (UnicodeEncodeError, httpx.InvalidURL):
        return None


def _json(given: dict[str, Any]) -> bytes | None:
    return json.dumps(given["json"]).encode() if "json" in given else None


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_no_call_makes_it_fail(api: Api, name: str) -> None:
    who, sent = "layla" if "/admin/" in name else "web", 0
    for case in cases(name):
        request = as_sent(api, case, who)
        if request is None:
            continue
        sent += 1
        answer = await api.client.send(request)
        assert answer.status_code < 500, (request.method, request.url, answer.text)
        assert str(answer.status_code) in OPERATIONS[name].definition.raw["responses"] or answer.status_code in (
            404,
            405,
        )
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"]
    assert sent
