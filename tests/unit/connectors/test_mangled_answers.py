"""Whatever bytes come, they end as an outcome or a named error; and a document is never altered unseen."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.kit.contract import Exchange, Outcome, Ports, Status
from connectors.kit.declarative import DeclarativeConnector
from connectors.kit.errors import ConnectorError
from connectors.kit.http import HttpAnswer
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.packages import DOCUMENT, NOW, PDF, education, envelope, progress

GOOD = envelope(progress("00"))
SOAP: Any = education("http://127.0.0.1:1")
WALLET: Any = open_connector(
    find_packages()["syriatel_cash"],
    Ports(
        {"base_url": "http://127.0.0.1:1", "username": "u", "password": "p", "merchant": "963931234567"},
        LocalTokens(),
        lambda: NOW,
    ),
)
PIECES = st.sampled_from(
    [
        b"<",
        b">",
        b"</",
        b"/>",
        b"&",
        b"\0",
        b"\xff",
        b"00",
        b"20",
        b"<!DOCTYPE x>",
        b"<Result>",
        b"</Result>",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"xmlns='x'",
        b'"',
        b"{",
        b"}",
        b"0",
        b"-103",
        b"null",
        b"\\ud800",
    ]
) | st.binary(max_size=4)
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), PIECES), min_size=1, max_size=4)


def _mangled(raw: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, cut, piece in edits:
        at = place % (len(raw) + 1)
        raw = raw[:at] + piece + raw[at + cut :]
    return raw


def _read(connector: DeclarativeConnector, operation: str, raw: bytes, media_type: str, status: int) -> Outcome | None:
    answer = HttpAnswer(status, {}, raw, media_type, "utf-8", Exchange(b"", raw, status, media_type, 1))
    context = {**DOCUMENT, "operation_id": "op-1", "settings": {}}
    try:
        return connector._read[operation](connector._wire.read(operation, answer), context, answer)
    except ConnectorError:
        return None


@given(EDITS, st.sampled_from([200, 500]))
@example([(0, 2000, b"")], 200)
@settings(max_examples=400, deadline=None)
def test_a_mangled_soap_answer_never_succeeds_with_another_document(edits, status):
    outcome = _read(SOAP, "submit", _mangled(GOOD, edits), "text/xml", status)
    if outcome is not None and outcome.status is Status.SUCCEEDED:
        assert [document.content for document in outcome.documents] == [PDF]
        assert status == 200


@given(st.binary(max_size=300), st.sampled_from(["text/xml", "application/json"]))
@settings(max_examples=200, deadline=None)
def test_noise_is_never_an_outcome(raw, media_type):
    assert _read(SOAP, "submit", raw, media_type, 200) is None
    assert _read(WALLET, "confirm", raw, media_type, 200) is None


CODES = {**WALLET._package.codes.codes["confirm"]}


@given(EDITS, st.sampled_from([200, 400, 500]))
@settings(max_examples=400, deadline=None)
def test_a_mangled_payment_answer_succeeds_only_when_it_says_so(edits, status):
    raw = _mangled(json.dumps({"errorCode": "-96", "errorDesc": "wrong"}).encode(), edits)
    outcome = _read(WALLET, "confirm", raw, "application/json", status)
    if outcome is None:
        return
    said = str(json.loads(raw)["errorCode"])
    assert outcome.institution_code == said
    expected = CODES.get(said)
    assert outcome.status is (Status.IN_DOUBT if expected is None else expected.status)
