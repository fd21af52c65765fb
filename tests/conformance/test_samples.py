"""Every sample of every package, both ways: canonical document to wire request, wire answer to outcome."""

import hashlib
import json
from typing import Any

import pytest
from lxml import etree

from connectors.kit.contract import Outcome
from connectors.kit.errors import ConnectorError
from gateway.errors import CATALOGUE
from tests.conformance.canned import Asked, Said, canned
from tests.conformance.packages import (
    OPERATIONS,
    PACKAGES,
    SAMPLES,
    Sample,
    codes_of,
    heard,
    opened,
    samples_of,
    token_path,
)

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CALLED, TOKEN_CALLS = (
    [
        pytest.param(sample, id=f"{sample.package}-{sample.operation}-{sample.case}")
        for sample in SAMPLES
        if (sample.operation == "token") is of_token
    ]
    for of_token in (False, True)
)


def said_by(sample: Sample) -> Said:
    """The sample's answer as bytes on the wire."""
    if sample.has("response.xml"):
        raw = (sample.folder / "response.xml").read_bytes()
        return Said(raw, 500 if b"Fault>" in raw else 200, "text/xml; charset=utf-8")
    if not sample.has("response.json"):
        return Said(b"")
    response = sample.json("response.json")
    body = json.dumps(response["body"], ensure_ascii=False).encode()
    return Said(body, response["status"], headers=response["headers"])


def canonical_xml(element: etree._Element) -> str:
    """Canonical form, white space between elements left out."""
    text = etree.tostring(element)
    clean = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
    form: str = etree.canonicalize(etree.tostring(clean, encoding="unicode"), strip_text=True, rewrite_prefixes=True)
    return form


def assert_asked(sample: Sample, asked: Asked) -> None:
    """The wire request is the sample's."""
    if sample.has("request.xml"):
        envelope = etree.fromstring(asked.body)
        body = envelope.find(f"{SOAP}Body")
        assert body is not None
        wanted = etree.fromstring((sample.folder / "request.xml").read_bytes())
        assert canonical_xml(body[0]) == canonical_xml(wanted)
        return
    wanted_request = sample.json("request.json")
    body_now = json.loads(asked.body) if asked.body else None
    assert (asked.method, asked.path, dict(asked.query)) == tuple(
        wanted_request[key] for key in ("method", "path", "query")
    )
    assert {name.lower(): value for name, value in asked.own_headers().items()} == {
        name.lower(): value for name, value in wanted_request["headers"].items()
    }
    assert body_now == wanted_request["body"]


def shown(outcome: Outcome | ConnectorError) -> dict[str, Any]:
    """What came, in the words of outcome.json."""
    if isinstance(outcome, ConnectorError):
        return {"error": outcome.code}
    content: dict[str, Any] = {
        "status": outcome.status.value,
        "code": outcome.code,
        "institution_code": outcome.institution_code,
        "reference": outcome.reference,
        "data": dict(outcome.data),
        "documents": [
            {"name": d.name, "media_type": d.media_type, "sha256": hashlib.sha256(d.content).hexdigest()}
            for d in outcome.documents
        ],
    }
    if outcome.next_inquiry_seconds is not None:
        content["next_inquiry_seconds"] = outcome.next_inquiry_seconds
    return content


@pytest.mark.parametrize("sample", CALLED)
async def test_a_sample_holds_both_ways(sample: Sample) -> None:
    wanted = sample.json("outcome.json")
    async with (
        canned(said_by(sample), token_path=token_path(sample.package)) as server,
        opened(sample.package, server.port) as connector,
    ):
        _, came = await heard(connector, sample.operation, sample.call())
    assert shown(came) == wanted
    if wanted == {"error": "mapping_failed"}:
        assert server.asked == []
    else:
        assert server.asked
        assert_asked(sample, server.asked[0])


@pytest.mark.parametrize("sample", TOKEN_CALLS)
async def test_a_sample_of_a_token_call_holds_both_ways(sample: Sample) -> None:
    package = PACKAGES[sample.package]
    caller = next(other for other in samples_of(package) if other.operation != "token" and other.case == "succeeded")
    wanted = sample.json("outcome.json")
    server_of = canned(said_by(caller), token_path=token_path(sample.package), token_said=said_by(sample))
    async with server_of as server, opened(sample.package, server.port) as connector:
        _, came = await heard(connector, caller.operation, caller.call())
    assert wanted.items() <= shown(came).items()
    assert bool(server.asked) == ("error" not in wanted), "without a token the operation is not sent"
    assert_asked(sample, server.token_asked[0])


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_an_operation_has_samples(name: str, operation: str) -> None:
    cases = [sample.case for sample in samples_of(PACKAGES[name]) if sample.operation == operation]
    assert "succeeded" in cases, "the sample that the live tests start from"
    assert len(cases) > 1


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_listed_code_of_an_operation_has_a_sample(name: str, operation: str) -> None:
    book = codes_of(name)
    listed = {code for kind in ("codes", "faults") for code in book.get(kind, {}).get(operation, {})}
    shared = {code for kind in ("codes", "faults") for code in book.get(kind, {}).get("*", {})}
    texts = {operation: "", "*": ""}
    for sample in samples_of(PACKAGES[name]):
        raw = "".join(path.read_text(encoding="utf-8") for path in sorted(sample.folder.glob("response.*")))
        texts["*"] += raw
        texts[operation] += raw if sample.operation == operation else ""
    assert {code for code in listed if not _stands_in(code, texts[operation])} == set()
    assert {code for code in shared if not _stands_in(code, texts["*"])} == set()


def _stands_in(code: str, text: str) -> bool:
    return f'"{code}"' in text or f">{code}<" in text


@pytest.mark.parametrize("name", PACKAGES)
def test_every_canonical_code_of_a_package_has_a_row_in_the_error_catalogue(name: str) -> None:
    book = codes_of(name)
    tables = [table for kind in ("codes", "faults") for table in book.get(kind, {}).values()]
    needed = {row["code"] for table in tables for row in table.values() if row.get("status") in ("refused", "in_doubt")}
    assert needed
    assert needed - set(CATALOGUE) == set()
