"""Contracts of an invented municipality, to import and to spoil."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.refusal import ContractRefused
from connectors.kit.importing.wsdl_import import import_wsdl

WSDL_SPACES = (
    'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
    'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:city"'
)
TYPES = """
<xs:complexType name="Permit"><xs:annotation><xs:documentation>What the city grants.</xs:documentation></xs:annotation><xs:sequence>
  <xs:element name="Number" type="xs:string"/><xs:element name="Kind" type="t:Kind"/>
  <xs:element name="Fee" type="xs:decimal" minOccurs="0"/><xs:element name="Owner" type="xs:string" maxOccurs="unbounded"/>
  <xs:element name="Parent" type="t:Permit" minOccurs="0"/></xs:sequence><xs:attribute name="urgent" type="xs:boolean"/></xs:complexType>
<xs:simpleType name="Kind"><xs:restriction base="xs:string"><xs:enumeration value="BUILD"/><xs:enumeration value="TRADE"/></xs:restriction></xs:simpleType>
<xs:element name="SubmitPermit"><xs:complexType><xs:sequence><xs:element name="RequestId" type="xs:string"/><xs:element name="Permit" type="t:Permit"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="SubmitPermitResponse"><xs:complexType><xs:sequence><xs:element name="ResultCode" type="xs:string"/><xs:element name="Receipt" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="InquirePermit"><xs:complexType><xs:sequence><xs:element name="RequestId" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="InquirePermitResponse"><xs:complexType><xs:sequence><xs:element name="ResultCode" type="xs:string"/><xs:element name="Paper" type="xs:base64Binary" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
"""  # fmt: skip
OPERATIONS = ("SubmitPermit", "InquirePermit")


def schema(content: str = TYPES, imports: str = "", target: str = "urn:city") -> str:
    """A schema element."""
    spaces = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:city"'
    return (
        f'<xs:schema {spaces} targetNamespace="{target}" elementFormDefault="qualified">{imports}{content}</xs:schema>'
    )


def wsdl(
    types: str | None = None,
    *,
    style: str = "document",
    soap: str = "soap",
    operations: tuple[str, ...] = OPERATIONS,
    more: str = "",
    more_ports: str = "",
) -> str:
    """A WSDL with one port; `more` stands before its service."""
    messages = "".join(
        f'<message name="{name}In"><part name="body" element="t:{name}"/></message>'
        f'<message name="{name}Out"><part name="body" element="t:{name}Response"/></message>'
        for name in operations
    )
    port_type = "".join(
        f'<operation name="{name}"><documentation>About {name}.</documentation><input message="t:{name}In"/><output message="t:{name}Out"/></operation>'
        for name in operations
    )
    body = f'<{soap}:body use="literal"/>'
    binding = "".join(
        f'<operation name="{name}"><{soap}:operation soapAction="urn:{name}"/><input>{body}</input><output>{body}</output></operation>'
        for name in operations
    )
    transport = "http://schemas.xmlsoap.org/soap/http"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions {WSDL_SPACES} targetNamespace="urn:city">\n'
        f"<types>{schema() if types is None else types}</types>{messages}"
        f'<portType name="Type">{port_type}</portType>'
        f'<binding name="Binding" type="t:Type"><{soap}:binding style="{style}" transport="{transport}"/>{binding}</binding>{more}'
        f'<service name="City"><port name="Port" binding="t:Binding"><{soap}:address location="https://city.example/permits"/></port>{more_ports}</service>'
        "</definitions>"
    )


def openapi(**changes: Any) -> dict[str, Any]:
    """An OpenAPI document; `changes` replace its top-level keys."""
    permit = {
        "type": "object",
        "required": ["id", "status"],
        "properties": {
            "id": {"type": "string"},
            "status": {"type": "string", "enum": ["ISSUED", "WAITING"]},
            "owners": {"type": "array", "items": {"type": "string"}},
            "parent": {"$ref": "#/components/schemas/Permit"},
        },
    }
    answer = {
        "description": "done",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Permit"}}},
    }
    order = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "enum": ["BUILD"]}, "area": {"type": "number"}},
    }
    place = {"in": "path", "name": "permit-id", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "City", "version": "1"},
        "servers": [{"url": "https://city.example/v1"}],
        "components": {"schemas": {"Permit": permit}},
        "paths": {
            "/permits": {
                "post": {
                    "operationId": "submitPermit",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": order}}},
                    "responses": {"201": answer},
                }
            },
            "/permits/{permit-id}": {
                "parameters": [place],
                "get": {"operationId": "getPermitStatus", "responses": {"200": answer, "404": {"description": "none"}}},
                "delete": {"responses": {"204": {"description": "gone"}}},
            },
        },
        **changes,
    }


def write(folder: Path, name: str, content: str | dict[str, Any]) -> str:
    """Write a contract; its path as a person gives it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return str(path)


def written(folder: Path) -> list[str]:
    """What stands in a folder, hidden things too."""
    return sorted(path.name for path in folder.iterdir())


def with_import(location: str) -> str:
    """A WSDL that imports a schema from there."""
    return wsdl(
        f'<xs:schema targetNamespace="urn:wrap"><xs:import namespace="urn:far" schemaLocation="{location}"/></xs:schema>{schema()}'
    )


def refusal(into: Path, source: str, *, kind: str = "wsdl", **options: Any) -> str:
    """The one sentence; nothing was written, and it is said in Arabic too."""
    into.mkdir(exist_ok=True)
    before = written(into)
    take: Callable[..., Any] = import_wsdl if kind == "wsdl" else import_openapi
    with pytest.raises(ContractRefused) as caught:
        take("city", source, into, **options)
    assert written(into) == before
    assert "\n" not in caught.value.en
    assert any("\u0600" <= letter <= "\u06ff" for letter in caught.value.ar)
    return caught.value.en
