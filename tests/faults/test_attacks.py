"""A8, A9, A10, A12, A15, A20, A21: what others may not see, bodies that lie, keys in the database."""

import contextlib
import json
import re
import socket
from hashlib import sha256
from pathlib import Path

import pytest

from jisr import admin
from tests.faults.looking import payment_of, rows, stem_of, until_asked
from tests.gateways import APPLICANT, CERTIFICATE, VEHICLE, until


def unique(request):
    digest = sha256(request.node.name.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return re.sub("[^a-z0-9-]", "-", request.node.name.lower())[:40].strip("-") + digest


def post(gateway, content, key, *, headers=None):
    with gateway.client() as http:
        more = {"Content-Type": "application/json", "Idempotency-Key": key} | (headers or {})
        return http.post("/v1/requests", content=content, headers=more)


def stored(gateway):
    return rows(gateway, "SELECT count(*) FROM requests")


def refused(gateway, content, key, *statuses):
    """Refused, as a problem, and nothing was stored."""
    before = stored(gateway)
    answer = post(gateway, content, key)
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert stored(gateway) == before
    return answer.json()


def test_a8_another_channels_request_does_not_exist(standing, sandbox, request):
    name = unique(request)
    mine = until_asked(standing, name, CERTIFICATE | {"reference": name})
    done = standing.submit(VEHICLE | {"reference": name}, f"{name}-done", wait=20).json()
    key = standing.add("channel", name)
    missing = "0190a000-0000-7000-8000-000000000000"
    with standing.client(key) as http:
        for path in ("{}", "{}/events", "{}/stream", "{}/documents/1"):
            answers = [http.get(f"/v1/requests/{path.format(one)}") for one in (mine["id"], done["id"], missing)]
            assert [answer.status_code for answer in answers] == [404] * 3
            bodies = [{**answer.json(), "correlation": ""} for answer in answers]
            assert bodies[0] == bodies[1] == bodies[2], "theirs looks like nobody's"
        for path, body in ((f"actions/{mine['next_action']['id']}", {"resend": True}), ("cancel", None)):
            for one in (mine["id"], missing):
                answer = http.post(
                    f"/v1/requests/{one}/{path}", json=body, headers={"Idempotency-Key": f"{name}-{path}"}
                )
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        for query in ({}, {"reference": name}, {"state": "completed"}, {"service": "transport.vehicle-statement"}):
            assert http.get("/v1/requests", params=query).json()["items"] == []
        assert http.get("/v1/admin/requests").status_code == 403
    assert standing.get(mine["id"]) == mine, "nothing moved"
    assert sandbox("syriatel_cash").calls("resend") == 0


def test_a8_a_document_is_only_for_the_channel_that_asked(standing, request):
    name = unique(request)
    done = standing.submit(VEHICLE, name, wait=20).json()
    operator = standing.add("operator", name, roles=["support"])
    with standing.client(operator) as http:
        assert http.get(f"/v1/requests/{done['id']}").status_code == 200
        assert http.get(done["documents"][0]["href"]).status_code == 403, "an operator sees states, not documents"
        assert http.post(f"/v1/requests/{done['id']}/cancel").status_code == 403


UNASKED = ("status", "state", "amount_paid", "approved_by", "id", "channel_id", "next_action", "documents", "priority")


@pytest.mark.parametrize("place", ["", "applicant", "payment", "input"])
def test_a9_fields_that_nobody_asked_for_are_refused_one_by_one(standing, request, place):
    body = json.loads(json.dumps(CERTIFICATE))
    (body[place] if place else body).update(dict.fromkeys(UNASKED, "completed"))
    problem = refused(standing, json.dumps(body), unique(request), 422)
    assert problem["code"] == "invalid_request"
    pointers = {error["pointer"] for error in problem["errors"] if error["code"] == "unknown_field"}
    assert pointers == {f"{'/' if place else ''}{place}/{field}" for field in UNASKED}


def test_a9_an_action_takes_nothing_but_its_answer(standing, sandbox, request):
    asked = until_asked(standing, unique(request))
    otp = sandbox("syriatel_cash").otp(payment_of(asked))
    for more in ({"amount": "0"}, {"state": "completed"}, {"resend": True}):
        answer = standing.act(asked, {"otp": otp, **more}, f"{unique(request)}-{next(iter(more))}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert sandbox("syriatel_cash").calls("confirm") == 0


#: The fee is 25.00 SYP of the new denomination. Each text stands for `value` as it is written in the body.
AMOUNTS = [
    pytest.param('"25.00"', True, id="exact"),
    pytest.param('"25"', True, id="exact_whole"),
    pytest.param('"٢٥٫٠٠"', None, id="arabic_separator"),
    pytest.param('"٢٥.٠٠"', True, id="arabic_digits"),
    pytest.param('"۲۵"', True, id="persian_digits"),
    pytest.param('"0"', False, id="zero"),
    pytest.param('"-1"', False, id="negative"),
    pytest.param('"-25.00"', False, id="negative_fee"),
    pytest.param('"1e3"', False, id="exponent"),
    pytest.param('"2.5e1"', False, id="exponent_of_the_fee"),
    pytest.param('"24.999999999999999999999"', False, id="nearly"),
    pytest.param('"25.000"', False, id="three_decimals"),
    pytest.param('"25.001"', False, id="three_decimals_more"),
    pytest.param('"NaN"', False, id="nan_text"),
    pytest.param('"Infinity"', False, id="infinity_text"),
    pytest.param('"1000000000000000000000000000000"', False, id="ten_to_30"),
    pytest.param('"25,00"', False, id="comma"),
    pytest.param('" 25.00 "', False, id="spaces"),
    pytest.param('"+25.00"', False, id="plus"),
    pytest.param('"0x19"', False, id="hexadecimal"),
    pytest.param('""', False, id="empty"),
    pytest.param("25", False, id="number"),
    pytest.param("25.0", False, id="float"),
    pytest.param("0.1", False, id="tenth"),
    pytest.param("NaN", False, id="nan"),
    pytest.param("Infinity", False, id="infinity"),
    pytest.param("1e400", False, id="huge_float"),
    pytest.param("null", False, id="null"),
    pytest.param('"25.00", "value": "1.00"', False, id="duplicate_key"),
]


@pytest.mark.parametrize(("value", "good"), AMOUNTS)
def test_a10_an_amount_is_exact_or_refused(standing, request, value, good):
    payment = '{"method": "syriatel_cash", "payer": {"mobile": "0930000001"}, "amount": %s}'
    amount = f'{{"value": {value}, "currency": "SYP", "denomination": "SYP-new"}}'
    whole = json.dumps(CERTIFICATE | {"payment": "HERE"}).replace('"HERE"', payment % amount)
    if good is None:
        answer = post(standing, whole, unique(request))
        assert answer.status_code in (202, 422)
        return
    if good:
        answer = post(standing, whole, unique(request))
        assert answer.status_code == 202, answer.text
        assert answer.json()["payment"]["amount"] == {"value": "25.00", "currency": "SYP", "denomination": "SYP-new"}
    else:
        refused(standing, whole, unique(request), 400, 422)


@pytest.mark.parametrize(
    ("currency", "denomination"), [("USD", "SYP-new"), ("SYP", "SYP-old"), ("syp", "SYP-new"), ("SYP", ""), ("", "")]
)
def test_a10_another_currency_or_denomination_is_refused(standing, request, currency, denomination):
    amount = {"value": "25.00", "currency": currency, "denomination": denomination}
    body = CERTIFICATE | {"payment": CERTIFICATE["payment"] | {"amount": amount}}
    problem = refused(standing, json.dumps(body), unique(request), 422)
    assert all(error["pointer"].startswith("/payment/amount/") for error in problem["errors"])


def test_a12_the_database_holds_no_usable_key(standing, request):
    key = standing.add("channel", unique(request))
    secret = key[-43:]
    with standing.client(key) as http:
        assert http.get("/v1/requests").status_code == 200
    held = rows(standing, "SELECT id, kind, name, key_hash, roles, services FROM principals")
    text = repr([[bytes(value) if isinstance(value, bytes | memoryview) else value for value in row] for row in held])
    assert secret not in text
    for row in held:
        digest = bytes(row[3])
        for form in (digest.hex(), repr(digest)):
            with standing.client(f"jisr_channel_{row[0]}_{form[:43].strip()}") as http:
                assert http.get("/v1/requests").status_code == 401, "a hash opens nothing"
    if standing.database_url.startswith("sqlite"):
        path = standing.database_url.removeprefix("sqlite:///")
        for name in (path, f"{path}-wal"):
            assert secret.encode() not in Path(name).read_bytes()


def test_a12_a_revoked_key_is_refused_within_a_minute(standing, request):
    name = unique(request)
    key = standing.add("channel", name)
    with standing.client(key) as http:
        assert http.get("/v1/requests").status_code == 200
        admin.call(standing.settings(), "channel.revoke", name=name)
        until(lambda: http.get("/v1/requests").status_code == 401, "a refused key", seconds=60)
        assert http.post("/v1/requests", json=VEHICLE, headers={"Idempotency-Key": name}).status_code == 401


def with_name(text):
    return VEHICLE | {"applicant": APPLICANT | {"name": APPLICANT["name"] | {"given": text}}}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ud800قندمى", id="lone_surrogate"),
        pytest.param("قندمى\udfff", id="low_surrogate"),
        pytest.param("قند\x00مى", id="nul"),
        pytest.param("قند\x1bمى", id="escape"),
        pytest.param("قند\nمى", id="line_feed"),
        pytest.param("قند\x85مى", id="c1"),
        pytest.param("قند\u202eمى", id="rtl_override"),
        pytest.param("قند\u2066مى", id="isolate"),
        pytest.param("قند\u2028مى", id="line_separator"),
        pytest.param("س" * 1_000_000, id="one_megabyte"),
        pytest.param("س" * 5000, id="five_thousand"),
        pytest.param("123", id="no_letter"),
        pytest.param("", id="empty"),
    ],
)
def test_a20_a_name_that_cannot_be_one_is_refused_and_never_a_500(standing, request, text):
    body = json.dumps(with_name(text))
    problem = refused(standing, body, unique(request), 413 if len(body) > 262_144 else 422)
    if "errors" in problem:
        assert [error["pointer"] for error in problem["errors"]] == ["/applicant/name/given"]
    assert "قند" not in json.dumps(problem, ensure_ascii=False), "a problem does not quote the person"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe{}",
        b'{"service": "\xed\xa0\x80"}',
        b'{"service": "a\xc3"}',
        b"\xef\xbb\xbf{}",
        b"",
        b"nul",
        b"[1,]",
        b"{}{}",
    ],
)
def test_a20_a_body_that_is_no_json_is_a_400(standing, request, raw):
    refused(standing, raw, unique(request), 400, 422)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ا\u0653منة", id="nfd"),
        pytest.param("علي", id="yeh"),
        pytest.param("علی", id="persian_yeh"),
        pytest.param("كريم", id="kaf"),
        pytest.param("کریم", id="persian_kaf"),
        pytest.param("O\u2019Brien لميس", id="mixed"),
    ],
)
def test_a20_a_name_in_any_spelling_reaches_the_institution(standing, sandbox, request, text):
    done = standing.submit(with_name(text), unique(request), wait=20)
    assert done.status_code == 201, done.text
    assert sandbox("transport").count(f"{stem_of(done.json())}-0") == 1


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"[" * 100_000, "json_too_deep", id="deep_list"),
        pytest.param(b'{"a":' * 40_000 + b"1" + b"}" * 40_000, "json_too_deep", id="deep_object"),
        pytest.param(b'{"service": ' + b"9" * 5000 + b"}", "json_number_too_long", id="long_integer"),
        pytest.param(b'{"service": 1e' + b"9" * 5000 + b"}", "json_number_too_long", id="long_exponent"),
        pytest.param(b'{"service": 0.' + b"9" * 5000 + b"}", "json_number_too_long", id="long_fraction"),
        pytest.param(b'{"service": -' + b"9" * 5000 + b"}", "json_number_too_long", id="long_negative"),
    ],
)
def test_a21_deep_or_endless_json_is_a_400(standing, sandbox, request, raw, code):
    problem = refused(standing, raw, unique(request), 400, 422)
    assert problem["code"] in (code, "malformed_json", "number_not_finite", "invalid_request")
    asked = until_asked(standing, f"{unique(request)}-action")
    with standing.client() as http:
        path = f"/v1/requests/{asked['id']}/actions/{asked['next_action']['id']}"
        headers = {"Idempotency-Key": f"{unique(request)}-otp", "Content-Type": "application/json"}
        answer = http.post(path, content=raw, headers=headers)
    assert answer.status_code in (400, 422)
    assert sandbox("syriatel_cash").calls("confirm") == 0


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"/>',
    ],
)
def test_a1_xml_to_the_json_api_is_refused(standing, request, xml):
    before = stored(standing)
    for kind, status in (("application/xml", 415), ("text/xml", 415), ("application/json", 400)):
        answer = post(standing, xml, unique(request), headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text
    assert stored(standing) == before


def test_a15_bare_line_feeds_in_a_chunked_body_hide_no_second_call(standing, request):
    """The server takes a bare LF for a line's end in headers (RFC 9112, 2.2 lets it), never in the frames of a body."""
    before = stored(standing)
    head = (
        f"POST /v1/requests HTTP/1.1\nHost: x\nAuthorization: Bearer {standing.key}\nContent-Type: application/json\n"
        f"Idempotency-Key: {unique(request)}\nTransfer-Encoding: chunked\n\n"
    )
    hidden = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", standing.port), timeout=30) as line:
        line.sendall((head + "2\n{}\n0\n\n" + hidden).encode())
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65536):
                said += part
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1, "what stood behind the body was not read as a call"
    assert stored(standing) == before
