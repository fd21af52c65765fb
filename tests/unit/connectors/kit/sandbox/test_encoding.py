"""Institutions whose answers are not in UTF-8: what leaves the sandbox, and what the connector reads of it."""

from email import message_from_bytes
from typing import Any

import pytest
from lxml import etree

from connectors.kit.conformance.bench import Stage, heard
from connectors.kit.conformance.bench import opened as connected
from connectors.kit.conformance.sandbox_process import start_process, stop_process
from connectors.kit.conformance.subject import open_subject
from connectors.kit.contract import Outcome
from connectors.kit.errors import Unreadable
from connectors.kit.sandbox.encoding import in_encoding, in_wrong_encoding
from connectors.kit.sandbox.institution import XML, Answer
from connectors.kit.sandbox.mtom import as_mtom
from tests.unit.connectors.kit.sandbox.packages import copy_of, replaced

TEXT = "سلمـى، الرقم ٢٠٢٦"  # with tatweel and Arabic-Indic digits, which windows-1256 lacks
MESSAGE = f'<?xml version="1.0" encoding="utf-8"?><e>{TEXT}</e>'.encode()


@pytest.mark.parametrize("name", ["windows-1256", "iso-8859-6", "utf-16", "utf-8-bom"])
def test_a_message_says_its_encoding_twice_and_keeps_every_letter(name):
    raw, kind = in_encoding(MESSAGE, XML, name)
    charset = name.removesuffix("-bom")
    assert kind == f"text/xml; charset={charset}"
    assert raw != MESSAGE
    assert etree.fromstring(raw).text == TEXT
    assert f'encoding="{charset}"' in raw.decode(charset)
    assert in_encoding(raw, kind, name)[0] == raw or name == "utf-8-bom"


def test_what_is_no_xml_leaves_as_it_is():
    page = "<html>خطأ</html>".encode()
    assert in_encoding(page, "text/html; charset=utf-8", "windows-1256") == (page, "text/html; charset=utf-8")


def test_an_attachment_goes_beside_a_message_in_windows_1256():
    raw, kind = in_encoding(f"<e><T>{TEXT}</T><C>{'QUJD' * 100}</C></e>".encode(), XML, "windows-1256")
    said = as_mtom(Answer(raw, content_type=kind))
    whole = message_from_bytes(f"Content-Type: {said.content_type}\r\n\r\n".encode() + said.body)
    parts: Any = whole.get_payload()
    assert parts[0].get_param("charset") == "windows-1256"
    assert etree.fromstring(parts[0].get_payload(decode=True)).findtext("T") == TEXT


def test_a_wrong_encoding_beside_an_attachment_is_that_of_the_message_alone():
    raw, kind = in_encoding(f"<e><T>{TEXT}</T><C>{'QUJD' * 100}</C></e>".encode(), XML, "windows-1256")
    said = as_mtom(Answer(raw, content_type=kind))
    spoiled = in_wrong_encoding(said.body, said.content_type)
    whole = message_from_bytes(f"Content-Type: {said.content_type}\r\n\r\n".encode() + spoiled)
    parts: Any = whole.get_payload()
    assert parts[0].get_param("charset") == "windows-1256"
    assert etree.fromstring(parts[0].get_payload(decode=True)).findtext("T") == TEXT
    assert b'encoding="utf-8"' in parts[0].get_payload(decode=True)
    assert parts[1].get_payload(decode=True) == b"ABC" * 100


def test_a_wrong_encoding_is_another_one_either_way():
    raw, kind = in_encoding(MESSAGE, XML, "windows-1256")
    assert in_wrong_encoding(raw, kind).decode().startswith('<?xml version="1.0" encoding="utf-8"?>')
    with pytest.raises(UnicodeDecodeError):
        in_wrong_encoding(MESSAGE, XML).decode()


@pytest.mark.parametrize("mtom", [False, True])
async def test_a_connector_reads_windows_1256_and_refuses_anything_else(tmp_path, mtom):
    folder = copy_of("education", tmp_path)
    replaced(folder / "manifest.toml", "[soap]\n", '[soap]\nencoding = "windows-1256"\n')
    subject = open_subject(folder)
    process = start_process(folder)
    try:
        async with connected(subject, process.port) as connector:
            stage = Stage(subject, connector.operations["submit"], connector, process)
            if mtom:
                process.switch("mtom", operation="submit", times=1)
            word, came = await heard(connector, "submit", await stage.ready())
            assert word == "succeeded"
            assert isinstance(came, Outcome)
            assert came.documents[0].content.startswith(b"%PDF-")
            assert came.exchange is not None
            assert 'encoding="windows-1256"' in came.exchange.response.decode("windows-1256").replace("'", '"')
            process.switch("wrong_charset", operation="submit", times=1)
            _, came = await heard(connector, "submit", await stage.ready())
            assert isinstance(came, Unreadable)
    finally:
        stop_process(process)
