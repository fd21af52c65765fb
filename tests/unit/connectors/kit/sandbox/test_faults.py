"""The faults of a sandbox: which switches exist, how they count down, and how they spoil an answer."""

import json
import zlib

import pytest
from lxml import etree

from connectors.kit.sandbox.faults import Switch, SwitchError, Switches, gzipped, padded, read_switch, spoil
from connectors.kit.sandbox.institution import XML, Answer

JSON_ANSWER = Answer('{"code": "0", "text": "تم"}'.encode())
XML_ANSWER = Answer(
    '<s:Envelope xmlns:s="urn:s"><s:Body><Done xmlns="urn:d"><Code>0</Code><Text>تم</Text></Done></s:Body></s:Envelope>'.encode(),
    content_type=XML,
)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"mode": "explode"}, "mode is one of latency"),
        ({"mode": "latency"}, "the value of latency must be: a number"),
        ({"mode": "latency", "value": -1}, "must be: a number"),
        ({"mode": "latency", "value": True}, "must be: a number"),
        ({"mode": "status", "value": "503"}, "must be: an HTTP status"),
        ({"mode": "redirect"}, "must be: an address"),
        ({"mode": "silence", "value": 3}, "must be: nothing"),
        ({"mode": "silence", "times": 0}, "times is a whole number"),
        ({"mode": "silence", "ever": 1}, "a switch is an object"),
        (["silence"], "a switch is an object"),
    ],
)
def test_a_switch_that_does_not_exist_is_refused_in_one_sentence(body, complaint) -> None:
    with pytest.raises(SwitchError, match=complaint):
        read_switch(body)


def test_a_switch_holds_for_its_operation_and_its_times() -> None:
    switches = Switches()
    switches.add(read_switch({"operation": "submit", "mode": "silence", "times": 2}))
    modes = [
        fault.mode if fault else ""
        for fault in (switches.take(o)[1] for o in ("inquire", "submit", "submit", "submit"))
    ]
    assert modes == ["", "silence", "silence", ""]
    assert not switches


def test_latencies_add_up_beside_one_other_fault() -> None:
    switches = Switches()
    for body in (
        {"mode": "latency", "value": 100},
        {"mode": "html"},
        {"mode": "latency", "value": 50},
        {"mode": "empty"},
    ):
        switches.add(read_switch(body))
    seconds, fault = switches.take("submit")
    assert seconds == pytest.approx(0.15)
    assert fault is not None
    assert fault.mode == "html"


def test_a_spoiled_json_answer_lacks_gains_or_wraps_a_field() -> None:
    spoiled = {
        mode: json.loads(spoil(Switch("*", mode), JSON_ANSWER).body)
        for mode in ("missing_element", "extra_element", "wrong_element")
    }
    assert spoiled["missing_element"] == {"text": "تم"}
    assert spoiled["extra_element"]["unexpected"] == "value"
    assert isinstance(spoiled["wrong_element"], list)


@pytest.mark.parametrize("mode", ["missing_element", "extra_element", "wrong_element"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'"text"'])
def test_an_answer_without_fields_can_be_spoiled_too(mode, body) -> None:
    json.loads(spoil(Switch("*", mode), Answer(body)).body)


def test_a_spoiled_xml_answer_lacks_gains_or_renames_an_element() -> None:
    def names(mode: str, value: str | None = None) -> list[str]:
        root = etree.fromstring(spoil(Switch("*", mode, value), XML_ANSWER).body)
        return [etree.QName(element).localname for element in root[0].iter()][1:]

    assert names("missing_element") == ["Done", "Text"]
    assert names("missing_element", "Text") == ["Done", "Code"]
    assert names("extra_element") == ["Done", "Code", "Text", "Unexpected"]
    assert names("wrong_element") == ["UnexpectedResponse", "Code", "Text"]


@pytest.mark.parametrize("answer", [JSON_ANSWER, XML_ANSWER, Answer(b'{"code": "0"}')], ids=["json", "xml", "ascii"])
def test_a_wrong_charset_is_no_utf_8_or_no_json(answer) -> None:
    body = spoil(Switch("*", "wrong_charset"), answer).body
    assert body != answer.body
    with pytest.raises(ValueError, match=r"decode|codec|JSON"):
        json.loads(body.decode("utf-8"))


@pytest.mark.parametrize("answer", [JSON_ANSWER, XML_ANSWER], ids=["json", "xml"])
def test_padding_keeps_the_answer_well_formed_and_packs_small(answer) -> None:
    head, padding, tail = padded(answer.body, 3_000_000)
    body = head + b"".join(padding) + tail
    assert len(body) == len(answer.body) + 3_000_000
    assert (
        json.loads(body)
        if answer is JSON_ANSWER
        else etree.fromstring(body, etree.XMLParser(huge_tree=True)) is not None
    )
    packed = b"".join(gzipped(iter((body,))))
    assert len(packed) < len(body) / 100
    assert zlib.decompress(packed, 31) == body
