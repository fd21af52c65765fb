"""REST connectors that are only data: rendering, keys, documents, and answers read strictly."""

import base64
import json

import pytest

from connectors.kit.contract import Status
from connectors.kit.errors import (
    ConnectionLost,
    Faulted,
    MappingFailed,
    ServerFailed,
    Throttled,
    Unreadable,
)
from tests.unit.connectors.packages import ANSWER, MANIFEST, PDF, call, office, write_package
from tests.unit.connectors.raw_server import RawServer, says, wire
from tests.unit.connectors.rest_office import ACT, ACT_MAPPING, JSON, LOOK_MAPPING, MAPPINGS, answer, send


async def test_a_request_is_rendered_and_its_answer_read(tmp_path):
    outcome, received = await send(tmp_path, [says(answer("done", number="N-1", message="تم", n=3))])
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
    outcome, received = await send(tmp_path, [says(answer())], "look")
    assert received[0].line == "GET /acts/123?who=%D8%B3%D9%85%D8%B1&exact=true HTTP/1.1"
    assert received[0].body == b""
    assert outcome.exchange.request.startswith(b"GET /acts/123?who=")


@pytest.mark.parametrize("number", ["..", ".", "", {"a": 1}])
async def test_a_path_is_never_left(tmp_path, number):
    document = {**call().document, "input": {"exam_number": number}}
    error, received = await send(tmp_path, [says(answer())], "look", document=document)
    assert isinstance(error, MappingFailed)
    assert received == []


async def test_what_stands_in_a_path_is_quoted(tmp_path):
    document = {**call().document, "input": {"exam_number": "../a?b=c#d/é"}}
    _, received = await send(tmp_path, [says(answer())], "look", document=document)
    assert received[0].line.startswith("GET /acts/..%2Fa%3Fb%3Dc%23d%2F%C3%A9?who=")


@pytest.mark.parametrize("operation_id", ["a\r\nX-Injected: 1", "ن", "a\0", " a"])
async def test_a_header_with_control_characters_is_never_sent(tmp_path, operation_id):
    error, received = await send(tmp_path, [says(answer())], operation_id=operation_id)
    assert isinstance(error, MappingFailed)
    assert received == []


@pytest.mark.parametrize(
    ("said", "code", "status", "canonical"),
    [("done", "201 Created", Status.SUCCEEDED, ""), ("no", "200 OK", Status.REFUSED, "not_possible"), ("no", "404 Not Found", Status.REFUSED, "not_possible"), ("no", "500 Error", Status.REFUSED, "not_possible"),
     ("waits", "202 Accepted", Status.PENDING, ""), ("new", "200 OK", Status.IN_DOUBT, "unlisted_code"), ("new", "400 Bad", Status.IN_DOUBT, "unlisted_code")],
)  # fmt: skip
async def test_a_listed_code_decides_and_an_unlisted_one_is_in_doubt(tmp_path, said, code, status, canonical):
    outcome, _ = await send(tmp_path, [says(answer(said, code))])
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
    error, _ = await send(tmp_path, [says(answer(said, code))], operation)
    assert type(error) is kind
    assert error.exchange is not None


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>busy</html>", b'{"status":"done"', b'{"status":"done"}x', b'{"status":"done","status":"no"}', b'{"status":"done","n":NaN}', b'{"status":"done","n":Infinity}', b'["done"]', b'"done"', b"null",
     b'\xef\xbb\xbf{"status":"done"}', '{"status":"done","m":"ن"}'.encode("cp1256"), b'{"status":"done","m":"\\ud800"}', b'{"status":"done","n":' + b"1" * 5000 + b"}", b'{"status":"done","n":' + b"[" * 100_000,
     b"{}", b'{"status":null}', b'{"status":true}', b'{"status":{"a":1}}', b'{"status":""}'],
)  # fmt: skip
async def test_n6_an_answer_that_is_not_strict_json_with_a_code_is_unreadable(tmp_path, raw):
    error, _ = await send(tmp_path, [says(wire("200 OK", raw, JSON))])
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
    error, _ = await send(tmp_path, [says(wire("200 OK", b'{"status":"done"}', content_type))])
    assert type(error) is Unreadable


@pytest.mark.parametrize(
    ("code", "kind"), [("503 Down", ServerFailed), ("502 Bad", ServerFailed), ("404 Not Found", Unreadable)]
)
async def test_n7_an_error_page_is_told_from_an_answer(tmp_path, code, kind):
    error, _ = await send(tmp_path, [says(wire(code, b"<html>", "Content-Type: text/html"))])
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
    _, received = await send(tmp_path, [says(answer())], manifest=manifest, settings={"api_key": "invented"})
    assert received[0].header("X-Key") == "invented"


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
    result, _ = await send(
        tmp_path, [says(said)], mappings={"act": ACT_MAPPING + DOCUMENTS, "look": LOOK_MAPPING + ANSWER}
    )
    if kind is None:
        (document,) = result.documents
        assert (document.content, document.name) == (PDF, "_.._etc_pass_wd_.pdf")
    else:
        assert type(result) is kind
