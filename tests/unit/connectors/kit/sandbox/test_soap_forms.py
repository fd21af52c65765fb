"""The forms of SOAP that a sandbox speaks: 1.1 and 1.2, document and rpc style, and attachments."""

import re
from email import message_from_bytes
from typing import Any

import pytest
from lxml import etree

from connectors.kit.contract import Outcome
from connectors.kit.sandbox.institution import XML, Answer, NotUnderstoodError
from connectors.kit.sandbox.mtom import as_mtom
from tests.conformance.live import staged
from tests.conformance.packages import heard
from tests.unit.connectors.kit.sandbox.packages import ask, opened, without_rules

SOAP11, SOAP12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
CONTENT = "QUJD" * 100


def test_larger_binary_content_becomes_an_attachment_and_the_rest_stays():
    xml = f"<e><Short>QUJD</Short><Text>{'word ' * 60}.</Text><Content>{CONTENT}</Content></e>"
    said = as_mtom(Answer(xml.encode(), content_type=XML))
    whole = message_from_bytes(f"Content-Type: {said.content_type}\r\n\r\n".encode() + said.body)
    parts: Any = whole.get_payload()
    root, part = parts
    assert part.get_payload(decode=True) == b"ABC" * 100
    tree: Any = etree.fromstring(root.get_payload(decode=True))
    assert tree.findtext("Short") == "QUJD"
    include = tree.find("Content")[0]
    assert include.get("href") == "cid:" + part["Content-ID"].strip("<>")


def test_an_answer_without_larger_binary_content_is_no_multipart_message():
    plain = Answer(b"<e><Short>QUJD</Short></e>", content_type=XML)
    assert as_mtom(plain) is plain


async def test_a_connector_reads_an_answer_with_attachments(sandbox):
    async with staged("education", "submit", sandbox) as stage:
        stage.sandbox.switch("mtom", operation="submit", times=1)
        word, outcome = await heard(stage.connector, "submit", await stage.ready())
    assert word == "succeeded"
    assert isinstance(outcome, Outcome)
    assert outcome.documents[0].content.startswith(b"%PDF-")


def as_package(tmp_path, change):
    """Education's package with another WSDL, without rules and without samples, open to everybody."""
    folder = without_rules("education", tmp_path)
    manifest = folder / "manifest.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(re.sub(r'\[authentication\]\nkind = "username_token"\n', "", text), "utf-8")
    wsdl = folder / "wsdl" / "education.wsdl"
    wsdl.write_text(change(wsdl.read_text("utf-8")), "utf-8")
    return folder


def in_soap12(text):
    return text.replace(
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"', 'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/"'
    )


def message(version, body):
    return f'<s:Envelope xmlns:s="{version}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


INQUIRY = (
    '<m:InquireRequest xmlns:m="urn:moe.gov.sy:certificates:v1"><m:RequestId>op-1</m:RequestId></m:InquireRequest>'
)


def test_soap_12_is_answered_in_soap_12_with_its_own_faults(tmp_path):
    institution = opened(as_package(tmp_path, in_soap12))
    action = "urn:moe.gov.sy:certificates:v1/InquireRequest"
    kind = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    said = ask(institution, "POST", "/certificates/v1", message(SOAP12, INQUIRY), kind)
    assert said.content_type.startswith("application/soap+xml")
    body = etree.fromstring(institution.fault("inquire").body).find(f"{{{SOAP12}}}Body")
    assert body is not None
    assert body.findtext(f"{{{SOAP12}}}Fault/{{{SOAP12}}}Code/{{{SOAP12}}}Value") == "soap:Receiver"


@pytest.mark.parametrize(("version", "other"), [(SOAP11, SOAP12), (SOAP12, SOAP11)])
def test_the_other_version_is_refused(tmp_path, version, other):
    institution = opened(as_package(tmp_path, in_soap12 if version == SOAP12 else str))
    with pytest.raises(NotUnderstoodError) as refused:
        ask(institution, "POST", "/certificates/v1", message(other, INQUIRY))
    assert b"VersionMismatch" in refused.value.answer.body


RPC_PART = """
  <wsdl:message name="InquireRequestIn"><wsdl:part name="RequestId" type="xsd:string"/></wsdl:message>
  <wsdl:message name="InquireRequestOut"><wsdl:part name="Status" type="xsd:string"/></wsdl:message>
"""


def in_rpc_style(text):
    text = re.sub(r'<wsdl:message name="InquireRequest(In|Out)">.*?</wsdl:message>', "", text)
    text = text.replace("<wsdl:portType", RPC_PART + "<wsdl:portType", 1)
    operation = '<soap:operation soapAction="urn:moe.gov.sy:certificates:v1/InquireRequest"/>'
    text = text.replace(operation, operation.replace("/>", ' style="rpc"/>'))
    head, mark, tail = text.partition(operation.replace("/>", ' style="rpc"/>'))
    body = '<soap:body use="literal"/>'
    return head + mark + tail.replace(body, body.replace("/>", ' namespace="urn:rpc"/>'), 2)


def test_an_rpc_request_is_understood_and_answered_by_its_sample(tmp_path):
    folder = as_package(tmp_path, in_rpc_style)
    for case in (folder / "samples" / "inquire").iterdir():
        (case / "response.xml").write_bytes(
            message(
                SOAP11,
                '<m:InquireRequestResponse xmlns:m="urn:rpc"><Status>ok</Status></m:InquireRequestResponse>',
            )
        )
    institution = opened(folder)
    body = '<m:InquireRequest xmlns:m="urn:rpc"><RequestId>op-1</RequestId></m:InquireRequest>'
    said = ask(institution, "POST", "/certificates/v1", message(SOAP11, body))
    assert b"<Status>ok</Status>" in said.body


SUBMIT_ACTION = "urn:moe.gov.sy:certificates:v1/SubmitRequest"
BY_ACTION = {
    "SOAPAction": (SOAP11, {"SOAPAction": f'"{SUBMIT_ACTION}"'}, "", 500),
    "SOAP 1.2": (SOAP12, {"Content-Type": f'application/soap+xml; action="{SUBMIT_ACTION}"'}, "", 400),
    "WS-Addressing": (SOAP11, {}, SUBMIT_ACTION, 500),
}


def with_addressing(text):
    using = '<wsaw:UsingAddressing xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl"/>'
    return re.sub(r"(<wsdl:binding [^>]*>)", rf"\1{using}", text)


@pytest.mark.parametrize(("version", "headers", "addressed", "status"), BY_ACTION.values(), ids=BY_ACTION)
def test_a4_an_action_that_is_not_the_bodys_is_refused_and_neither_is_done(
    tmp_path, version, headers, addressed, status
):
    """HTTP 500 in SOAP 1.1, as its binding wants it for every fault; 400 in SOAP 1.2 for what the sender did."""
    change = with_addressing if addressed else (in_soap12 if version == SOAP12 else str)
    institution = opened(as_package(tmp_path, change))
    raw = message(version, INQUIRY).decode()
    wsa = "http://www.w3.org/2005/08/addressing"
    told = f'<a:Action xmlns:a="{wsa}">{addressed}</a:Action><a:MessageID xmlns:a="{wsa}">urn:uuid:1</a:MessageID>'
    if addressed:
        raw = raw.replace("<s:Body>", f"<s:Header>{told}</s:Header><s:Body>")

    with pytest.raises(NotUnderstoodError) as refused:
        ask(institution, "POST", "/certificates/v1", raw.encode(), headers)

    assert "the action is not that of the body" in refused.value.answer.body.decode()
    assert refused.value.answer.status == status
    assert institution.ledger.effects() == []
