"""Small WSDLs for tests, written on the spot around a schema."""

from pathlib import Path
from typing import Any

from connectors.kit.wsdl import WsdlContract, open_wsdl

SOAP = {11: "http://schemas.xmlsoap.org/wsdl/soap/", 12: "http://schemas.xmlsoap.org/wsdl/soap12/"}
SPACES = (
    'xmlns:t="urn:t" xmlns:o="urn:o" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"'
)


def schema(content: str, *, namespace: str = "urn:t", form: str = "qualified") -> str:
    return f'<xsd:schema targetNamespace="{namespace}" elementFormDefault="{form}">{content}</xsd:schema>'


def asking(content: str) -> str:
    """A schema whose element Ask has this content, and Told the same."""
    return "".join(
        f'<xsd:element name="{name}"><xsd:complexType>{content}</xsd:complexType></xsd:element>'
        for name in ("Ask", "Told")
    )


def wsdl(
    types: str,
    *,
    ask: str = '<wsdl:part name="p" element="t:Ask"/>',
    told: str | None = '<wsdl:part name="p" element="t:Told"/>',
    style: str = "document",
    body: str = 'use="literal"',
    version: int = 11,
    headers: str = "",
    binding: str = "",
) -> str:
    output = "" if told is None else f"<wsdl:output><soap:body {body}/>{headers}</wsdl:output>"
    return f"""<?xml version="1.0"?>
<wsdl:definitions targetNamespace="urn:t" {SPACES} xmlns:soap="{SOAP[version]}">
<wsdl:types>{types}</wsdl:types>
<wsdl:message name="In">{ask}</wsdl:message>{"" if told is None else f'<wsdl:message name="Out">{told}</wsdl:message>'}
<wsdl:portType name="P"><wsdl:operation name="Do"><wsdl:input message="t:In"/>{"" if told is None else '<wsdl:output message="t:Out"/>'}</wsdl:operation></wsdl:portType>
<wsdl:binding name="B" type="t:P"><soap:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>{binding}
<wsdl:operation name="Do"><soap:operation soapAction="urn:do"/><wsdl:input><soap:body {body}/>{headers}</wsdl:input>{output}</wsdl:operation></wsdl:binding>
<wsdl:service name="S"><wsdl:port name="Port" binding="t:B"><soap:address location="http://127.0.0.1/"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""


def written(folder: Path, text: str, **others: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "w.wsdl").write_text(text, "utf-8")
    for name, content in others.items():
        (folder / f"{name}.xsd").write_text(content, "utf-8")
    return folder


def opened(folder: Path, text: str, **others: str) -> WsdlContract:
    return open_wsdl(written(folder, text, **others), "w.wsdl")


def operation(contract: WsdlContract) -> Any:
    return contract.operations["Do"]
