"""REST connectors that are only data: rendering, tokens, keys, and answers read strictly."""

import asyncio
import base64
import json

import pytest

from connectors.kit.contract import Ports, Status
from connectors.kit.errors import (
    ConnectionLost,
    ConnectorError,
    Faulted,
    MappingFailed,
    NotSent,
    ServerFailed,
    Throttled,
    TokenUnavailable,
    Unreadable,
)
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.packages import ANSWER, MANIFEST, NOW, PDF, call, office, write_package
from tests.unit.connectors.raw_server import RawServer, resets, says, wire

JSON = "Content-Type: application/json"
ACT = """
[operations.act]
wire = "POST /acts/{id}"
role = "submit"
effect = "idempotent"
[operations.look]
wire = "GET /acts/{id}"
role = "check"
effect = "safe"
"""
ACT_MAPPING = """
request:
  path: {id: operation_id}
  headers: {Idempotency-Key: operation_id}
  body: {name: applicant.name.given, year: input.year, nothing: input.nothing}
"""
LOOK_MAPPING = "request:\n  path: {id: input.exam_number}\n  query: {who: applicant.name.given, exact: true}\n"
MAPPINGS = {"act": ACT_MAPPING + ANSWER, "look": LOOK_MAPPING + ANSWER}


def answer(status="done", code="200 OK", **fields):
    return wire(code, json.dumps({"status": status, **fields}, ensure_ascii=False).encode(), JSON)


async def _send(
    tmp_path, scripts, operation="act", *, manifest=MANIFEST + ACT, mappings=MAPPINGS, settings=None, **changes
):
    """The outcome (or the error) and what the server received."""
    folder = write_package(tmp_path, manifest=manifest, mappings=mappings)
    async with RawServer(scripts) as server:
        connector = office(folder, base_url=server.url, **(settings or {}))
        try:
            return await connector.send(connector.prepare(operation, call(**changes))), server.received
        except ConnectorError as error:
            return error, server.received
        finally:
            await connector.close()


async def test_a_request_is_rendered_and_its_answer_read(tmp_path):
    outcome, received = await _send(tmp_path, [says(answer("done", number="N-1", message="تم", n=3))])
    assert (outcome.status, outcome.reference, outcome.message, outcome.data) == (
        Status.SUCCEEDED,
        "N-1",
        "تم",
        {"n": 3},
    )
    (request,) = received
    assert request.line == "POST /acts/op-1 HTTP/1.1"
    assert json.loads(request.body) == {"name": "سمر", "year": 2015}
    assert (request.header("Idempotency-Key"), request.header("Content-Type")) == ("op-1", "application/json")
    assert outcome.exchange.request == request.body


async def test_a_get_has_its_query_and_no_body(tmp_path):
    outcome, received = await _send(tmp_path, [says(answer())], "look")
    assert received[0].line == "GET /acts/123?who=%D8%B3%D9%85%D8%B1&exact=true HTTP/1.1"
    assert received[0].body == b""
    assert outcome.exchange.request.startswith(b"GET /acts/123?who=")


@pytest.mark.parametrize("number", ["..", ".", "", {"a": 1}])
async def test_a_path_is_never_left(tmp_path, number):
    document = {**call().document, "input": {"exam_number": number}}
    error, received = await _send(tmp_path, [says(answer())], "look", document=document)
    assert isinstance(error, MappingFailed)
    assert received == []


async def test_what_stands_in_a_path_is_quoted(tmp_path):
    document = {**call().document, "input": {"exam_number": "../a?b=c#d/é"}}
    _, received = await _send(tmp_path, [says(answer())], "look", document=document)
    assert received[0].line.startswith("GET /acts/..%2Fa%3Fb%3Dc%23d%2F%C3%A9?who=")


@pytest.mark.parametrize("operation_id", ["a\r\nX-Injected: 1", "ن", "a\0", " a"])
async def test_a_header_with_control_characters_is_never_sent(tmp_path, operation_id):
    error, received = await _send(tmp_path, [says(answer())], operation_id=operation_id)
    assert isinstance(error, MappingFailed)
    assert received == []


@pytest.mark.parametrize(
    ("said", "code", "status", "canonical"),
    [("done", "201 Created", Status.SUCCEEDED, ""), ("no", "200 OK", Status.REFUSED, "not_possible"), ("no", "404 Not Found", Status.REFUSED, "not_possible"), ("no", "500 Error", Status.REFUSED, "not_possible"),
     ("waits", "202 Accepted", Status.PENDING, ""), ("new", "200 OK", Status.IN_DOUBT, "unlisted_code"), ("new", "400 Bad", Status.IN_DOUBT, "unlisted_code")],
)  # fmt: skip
async def test_a_listed_code_decides_and_an_unlisted_one_is_in_doubt(tmp_path, said, code, status, canonical):
    outcome, _ = await _send(tmp_path, [says(answer(said, code))])
    assert (outcome.status, outcome.code, outcome.institution_code) == (status, canonical, said)


@pytest.mark.parametrize(
    ("said", "code", "operation", "kind"),
    [
        ("broken", "200 OK", "act", Faulted),
        ("busy", "200 OK", "act", Throttled),
        ("new", "500 Error", "act", Faulted),
        ("new", "200 OK", "look", Faulted),
    ],
)
async def test_a_technical_code_is_an_error(tmp_path, said, code, operation, kind):
    error, _ = await _send(tmp_path, [says(answer(said, code))], operation)
    assert type(error) is kind
    assert error.exchange is not None


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>busy</html>", b'{"status":"done"', b'{"status":"done"}x', b'{"status":"done","status":"no"}', b'{"status":"done","n":NaN}', b'{"status":"done","n":Infinity}', b'["done"]', b'"done"', b"null",
     b'\xef\xbb\xbf{"status":"done"}', '{"status":"done","m":"ن"}'.encode("cp1256"), b'{"status":"done","m":"\\ud800"}', b'{"status":"done","n":' + b"1" * 5000 + b"}", b'{"status":"done","n":' + b"[" * 100_000,
     b"{}", b'{"status":null}', b'{"status":true}', b'{"status":{"a":1}}', b'{"status":""}'],
)  # fmt: skip
async def test_n6_an_answer_that_is_not_strict_json_with_a_code_is_unreadable(tmp_path, raw):
    error, _ = await _send(tmp_path, [says(wire("200 OK", raw, JSON))])
    assert type(error) is Unreadable
    assert error.exchange is not None
    assert error.exchange.response == raw


@pytest.mark.parametrize(
    "content_type",
    [
        "Content-Type: text/html",
        "Content-Type: application/json; charset=windows-1256",
        "X: y",
        "Content-Type: text/plain",
    ],
)
async def test_n6_another_content_type_is_unreadable(tmp_path, content_type):
    error, _ = await _send(tmp_path, [says(wire("200 OK", b'{"status":"done"}', content_type))])
    assert type(error) is Unreadable


@pytest.mark.parametrize(
    ("code", "kind"), [("503 Down", ServerFailed), ("502 Bad", ServerFailed), ("404 Not Found", Unreadable)]
)
async def test_n7_an_error_page_is_told_from_an_answer(tmp_path, code, kind):
    error, _ = await _send(tmp_path, [says(wire(code, b"<html>", "Content-Type: text/html"))])
    assert type(error) is kind


async def test_n5_an_answer_cut_at_every_offset_never_succeeds(tmp_path):
    body = json.dumps({"status": "done", "number": "N-1"}).encode()
    whole = wire("200 OK", body, JSON)
    cuts = [says(whole[:n], then_close=True) for n in range(len(whole))]
    cuts += [says(wire("200 OK", body[:n], JSON, length=False), then_close=True) for n in range(len(body))]
    folder = write_package(tmp_path, manifest=MANIFEST + ACT, mappings=MAPPINGS)
    async with RawServer([*cuts, says(whole)]) as server:
        connector = office(folder, base_url=server.url)
        for _ in cuts:
            with pytest.raises((ConnectionLost, Unreadable)):
                await connector.send(connector.prepare("act", call()))
        assert (await connector.send(connector.prepare("act", call()))).status is Status.SUCCEEDED
        await connector.close()


def test_a_path_that_the_mapping_does_not_fill_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"office/mapping/act\.yaml: request\.path"):
        office(
            write_package(tmp_path, manifest=MANIFEST + ACT, mappings={**MAPPINGS, "act": ANSWER}),
            base_url="http://127.0.0.1",
        )


async def test_an_api_key_stands_in_its_header(tmp_path):
    manifest = (
        MANIFEST
        + '[settings.api_key]\ntype="text"\nsecret=true\n[authentication]\nkind="api_key"\nheader="X-Key"\n'
        + ACT
    )
    _, received = await _send(tmp_path, [says(answer())], manifest=manifest, settings={"api_key": "invented"})
    assert received[0].header("X-Key") == "invented"


OAUTH = (
    MANIFEST
    + '[settings.client_id]\ntype="text"\n[settings.client_secret]\ntype="text"\nsecret=true\n[authentication]\nkind="oauth2_client_credentials"\ntoken_path="/token"\nscope="acts"\n'
    + ACT
)
CLIENT = {"client_id": "jisr:1", "client_secret": "an invented secret"}


def token(value, **fields):
    return wire(
        "200 OK",
        json.dumps({"access_token": value, "token_type": "Bearer", "expires_in": 3600, **fields}).encode(),
        JSON,
    )


async def test_oauth2_fetches_one_token_and_sends_it(tmp_path):
    outcome, received = await _send(tmp_path, [says(token("t1")), says(answer())], manifest=OAUTH, settings=CLIENT)
    assert outcome.status is Status.SUCCEEDED
    fetch, act = received
    assert (fetch.line, fetch.body) == ("POST /token HTTP/1.1", b"grant_type=client_credentials&scope=acts")
    assert base64.b64decode(fetch.header("Authorization").removeprefix("Basic ")) == b"jisr%3A1:an%20invented%20secret"
    assert act.header("Authorization") == "Bearer t1"


async def test_a_401_has_the_token_refetched_once_and_the_call_repeated_once(tmp_path):
    unauthorised = wire("401 Unauthorized", b"", "WWW-Authenticate: Bearer")
    outcome, received = await _send(
        tmp_path,
        [says(token("t1")), says(unauthorised), says(token("t2")), says(answer())],
        manifest=OAUTH,
        settings=CLIENT,
    )
    assert outcome.status is Status.SUCCEEDED
    assert [request.line.split()[1] for request in received] == ["/token", "/acts/op-1", "/token", "/acts/op-1"]
    assert received[-1].header("Authorization") == "Bearer t2"


async def test_a_fresh_token_that_is_refused_too_ends_as_token_unavailable(tmp_path):
    unauthorised = says(wire("401 Unauthorized", b""))
    error, received = await _send(
        tmp_path,
        [says(token("t1")), unauthorised, says(token("t2")), unauthorised, says(answer())],
        manifest=OAUTH,
        settings=CLIENT,
    )
    assert isinstance(error, TokenUnavailable)
    assert not error.maybe_delivered
    assert len(received) == 4


@pytest.mark.parametrize(
    "script",
    [
        says(wire("500 Error", b"")),
        says(wire("401 Unauthorized", b"{}", JSON)),
        resets(),
        says(token("")),
        says(token("a\r\nb")),
        says(token(None)),
        says(token("t", token_type="mac")),
        says(token("t", expires_in="soon")),
        says(wire("200 OK", b"<html>")),
    ],
)
async def test_a_token_that_cannot_be_fetched_means_that_nothing_was_sent(tmp_path, script):
    error, received = await _send(tmp_path, [script], manifest=OAUTH, settings=CLIENT)
    assert isinstance(error, TokenUnavailable)
    assert isinstance(error, NotSent)
    assert [request.line for request in received] == ["POST /token HTTP/1.1"]
    assert "an invented secret" not in str(error)


async def test_one_of_many_calls_fetches_the_token(tmp_path):
    folder = write_package(tmp_path, manifest=OAUTH, mappings=MAPPINGS)
    async with RawServer([says(token("t1")), says(answer())]) as server:
        settings = {"base_url": server.url, **CLIENT}
        cache = LocalTokens(lambda: NOW)
        workers = [
            open_connector(find_packages([folder])["office"], Ports(settings, cache, lambda: NOW)) for _ in range(3)
        ]
        await asyncio.gather(*(worker.send(worker.prepare("act", call())) for worker in workers for _ in range(5)))
        for worker in workers:
            await worker.close()
    assert [request.line.split()[1] for request in server.received].count("/token") == 1


WALLET = (
    MANIFEST
    + """
[settings.password]
type = "text"
secret = true
[authentication]
kind = "token_operation"
operation = "token"
[operations.token]
wire = "POST /getToken"
role = "token"
effect = "safe"
[operations.confirm]
wire = "POST /confirm"
role = "confirm"
effect = "none"
secrets = ["otp"]
"""
)
WALLET_MAPPINGS = {
    "token": "request:\n  body: {password: settings.password}\nanswer: {code: answer.status, token: answer.token}\n",
    "confirm": "request:\n  body: {otp: secrets.otp, id: subject_operation_id, token: token}\n" + ANSWER,
}
PAY = {
    "manifest": WALLET,
    "mappings": WALLET_MAPPINGS,
    "settings": {"password": "invented"},
    "operation": "confirm",
    "secrets": {"otp": "4711"},
}


async def test_a_token_in_the_body_is_fetched_by_its_operation(tmp_path):
    outcome, received = await _send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY)
    assert outcome.status is Status.SUCCEEDED
    assert json.loads(received[0].body) == {"password": "invented"}
    assert json.loads(received[1].body) == {"otp": "4711", "id": "op-1", "token": "t1"}


async def test_secrets_are_masked_in_what_is_kept_and_hashed(tmp_path):
    outcome, _ = await _send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY)
    assert json.loads(outcome.exchange.request) == {"otp": "***", "id": "op-1", "token": "***"}
    connector = office(tmp_path / "office", base_url="http://127.0.0.1:1", password="x")
    first, second = (connector.prepare("confirm", call(secrets={"otp": otp})) for otp in ("4711", "0815"))
    assert first.payload_hash == second.payload_hash
    assert (
        first.payload_hash
        != connector.prepare("confirm", call(document={**call().document, "subject_operation_id": "op-9"})).payload_hash
    )


async def test_a_call_that_lacks_its_secret_is_never_sent(tmp_path):
    error, received = await _send(tmp_path, [says(answer(token="t1"))], **{**PAY, "secrets": {}})
    assert isinstance(error, MappingFailed)
    assert "/confirm" not in [request.line.split()[1] for request in received]


async def test_a_rejected_token_is_refetched_once_and_the_call_repeated_once(tmp_path):
    outcome, received = await _send(
        tmp_path, [says(answer(token="t1")), says(answer("stale")), says(answer(token="t2")), says(answer())], **PAY
    )
    assert outcome.status is Status.SUCCEEDED
    assert [json.loads(request.body).get("token") for request in received] == [None, "t1", None, "t2"]


@pytest.mark.parametrize(
    "script",
    [
        says(answer("broken")),
        says(answer("no")),
        says(answer(token=None)),
        says(answer("unheard of", token="t")),
        resets(),
    ],
)
async def test_a_token_operation_that_fails_means_that_nothing_was_sent(tmp_path, script):
    error, received = await _send(tmp_path, [script], **PAY)
    assert isinstance(error, TokenUnavailable)
    assert [request.line.split()[1] for request in received] == ["/getToken"]


async def test_the_send_gate_guards_the_act_and_not_its_token(tmp_path):
    def closed():
        raise NotSent("the send window has passed")

    error, received = await _send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY, send_gate=closed)
    assert type(error) is NotSent
    assert [request.line.split()[1] for request in received] == ["/getToken"]


async def test_the_send_gate_does_not_stop_an_oauth2_token(tmp_path):
    def closed():
        raise NotSent("the send window has passed")

    error, received = await _send(
        tmp_path, [says(token("t1")), says(answer())], manifest=OAUTH, settings=CLIENT, send_gate=closed
    )
    assert type(error) is NotSent
    assert [request.line.split()[1] for request in received] == ["/token"]


async def test_an_act_that_nobody_can_ask_about_never_takes_a_kept_connection(tmp_path):
    folder = write_package(tmp_path, manifest=WALLET, mappings=WALLET_MAPPINGS)
    async with RawServer([says(answer(token="t1")), says(answer())]) as server:
        connector = office(folder, base_url=server.url, password="invented")
        for _ in range(3):
            await connector.send(connector.prepare("confirm", call(secrets={"otp": "4711"})))
        await connector.close()
    assert len({request.connection for request in server.received}) == len(server.received) == 4


def test_a_token_operation_is_not_offered_to_the_gateway(tmp_path):
    connector = office(
        write_package(tmp_path, manifest=WALLET, mappings=WALLET_MAPPINGS), base_url="http://127.0.0.1:1", password="x"
    )
    assert set(connector.operations) == {"confirm"}


async def test_the_callers_smaller_deadline_counts_for_token_and_act_together(tmp_path):
    begun = asyncio.get_running_loop().time()
    error, received = await _send(tmp_path, [says(answer(token="t1")), says(b"")], **PAY, deadline_seconds=0.3)
    assert error.code == "upstream_timeout"
    assert len(received) == 2
    assert asyncio.get_running_loop().time() - begun < 10  # the operation's own deadline is 30 seconds


async def test_a_secret_setting_in_a_body_is_sent_and_never_kept(tmp_path):
    manifest = MANIFEST + '[settings.password]\ntype="text"\nsecret=true\n[settings.user]\ntype="text"\n' + ACT
    mapping = "request:\n  path: {id: operation_id}\n  body: {user: settings.user, password: settings.password}\n"
    mappings = {"act": mapping + ANSWER, "look": LOOK_MAPPING + ANSWER}
    settings = {"user": "jisr", "password": "invented"}
    outcome, received = await _send(tmp_path, [says(answer())], manifest=manifest, mappings=mappings, settings=settings)
    assert json.loads(received[0].body) == {"user": "jisr", "password": "invented"}
    assert json.loads(outcome.exchange.request) == {"user": "jisr", "password": "***"}


DOCUMENTS = "answer: {code: answer.status, documents: [{$when: answer.pdf, name: answer.name, media_type: \"'application/pdf'\", content: answer.pdf}], document_required: [succeeded]}\n"


@pytest.mark.parametrize(
    ("pdf", "kind"),
    [
        (base64.b64encode(PDF).decode(), None),
        (base64.b64encode(PDF[:-1]).decode(), Unreadable),
        ("%PDF-%%EOF", Unreadable),
        (base64.b64encode(b"GIF89a").decode(), Unreadable),
        (None, Unreadable),
        (7, Unreadable),
    ],
)
async def test_a_document_is_whole_or_the_answer_is_unreadable(tmp_path, pdf, kind):
    said = answer("done", pdf=pdf, name="../../etc/pass\u202ewd\n.pdf")
    result, _ = await _send(
        tmp_path, [says(said)], mappings={"act": ACT_MAPPING + DOCUMENTS, "look": LOOK_MAPPING + ANSWER}
    )
    if kind is None:
        (document,) = result.documents
        assert (document.content, document.name) == (PDF, "_.._etc_pass_wd_.pdf")
    else:
        assert type(result) is kind
