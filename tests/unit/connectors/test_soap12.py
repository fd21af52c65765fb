"""SOAP 1.2 messages: their own namespace, content type and fault."""

from typing import Any

import pytest

from connectors.kit.contract import Exchange
from connectors.kit.errors import Unreadable
from connectors.kit.http import HttpAnswer
from connectors.kit.soap import SoapCodec
from connectors.kit.wsdl import SOAP12, WsdlContract, load_wsdl
from connectors.registry import find_packages
from tests.unit.connectors.packages import education_copy

BODY = '<InquireRequestResponse xmlns="urn:moe.gov.sy:certificates:v1"><RequestId>op-1</RequestId><Result><Status>30</Status></Result></InquireRequestResponse>'
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value xmlns:e='urn:e'>e:Closed</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text xml:lang='en'>closed until nine</s:Text></s:Reason><s:Detail><e:Opening xmlns:e='urn:e'><e:At>09:00</e:At></e:Opening></s:Detail></s:Fault>"
)


@pytest.fixture
def contract(tmp_path) -> WsdlContract:
    folder = education_copy(tmp_path)
    wsdl = folder / "wsdl" / "education.wsdl"
    wsdl.write_text(
        wsdl.read_text("utf-8").replace(
            "http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"
        ),
        "utf-8",
    )
    package = find_packages([folder])["ministry"]
    assert package.manifest.soap is not None
    return load_wsdl(folder, package.manifest, package.manifest.soap)


def _answer(
    body: str, media_type: str = "application/soap+xml", namespace: str = SOAP12, status: int = 200
) -> HttpAnswer:
    raw = f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()
    return HttpAnswer(status, {}, raw, media_type, "utf-8", Exchange(b"", raw, status, media_type, 1))


def test_a_message_is_written_in_its_version(contract):
    codec = SoapCodec(contract)
    message = codec.envelope(codec.body("inquire", {"RequestId": "op-1"}))
    assert SOAP12.encode() in message
    assert (
        codec.headers("inquire")["Content-Type"]
        == 'application/soap+xml; charset=utf-8; action="urn:moe.gov.sy:certificates:v1/InquireRequest"'
    )
    assert "SOAPAction" not in codec.headers("inquire")


def test_an_answer_is_read_in_its_version_only(contract):
    codec = SoapCodec(contract)
    assert codec.read("inquire", _answer(BODY)).body == {"RequestId": "op-1", "Result": {"Status": "30"}}
    for wrong in (
        _answer(BODY, media_type="text/xml"),
        _answer(BODY, namespace="http://schemas.xmlsoap.org/soap/envelope/"),
    ):
        with pytest.raises(Unreadable):
            codec.read("inquire", wrong)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_gives_its_subcode_words_and_detail(contract, status):
    fault: Any = SoapCodec(contract).read("inquire", _answer(FAULT, status=status)).fault
    assert fault == {"code": "Closed", "text": "closed until nine", "detail": {"Opening": {"At": "09:00"}}}
