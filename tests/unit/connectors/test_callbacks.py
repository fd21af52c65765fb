"""Callbacks: what verifies one, which act it is about, and what it says."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.errors import Faulted, TooLarge, Unreadable
from connectors.registry import ManifestError, find_packages
from tests.unit.connectors.packages import ANSWER, MANIFEST, NOW, office, write_package

KEY = "an invented callback key"
SECRET = '[settings.callback_secret]\ntype = "text"\nsecret = true\n'
LOOK = '[operations.look]\nwire = "GET /acts"\nrole = "check"\neffect = "safe"\n'
CALLBACK = '[callbacks.result]\noperation_id = "request.id"\n'
SIGNED = CALLBACK + "[callbacks.result.signature]\n"
SAID = "answer: {code: answer.status, reference: answer.number, data: {n: answer.n}, same: [[answer.request.id, operation_id]]}"
BODY = json.dumps({"request": {"id": "op-1"}, "status": "done", "number": "N-7", "n": 3}).encode()
UNIX = str(int(NOW.timestamp()))


def _office(tmp_path, callbacks=SIGNED, mapping=SAID, settings=SECRET, **values):
    folder = write_package(
        tmp_path, manifest=MANIFEST + settings + LOOK + callbacks, mappings={"look": ANSWER, "result": mapping}
    )
    return office(folder, **({"base_url": "http://127.0.0.1:1", "callback_secret": KEY} | values))


def _signature(body=BODY, time=UNIX, key=KEY):
    return base64.b64encode(hmac.new(key.encode(), time.encode() + b"\n" + body, hashlib.sha256).digest()).decode()


def _headers(**changes):
    return {"Content-Type": "application/json", "X-Timestamp": UNIX, "X-Signature": _signature(), **changes}


def test_a_signed_callback_is_verified_and_says_which_act_and_what(tmp_path):
    said = _office(tmp_path).read_callback("result", BODY, _headers())
    assert (said.verified, said.operation_id) == (True, "op-1")
    assert (said.outcome.status, said.outcome.reference, said.outcome.data) == ("succeeded", "N-7", {"n": 3})
    assert said.outcome.exchange.response == BODY


def test_header_names_are_compared_without_case(tmp_path):
    headers = {name.lower(): value for name, value in _headers().items()}
    assert _office(tmp_path).read_callback("result", BODY, headers).verified


def _at(moment):
    time = str(int(moment.timestamp()))
    return {"X-Timestamp": time, "X-Signature": _signature(time=time)}


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Signature": ""},
        {"X-Signature": _signature(key="another key")},
        {"X-Signature": _signature(body=BODY.replace(b"done", b"no"))},
        {"X-Signature": _signature()[:-2]},
        {"X-Signature": "\u0660\udc80"},
        {"X-Timestamp": str(int(UNIX) + 1)},
        {"X-Timestamp": ""},
        {"X-Timestamp": "soon"},
        {"X-Timestamp": "9" * 40},
        {"x-signature": _signature()},
        _at(NOW - timedelta(seconds=301)),
        _at(NOW + timedelta(seconds=301)),
    ],
    ids=["none", "another key", "another body", "cut", "no text", "another time", "no time", "word", "huge", "twice", "old", "early"],
)  # fmt: skip
def test_a7_a_callback_that_is_not_well_signed_is_read_but_not_verified(tmp_path, changes):
    said = _office(tmp_path).read_callback("result", BODY, _headers(**changes))
    assert not said.verified
    assert (said.operation_id, said.outcome.status) == ("op-1", "succeeded")


def test_within_the_tolerance_it_is_verified(tmp_path):
    connector = _office(tmp_path)
    for seconds in (-300, 300):
        assert connector.read_callback("result", BODY, _headers(**_at(NOW + timedelta(seconds=seconds)))).verified


def test_a_callback_without_a_declared_signature_is_never_verified(tmp_path):
    said = _office(tmp_path, CALLBACK).read_callback("result", BODY, _headers())
    assert not said.verified


@pytest.mark.parametrize(
    ("lines", "message", "write", "time"),
    [
        ('signed = ["body"]\nencoding = "hex"\nprefix = "sha256="\n', BODY, lambda raw: "sha256=" + raw.hex(), UNIX),
        ('signed = ["body"]\nencoding = "hex"\n', BODY, lambda raw: raw.hex().upper(), UNIX),
        (
            'signed = ["timestamp", "body_sha256"]\nseparator = "."\ntimestamp_format = "iso"\n',
            b"2026-03-01T12:00:00Z." + hashlib.sha256(BODY).hexdigest().encode(),
            lambda raw: base64.b64encode(raw).decode(),
            "2026-03-01T12:00:00Z",
        ),
        (
            'timestamp_format = "unix_ms"\n',
            f"{UNIX}000\n".encode() + BODY,
            lambda raw: base64.b64encode(raw).decode(),
            f"{UNIX}000",
        ),
    ],
    ids=["hex with prefix", "hex in capitals", "digest and ISO time", "milliseconds"],
)
def test_what_is_signed_and_how_is_data(tmp_path, lines, message, write, time):
    signature = write(hmac.new(KEY.encode(), message, hashlib.sha256).digest())
    headers = _headers(**{"X-Signature": signature, "X-Timestamp": time})
    assert _office(tmp_path, SIGNED + lines).read_callback("result", BODY, headers).verified


def test_a_code_that_is_not_listed_leaves_the_act_in_doubt(tmp_path):
    body = BODY.replace(b"done", b"strange")
    said = _office(tmp_path).read_callback("result", body, _headers(**{"X-Signature": _signature(body)}))
    assert (said.verified, said.outcome.status, said.outcome.code) == (True, "in_doubt", "unlisted_code")


def test_the_same_callback_twice_says_the_same_twice(tmp_path):
    connector = _office(tmp_path)
    assert connector.read_callback("result", BODY, _headers()) == connector.read_callback("result", BODY, _headers())


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "the callback: "),
        (b"<html>busy</html>", "the callback: "),
        (b"[1]", "the callback names no act"),
        (b'{"request": {"id": "op-1"}, "request": {"id": "op-2"}}', "the callback: "),
        (b'{"status": "done"}', "the callback names no act"),
        (b'{"request": {"id": true}, "status": "done"}', "the callback names no act"),
        (b'{"request": {"id": ["op-1"]}, "status": "done"}', "the callback names no act"),
        (b'{"request": {"id": "op-1"}}', "the answer has no code"),
    ],
)  # fmt: skip
def test_what_is_no_callback_is_unreadable_and_kept(tmp_path, raw, sentence):
    with pytest.raises(Unreadable, match=sentence) as caught:
        _office(tmp_path).read_callback("result", raw, _headers())
    assert caught.value.exchange is not None
    assert caught.value.exchange.response == raw


def test_a_technical_error_and_a_message_that_is_too_large_are_told_apart(tmp_path):
    with pytest.raises(Faulted):
        _office(tmp_path / "a").read_callback("result", BODY.replace(b"done", b"broken"), _headers())
    with pytest.raises(TooLarge):
        _office(tmp_path / "b", CALLBACK + "max_bytes = 1024\n").read_callback("result", BODY + b" " * 1024, _headers())


def test_secrets_are_not_seen_by_the_mapping(tmp_path):
    mapping = "answer: {code: answer.status, reference: settings.callback_secret || 'hidden'}"
    said = _office(tmp_path, mapping=mapping.replace("'hidden'", '`"hidden"`')).read_callback("result", BODY, {})
    assert said.outcome.reference == "hidden"


def test_a_name_that_is_not_declared_is_a_key_error(tmp_path):
    connector = _office(tmp_path)
    assert connector.callbacks == {"result"}
    with pytest.raises(KeyError):
        connector.read_callback("look", BODY, {})


@pytest.mark.parametrize(
    ("callbacks", "mapping", "settings", "sentence"),
    [
        (CALLBACK.replace("request.id", "request."), SAID, SECRET, "callbacks.result.operation_id: not a JMESPath expression"),
        (CALLBACK.replace("result", "look"), SAID, SECRET, "callbacks.look: a callback's name has"),
        (SIGNED, SAID, "", "callbacks.result.signature.key: it names a secret setting of type text, and callback_secret is none"),
        (SIGNED, SAID, SECRET.replace("true", "false"), "callback_secret is none"),
        (SIGNED + 'signed = ["timestamp"]\n', SAID, SECRET, "callbacks.result.signature.signed: the signature covers the body"),
        (SIGNED, "request: {body: {}}\n" + SAID, SECRET, "office/mapping/result.yaml:1: request: unknown key (known: answer)"),
        (SIGNED, "answer: {reference: a}", SECRET, "answer.code: the expression for the institution's code is missing"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_one_sentence(tmp_path, callbacks, mapping, settings, sentence):
    folder = write_package(
        tmp_path, manifest=MANIFEST + settings + LOOK + callbacks, mappings={"look": ANSWER, "result": mapping}
    )
    with pytest.raises(ManifestError) as caught:
        find_packages([folder])
    assert sentence in str(caught.value)


def test_the_clock_of_the_tests_is_that_of_the_connector():
    assert datetime(2026, 3, 1, 12, tzinfo=UTC) == NOW
