"""Submitting: what is taken in, what is refused and how, and that a key acts once."""

import asyncio
import json

import pytest
from sqlalchemy import Connection, func, select

from gateway.settings_rules import RECONCILED_DAYS
from gateway.store.tables import requests
from gateway.upkeep import forget_keys
from tests.unit.gateway.api.conftest import Api, certificate


def count(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(requests)).scalar_one())


async def stored(api: Api) -> int:
    return await api.services.store.read(count)


async def test_a_good_request_is_taken_in_and_can_be_read_at_its_location(api: Api) -> None:
    answer = await api.submit()
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/requests/{answer.json()['id']}"
    read = await api.get(answer.headers["location"])
    assert read.status_code == 200
    assert read.json()["service"] == "transport.vehicle-statement"


async def test_a_replay_gets_the_stored_answer_and_says_so(api: Api) -> None:
    first, second = await api.submit(), await api.submit()
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await stored(api) == 1


async def test_d1_fifty_posts_at_once_with_one_key_make_one_request(api: Api) -> None:
    answers = await asyncio.gather(*(api.submit() for _ in range(50)))
    taken = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert await stored(api) == 1


async def test_d2_another_body_under_the_same_key_is_refused_and_the_first_stays(api: Api) -> None:
    first = await api.submit()
    second = await api.submit(certificate())
    assert (second.status_code, second.json()["code"]) == (422, "idempotency_key_reused")
    assert (await api.submit()).content == first.content
    assert await stored(api) == 1


async def test_d3_the_same_key_of_two_channels_means_two_requests(api: Api) -> None:
    mine, theirs = await api.submit(), await api.submit(who="other")
    assert mine.json()["id"] != theirs.json()["id"]
    assert theirs.status_code == 202
    assert "idempotency-replayed" not in theirs.headers


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_invalid"),
        ("a" * 256, "idempotency_key_invalid"),
        ("two words", "idempotency_key_invalid"),
        ("tab\there", "idempotency_key_invalid"),
        ("\x7f", "idempotency_key_invalid"),
    ],
)
async def test_d4_a_bad_key_on_a_money_operation_is_refused(api: Api, key: str | None, code: str) -> None:
    answer = await api.submit(certificate(), key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await stored(api) == 0


async def test_d4_a_key_that_is_sent_twice_is_refused(api: Api) -> None:
    headers = [
        *api.headers(Content_Type="application/json").items(),
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "b"),
    ]
    answer = await api.client.post("/v1/requests", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


async def test_all_faults_of_a_body_come_at_once_with_pointers_and_words(api: Api) -> None:
    body = certificate(status="completed")
    body["applicant"]["national_number"] = "12"
    del body["input"]["branch"]
    answer = await api.submit(body, Accept_Language="en")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    found = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert found == {
        "/status": "unknown_field",
        "/applicant/national_number": "national_number_wrong",
        "/input/branch": "required",
    }
    assert all(error["message"]["ar"] and error["message"]["en"] for error in answer.json()["errors"])
    assert await stored(api) == 0


@pytest.mark.parametrize("field", ["status", "amount_paid", "approved_by"])
async def test_a9_a_field_that_is_not_the_channels_to_set_is_refused(api: Api, field: str) -> None:
    answer = await api.submit(certificate(**{field: "x"}))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"[" * 100_000, 400, "json_too_deep"),
        (b'{"amount":' + b"9" * 5000 + b"}", 400, "json_number_too_long"),
        (b"", 400, "malformed_json"),
        (b'{"a":1,"a":2}', 422, "json_duplicate_key"),
        (b'{"a":NaN}', 422, "number_not_finite"),
    ],
)
async def test_a21_json_that_breaks_parsers_is_refused_in_one_sentence(
    api: Api, raw: bytes, status: int, code: str
) -> None:
    answer = await api.submit(raw)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_body_beyond_the_cap_is_refused(api: Api) -> None:
    answer = await api.submit(b" " * (api.services.settings.max_body_bytes + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=utf-16", "", "application/x-www-form-urlencoded"]
)
async def test_only_json_is_read(api: Api, kind: str) -> None:
    headers = api.headers(Content_Type=kind, Idempotency_Key="k")
    answer = await api.client.post("/v1/requests", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("path", "prefer"), [("/v1/requests?dry_run=true", ""), ("/v1/requests", "check")])
async def test_a_preflight_says_fee_and_availability_and_stores_nothing(api: Api, path: str, prefer: str) -> None:
    answer = await api.submit(certificate(), key=None, path=path, Prefer=prefer)
    assert answer.status_code == 200, answer.text
    assert answer.json()["fee"] == {"value": "25.00", "currency": "SYP", "denomination": "SYP-new"}
    assert answer.json()["missing_documents"] == []
    assert answer.json()["availability"]["state"] == "unreachable"
    assert await stored(api) == 0


async def test_a_preflight_finds_the_same_faults(api: Api) -> None:
    answer = await api.submit({"service": "no.such"}, key=None, path="/v1/requests?dry_run=true")
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/service", "/applicant", "/input"}


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=true&dry_run=false", "check=true", "dry_run=%ff"])
async def test_a_query_that_is_not_known_is_refused(api: Api, query: str) -> None:
    answer = await api.submit(path=f"/v1/requests?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query")
    assert await stored(api) == 0


async def test_a_wait_is_honoured_up_to_the_limit_and_named(api: Api) -> None:
    answer = await api.submit(Prefer="wait=0")
    assert answer.headers["preference-applied"] == "wait=0"


async def test_a_service_beyond_the_channels_rights_is_forbidden(api: Api) -> None:
    answer = await api.submit(certificate(), who="narrow")
    assert (answer.status_code, answer.json()["code"]) == (403, "service_not_allowed")
    assert (await api.submit(who="narrow")).status_code == 202


@pytest.mark.parametrize("who", ["layla", "school"])
async def test_only_channels_submit(api: Api, who: str) -> None:
    answer = await api.submit(who=who)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a10_an_amount_that_is_not_exactly_the_fee_is_refused_and_one_that_is_is_taken(api: Api) -> None:
    body = certificate()
    body["payment"]["amount"]["value"] = "1e3"
    answer = await api.submit(body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/payment/amount/value"]
    body["payment"]["amount"]["value"] = "٢٥.٠٠"
    assert (await api.submit(body)).status_code == 202


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u202eevil"])
async def test_a20_text_that_is_not_what_it_seems_is_refused_and_never_a_crash(api: Api, text: str) -> None:
    body = certificate(reference=text)
    body["input"][text] = 1
    answer = await api.submit(json.dumps(body).encode())
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json()["errors"]} <= {"bad_unicode", "bad_characters"}


async def test_a20_a_name_of_a_megabyte_is_refused(api: Api) -> None:
    body = certificate()
    body["applicant"]["name"]["given"] = "س" * 600_000
    assert (await api.submit(json.dumps(body, ensure_ascii=False).encode())).status_code == 413


async def test_a_problem_never_shows_the_value_that_was_wrong(api: Api) -> None:
    body = certificate()
    body["applicant"]["national_number"] = "canary-998877"
    body["applicant"]["mobile"] = "canary-998877"
    body["input"]["governorate"] = "canary-998877"
    body["payment"]["amount"]["value"] = "canary-998877"
    assert "canary" not in (await api.submit(body)).text


async def test_d5_a_key_answers_as_long_as_a_statement_may_decide_and_begins_anew_after_that(api, clock):
    first = await api.submit()
    clock.advance(RECONCILED_DAYS * 86_400 - 600)
    assert await api.services.store.write(forget_keys) == 0
    again = await api.submit()
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    clock.advance(1200)
    assert await api.services.store.write(forget_keys) == 1
    later = await api.submit()
    assert later.status_code == 202
    assert later.json()["id"] != first.json()["id"]
    assert "idempotency-replayed" not in later.headers
