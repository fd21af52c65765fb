"""Refusals: one form, both languages, three readers, a trace to quote, and nothing that should stay inside."""

import re

import pytest

from gateway.api import requests as endpoints
from gateway.api.negotiation import language_of, preferences_of, traceparent_of
from gateway.store.errors import CommitUnknown, StorageFull
from tests.unit.gateway.api.conftest import Api

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_problem_speaks_to_three_readers_in_both_languages(api: Api) -> None:
    answer = await api.get("/v1/requests/nothing")
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == "/problems/not_found"
    assert body["status"] == 404
    for reader in ("citizen", "clerk", "technician"):
        assert set(body["texts"][reader]) == {"ar", "en"}
    assert (await api.client.get(body["type"])).json()["texts"] == body["texts"]


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "ar"), ("", "ar"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("ar-SY", "ar"), ("fr", "ar"), ("fr,en;q=0.5", "en"),
        ("ar;q=0.5,en;q=0.9", "en"), ("en;q=0", "ar"), ("*", "ar"), (";;;q=,", "ar"), ("en;q=x", "en"), ("," * 5000 + "en", "ar"),
    ],
)  # fmt: skip
def test_the_reader_chooses_the_language_and_arabic_is_the_default(accept: str | None, language: str) -> None:
    assert language_of(accept) == language


async def test_title_and_detail_are_in_the_readers_language(api: Api) -> None:
    ar, en = await api.get("/v1/requests/x"), await api.get("/v1/requests/x", Accept_Language="en")
    assert (ar.headers["content-language"], en.headers["content-language"]) == ("ar", "en")
    assert ar.json()["title"] == ar.json()["texts"]["citizen"]["ar"]
    assert en.json()["title"] == en.json()["texts"]["citizen"]["en"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("GET", "/v1/requests/a/b/c/d", 404, "not_found"),
        ("DELETE", "/v1/requests", 405, "method_not_allowed"),
        ("PUT", "/health/live", 405, "method_not_allowed"),
        ("GET", "/problems/nothing", 404, "not_found"),
        ("GET", "/docs/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("GET", "/docs/index.html", 404, "not_found"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(api: Api, method: str, path: str, status: int, code: str) -> None:
    answer = await api.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["traceparent"].split("-")[1] == answer.json()["correlation"]
    assert ("allow" in answer.headers) == (status == 405)


async def test_an_unforeseen_fault_tells_a_number_and_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary 01010000001")

    monkeypatch.setattr(endpoints, "represent", broken)
    made = await api.submit()
    answer = await api.get(made.headers["location"], traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["correlation"] == TRACE
    assert answer.json()["safe_to_retry"] is True
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert [line["code"] for line in api.logs if line["event"] == "request_failed"] == ["internal_error"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageFull("full"), "storage_unavailable"),
        (CommitUnknown("lost"), "commit_unknown"),
        (OSError("x"), "internal_error"),
    ],
)
async def test_s1_a_store_that_cannot_write_is_said_with_a_time_to_come_back(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(api.services.store), "batch", fail)
    answer = await api.submit()
    assert answer.json()["code"] == code
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    assert answer.json()["safe_to_retry"] is True


async def test_a_trace_is_continued_or_begun_and_always_named(api: Api) -> None:
    given = await api.client.get("/health/live", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", given.headers["traceparent"])
    fresh = await api.client.get("/health/live")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", fresh.headers["traceparent"])


@pytest.mark.parametrize(
    "bad",
    [
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        "x",
        "\n",
    ],
)
def test_a_trace_that_is_none_is_replaced(bad: str) -> None:
    assert TRACE not in traceparent_of(bad).lower()


@pytest.mark.parametrize(
    ("prefer", "wait", "check", "applied"),
    [
        ("", None, False, ""),
        ("wait=5", 5.0, False, "wait=5"),
        ("wait=0", 0.0, False, "wait=0"),
        ("respond-async, wait=99", 30.0, False, "wait=30"),
        ("WAIT = 7", 7.0, False, "wait=7"),
        ("wait=-1", None, False, ""),
        ("wait=1e3", None, False, ""),
        ("wait=soon", None, False, ""),
        ("check", None, True, "check"),
        ("check, wait=5", 5.0, True, "check"),
        ("handling=strict", None, False, ""),
    ],
)
def test_preferences_are_read_as_the_rfc_says(prefer: str, wait: float | None, check: bool, applied: str) -> None:
    read = preferences_of(prefer, max_wait_seconds=30)
    assert (read.wait_seconds, read.check, read.applied) == (wait, check, applied)


async def test_a_call_is_logged_once_by_its_route_and_never_by_its_path(api: Api) -> None:
    await api.get("/v1/requests/01010000001")
    assert [line["path"] for line in api.logs if line["event"] == "answered"] == ["/v1/requests/{request_id}"]
    assert "01010000001" not in str(api.logs)
