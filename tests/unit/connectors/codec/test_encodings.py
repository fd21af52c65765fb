"""Answers in other encodings: read where the manifest says so, and a protocol error where header and message disagree."""

from typing import Any

import pytest

from connectors.kit.contract import Exchange
from connectors.kit.errors import Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.soap import Encoding, SoapCodec
from connectors.kit.wsdl import SOAP11, SOAP12
from tests.unit.connectors.codec.wsdls import asking, opened, schema, wsdl

TYPES = schema(asking('<xsd:sequence><xsd:element name="a" type="xsd:string"/></xsd:sequence>'))
WORD = "سمر الخطيب"


def message(declaration: str = "", inner: str = f"<a>{WORD}</a>", envelope: str = SOAP11) -> str:
    return f'{declaration}<s:Envelope xmlns:s="{envelope}"><s:Body><Told xmlns="urn:t">{inner}</Told></s:Body></s:Envelope>'


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>'


def read(folder: Any, name: Any, raw: bytes, charset: str = "") -> Any:
    codec = SoapCodec(opened(folder, wsdl(TYPES)), Encoding(name))
    return codec.read("Do", HttpAnswer(200, {}, raw, "text/xml", charset, Exchange(b"", raw, 200, "text/xml", 1))).body


@pytest.mark.parametrize(
    ("name", "raw", "charset"),
    [
        ("utf-8", message().encode(), ""),
        ("utf-8", message(declared("UTF-8")).encode(), "utf-8"),
        ("utf-8-bom", b"\xef\xbb\xbf" + message(declared("utf-8")).encode(), "utf-8"),
        ("utf-8-bom", message().encode(), "utf-8"),
        ("windows-1256", message(declared("windows-1256")).encode("cp1256"), ""),
        ("windows-1256", message().encode("cp1256"), "windows-1256"),
        ("windows-1256", message(declared("Windows-1256")).encode("cp1256"), "cp1256"),
        ("iso-8859-6", message(declared("ISO-8859-6")).encode("iso-8859-6"), ""),
        ("utf-16", message().encode("utf-16"), ""),
        ("utf-16", message(declared("UTF-16")).encode("utf-16"), "utf-16"),
        ("utf-16", message().encode("utf-16-le"), "utf-16le"),
        ("utf-16", message().encode("utf-16-be"), "utf-16be"),
        ("utf-16", message().encode("utf-16-be"), ""),
    ],
)
def test_an_answer_in_the_manifests_encoding_is_read(tmp_path, name, raw, charset):
    assert read(tmp_path, name, raw, charset) == {"a": WORD}


@pytest.mark.parametrize(
    ("name", "raw", "charset"),
    [
        ("utf-8", message(declared("windows-1256")).encode("cp1256"), ""),
        ("utf-8", message().encode("cp1256"), "windows-1256"),
        ("utf-8", message().encode("cp1256"), "utf-8"),
        ("utf-8", b"\xef\xbb\xbf" + message().encode(), "utf-8"),
        ("utf-8", message().encode("utf-16"), ""),
        ("windows-1256", message().encode(), "utf-8"),
        ("windows-1256", message(declared("utf-8")).encode("cp1256"), "windows-1256"),
        ("windows-1256", message().encode("cp1256"), ""),
        ("windows-1256", b"\xef\xbb\xbf" + message().encode(), "windows-1256"),
        ("utf-16", message().encode(), ""),
        ("utf-16", message(declared("utf-8")).encode("utf-16"), ""),
        ("utf-16", message().encode("utf-16")[:-1], "utf-16"),
        ("iso-8859-6", b"\xff" + message().encode("iso-8859-6"), "iso-8859-6"),
        ("windows-1256", message('<!DOCTYPE x [<!ENTITY e "x">]>').encode("cp1256"), "windows-1256"),
        ("windows-1256", b"", "windows-1256"),
    ],
)
def test_n6_a_contradiction_is_unreadable_and_never_a_name_with_wrong_letters(tmp_path, name, raw, charset):
    with pytest.raises(Unreadable):
        read(tmp_path, name, raw, charset)


@pytest.mark.parametrize(
    "inner",
    ["<a>ab<!-- c -->cd</a>", "<a><![CDATA[abcd]]></a>", "<a>ab<?pi x?>cd</a>", "<a>&#97;bcd</a>", '<p:a xmlns:p="urn:t">abcd</p:a>'],
)  # fmt: skip
def test_a5_comments_cdata_references_and_prefixes_leave_the_value_whole(tmp_path, inner):
    assert read(tmp_path, "utf-8", message(inner=inner).encode()) == {"a": "abcd"}


def test_the_other_versions_envelope_is_not_read(tmp_path):
    with pytest.raises(Unreadable, match="no SOAP envelope of this version"):
        read(tmp_path, "utf-8", message(envelope=SOAP12).encode())
