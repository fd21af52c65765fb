"""Reading: one request, its timeline, its documents, pages of many, and that nobody sees what is not theirs."""

import base64
import hashlib

import pytest

from tests.unit.gateway.api.conftest import Api
from tests.unit.gateway.api.rows import PDF, put_document, put_intent, put_request

ABSENT = "01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("part", ["", "/events", "/stream", "/documents/1"])
async def test_a8_another_channels_request_is_as_absent_as_one_that_never_was(api: Api, part: str) -> None:
    theirs = await api.services.store.write(put_request, "other")
    await api.services.store.write(put_document, theirs, "a.pdf")
    answer, never = await api.get(f"/v1/requests/{theirs}{part}"), await api.get(f"/v1/requests/{ABSENT}{part}")
    assert answer.status_code == never.status_code == 404
    told = [{**each.json(), "correlation": ""} for each in (answer, never)]
    assert told[0] == told[1]


async def test_a8_another_channels_request_cannot_be_cancelled_or_answered(api: Api) -> None:
    theirs = await api.services.store.write(put_request, "other")
    headers = api.headers(Content_Type="application/json", Idempotency_Key="k")
    for part in ("cancel", "actions/a1"):
        answer = await api.client.post(f"/v1/requests/{theirs}/{part}", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    read = await api.get(f"/v1/requests/{theirs}", who="other")
    assert read.json()["state"] == "accepted"


async def test_a8_a_list_shows_the_channels_own_requests_whatever_it_filters(api: Api) -> None:
    mine = await api.services.store.write(lambda conn: put_request(conn, "web", reference="r"))
    await api.services.store.write(lambda conn: put_request(conn, "other", reference="r"))
    for query in ("", "?reference=r", "?state=accepted", "?service=transport.vehicle-statement"):
        answer = await api.get(f"/v1/requests{query}")
        assert [item["id"] for item in answer.json()["items"]] == [mine]
    assert (await api.get("/v1/requests?channel=other")).status_code == 400


@pytest.mark.parametrize("bad", ["1", "..", "%00", "01890000-0000-7000-8000-00000000000Z", "' OR 1=1", "%F0%9F%98%80"])
async def test_what_is_no_id_is_absent(api: Api, bad: str) -> None:
    answer = await api.get(f"/v1/requests/{bad}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_request_shows_its_payment_its_documents_and_the_words_of_its_reason(api: Api) -> None:
    request_id = await api.services.store.write(
        lambda conn: put_request(conn, "web", "in_doubt", reason="payment_in_doubt")
    )
    await api.services.store.write(put_intent, request_id, "in_doubt")
    digest = await api.services.store.write(put_document, request_id, "a.pdf")
    shown = (await api.get(f"/v1/requests/{request_id}")).json()
    assert shown["payment"]["amount"] == {"value": "25.00", "currency": "SYP", "denomination": "SYP-new"}
    assert shown["documents"][0]["digest"] == digest
    assert shown["reason"]["citizen"]["ar"].startswith("لم نتأكد")
    assert shown["reason"]["citizen"]["en"].startswith("It is not certain")


async def test_an_operator_reads_any_request_but_no_document(api: Api) -> None:
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(put_document, request_id, "a.pdf")
    assert (await api.get(f"/v1/requests/{request_id}", who="layla")).status_code == 200
    assert (await api.get(f"/v1/requests/{request_id}/events", who="layla")).status_code == 200
    assert (await api.get(f"/v1/requests/{request_id}/documents/1", who="layla")).status_code == 403


async def test_a_timeline_is_told_oldest_first_with_words_for_its_codes(api: Api) -> None:
    happened = [
        ("accepted", "accepted", {}),
        ("parked", "parked", {"code": "mapping_failed", "connector": "transport"}),
    ]
    request_id = await api.services.store.write(lambda conn: put_request(conn, "web", "parked", events_=happened))
    told = (await api.get(f"/v1/requests/{request_id}/events")).json()["items"]
    assert [event["kind"] for event in told] == ["accepted", "parked"]
    assert told[1]["facts"] == {"code": "mapping_failed", "connector": "transport"}
    assert told[1]["reason"]["clerk"]["en"]
    assert told[0]["at"].endswith("Z")


async def test_a_document_comes_with_its_digest_and_cannot_run_in_a_browser(api: Api) -> None:
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(put_document, request_id, 'صورة "1".pdf')
    answer = await api.get(f"/v1/requests/{request_id}/documents/1")
    digest = hashlib.sha256(PDF)
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"1_.pdf\"; filename*=UTF-8''%D8%B5")
    again = await api.get(f"/v1/requests/{request_id}/documents/1", If_None_Match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a\r\nSet-Cookie: x=1.pdf", "application/pdf"),
        ("../../etc/passwd", "text/html\r\nX: y"),
        ("\u202efdp.exe", "TEXT/HTML"),
    ],
)
async def test_a_documents_name_and_kind_cannot_write_headers(api: Api, name: str, media_type: str) -> None:
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(lambda conn: put_document(conn, request_id, name, media_type=media_type))
    answer = await api.get(f"/v1/requests/{request_id}/documents/1")
    assert answer.status_code == 200
    assert set(answer.headers) & {"set-cookie", "x"} == set()
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    for unsafe in ("/", "\\", "%0A", "%2F", "%E2%80%AE"):
        assert unsafe not in answer.headers["content-disposition"].partition("filename=")[2]


async def test_bytes_that_are_not_those_that_were_stored_are_not_given_out(api: Api) -> None:
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(lambda conn: put_document(conn, request_id, "a.pdf", spoilt=True))
    answer = await api.get(f"/v1/requests/{request_id}/documents/1")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "1.0", "١", "9999999"])
async def test_a_document_that_is_not_there_is_absent(api: Api, number: str) -> None:
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(put_document, request_id, "a.pdf")
    assert (await api.get(f"/v1/requests/{request_id}/documents/{number}")).status_code == 404


async def test_pages_lead_through_all_requests_once_newest_first(api: Api) -> None:
    made = [await api.services.store.write(put_request, "web") for _ in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = (await api.get(f"/v1/requests?limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]
    assert page["next_cursor"] is None


async def test_a_list_is_narrowed_by_state_reference_and_time(api: Api) -> None:
    store = api.services.store
    early = await store.write(lambda conn: put_request(conn, "web", "parked", created_at=1_000))
    late = await store.write(lambda conn: put_request(conn, "web", "completed", reference="طلب/1"))
    for query, expected in (
        ("state=parked", [early]),
        ("state=parked,completed", [late, early]),
        ("state=parked&state=completed", [late, early]),
        ("reference=%D8%B7%D9%84%D8%A8/1", [late]),
        ("created_to=2000-01-01T00:00:00Z", [early]),
        ("created_from=2000-01-01T00:00:00%2B03:00", [late]),
        ("created_from=1970-01-01T00:00:01Z&created_to=1970-01-01T00:00:02Z", [early]),
        ("created_from=1970-01-01T00:00:02Z&created_to=1970-01-01T00:00:03Z", []),
    ):
        answer = await api.get(f"/v1/requests?{query}")
        assert [item["id"] for item in answer.json()["items"]] == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "state=done", "limit=0", "limit=201", "limit=x", "limit=%D9%A5", "cursor=!!", "cursor=YQ", "created_from=yesterday",
        "created_from=2026-01-01", "created_to=2026-13-01T00:00:00Z", "reference=", "reference=%00", "service=%0a", "limit=1&limit=2",
        "reference=%ff", "a=1&" * 60, "created_from=99999-01-01T00:00:00Z",
    ],
)  # fmt: skip
async def test_a_query_that_is_not_understood_is_refused_and_not_ignored(api: Api, query: str) -> None:
    answer = await api.get(f"/v1/requests?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query")


async def test_operators_see_all_channels_oldest_first_with_how_long_each_stands(api: Api) -> None:
    store = api.services.store
    first = await store.write(lambda conn: put_request(conn, "web", "parked", reason="mapping_failed"))
    second = await store.write(lambda conn: put_request(conn, "other", "in_doubt"))
    await store.write(lambda conn: put_request(conn, "other", "completed"))
    page = (await api.get("/v1/admin/requests?state=in_doubt&state=parked&limit=1", who="layla")).json()
    assert [item["id"] for item in page["items"]] == [first]
    assert page["items"][0]["channel"] == "web"
    assert page["items"][0]["state_since"]
    rest = (await api.get(f"/v1/admin/requests?state=in_doubt,parked&cursor={page['next_cursor']}", who="layla")).json()
    assert [item["id"] for item in rest["items"]] == [second]
    mine = (await api.get("/v1/admin/requests?channel=web", who="layla")).json()
    assert [item["id"] for item in mine["items"]] == [first]


@pytest.mark.parametrize("who", ["web", "school"])
async def test_only_operators_see_all_channels(api: Api, who: str) -> None:
    assert (await api.get("/v1/admin/requests", who=who)).status_code == 403


async def test_a_request_can_be_cancelled_before_anything_was_sent(api: Api) -> None:
    made = (await api.submit()).json()["id"]
    headers = api.headers()
    first = await api.client.post(f"/v1/requests/{made}/cancel", headers=headers)
    if first.status_code == 409:  # its exchange is under way
        assert first.json()["code"] == "cannot_cancel"
        return
    second = await api.client.post(f"/v1/requests/{made}/cancel", headers=headers)
    assert (first.status_code, first.json()["state"], second.json()["state"]) == (200, "cancelled", "cancelled")


async def test_services_are_told_in_both_languages_with_their_schema_and_fee(api: Api) -> None:
    listed = (await api.get("/v1/services")).json()["items"]
    one = next(item for item in listed if item["id"] == "education.secondary-certificate-copy")
    assert one["name"]["ar"].startswith("صورة مصدقة")
    assert one["fee"]["amount"]["value"] == "25.00"
    assert one["schema"]["properties"]["governorate"]["enum"]
    assert one["labels"]["governorate"]["values"]["homs"] == {"ar": "حمص", "en": "Homs"}
    assert (await api.get("/v1/services/education.secondary-certificate-copy")).json() == one
    narrow = (await api.get("/v1/services", who="narrow")).json()["items"]
    assert [item["id"] for item in narrow] == ["transport.vehicle-statement"]


async def test_availability_is_one_sentence_in_both_languages(api: Api) -> None:
    told = (await api.get("/v1/services/transport.vehicle-statement/availability")).json()
    assert told["state"] == "unreachable"
    assert told["text"]["ar"]
    assert told["text"]["en"]
    missing = await api.get("/v1/services/no.such/availability")
    assert (missing.status_code, missing.json()["code"]) == (404, "service_unknown")
