"""Our SOAP codec against zeep: build a request, read its answer. Ours also holds both against the schema.

CPU of one process, the three operations of the education package, a document of 3 KiB in two of the answers.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.measure import NO_DATABASE, Goal, Measurement, Place
from connectors.kit.contract import Exchange
from connectors.kit.http import HttpAnswer
from connectors.kit.soap import SoapCodec
from connectors.kit.wsdl import load_wsdl
from connectors.registry import BUILT_IN, find_packages

ROUNDS = 400
NAMESPACE = "urn:moe.gov.sy:certificates:v1"
PDF = b"%PDF-1.7\n" + b"1 0 obj << >> endobj\n" * 145 + b"%%EOF"
APPLICANT = {
    "NationalNumber": "99234567890",
    "Name": {"Given": "سمر", "Father": "خالد", "Mother": "هند", "Family": "الخطيب"},
    "BirthDate": "1997-05-04",
}
RECORD = {
    "SecondaryCertificate": {
        "DocumentKind": "CERTIFICATE",
        "Year": 2015,
        "Branch": "SCIENTIFIC",
        "Governorate": "01",
        "ExamNumber": "123456",
    }
}
REQUESTS: dict[str, dict[str, Any]] = {
    "check": {"Applicant": APPLICANT, "Record": RECORD},
    "submit": {"RequestId": "op-1", "Language": "ar", "Applicant": APPLICANT, "Record": RECORD},
    "inquire": {"RequestId": "op-1"},
}
_PROGRESS = (
    "<RequestId>op-1</RequestId><Result><Status>00</Status><Text>صدرت الوثيقة</Text></Result>"
    "<ReceiptNumber>N-7</ReceiptNumber><IssuedOn>2026-03-01</IssuedOn><Document><FileName>copy.pdf</FileName>"
    f"<ContentType>application/pdf</ContentType><Sha256>{hashlib.sha256(PDF).hexdigest()}</Sha256>"
    f"<Content>{base64.b64encode(PDF).decode()}</Content></Document>"
)
ANSWERS = {
    "check": ("CheckRecord", "<Result><Status>10</Status></Result><LookedUpByHand>false</LookedUpByHand>"),
    "submit": ("SubmitRequest", _PROGRESS),
    "inquire": ("InquireRequest", _PROGRESS),
}


def _answer(operation: str) -> bytes:
    name, inner = ANSWERS[operation]
    element = f'<{name}Response xmlns="{NAMESPACE}">{inner}</{name}Response>'
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Body>{element}</s:Body></s:Envelope>"
    ).encode()


def _ours() -> Callable[[], None]:
    package = find_packages()["education"]
    assert package.manifest.soap is not None
    codec = SoapCodec(load_wsdl(package.folder, package.manifest, package.manifest.soap))
    answers = {}
    for operation in REQUESTS:
        raw = _answer(operation)
        answers[operation] = HttpAnswer(200, {}, raw, "text/xml", "utf-8", Exchange(b"", raw, 200, "text/xml", 1))

    def once() -> None:
        for operation, children in REQUESTS.items():
            codec.envelope(codec.body(operation, children))
            if codec.read(operation, answers[operation]).body["Result"]["Status"] not in {"00", "10"}:
                raise RuntimeError("the answer was read wrongly")

    return once


@dataclass
class _Response:
    """What zeep's binding asks of the HTTP library."""

    content: bytes
    status_code: int = 200
    encoding: str = "utf-8"

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "text/xml; charset=utf-8"}


def _zeep() -> Callable[[], None]:
    from zeep import Client
    from zeep.wsdl.utils import etree_to_string

    client = Client(str(BUILT_IN[0] / "education" / "wsdl" / "education.wsdl"))
    binding = next(iter(client.wsdl.bindings.values()))
    operations = {name: binding.get(ANSWERS[name][0]) for name in REQUESTS}
    answers = {name: _Response(_answer(name)) for name in REQUESTS}

    def once() -> None:
        for name, children in REQUESTS.items():
            etree_to_string(client.create_message(client.service, operations[name].name, **children))
            if binding.process_reply(client, operations[name], answers[name]).Result.Status not in {"00", "10"}:
                raise RuntimeError("the answer was read wrongly")

    return once


def _milliseconds(once: Callable[[], None]) -> float:
    for _ in range(ROUNDS // 10):
        once()
    begun = time.process_time()
    for _ in range(ROUNDS):
        once()
    return (time.process_time() - begun) * 1000 / ROUNDS / len(REQUESTS)


def _measure(place: Place) -> dict[str, float]:
    sides = {"ours": _ours(), "zeep": _zeep()}
    spent = {name: _milliseconds(sides[name]) for name in sorted(sides, reverse=bool(place.run % 2))}
    return {"soap_codec_vs_zeep": spent["ours"] / spent["zeep"], "soap_codec_cpu_ms_per_exchange": spent["ours"]}


async def run(place: Place) -> dict[str, float]:
    """One pair, the odd runs in the other order."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("soap_codec_vs_zeep", "ratio", Goal(1 / 6, at_least=False), run, databases=(NO_DATABASE,)),
    Measurement("soap_codec_cpu_ms_per_exchange", "ms", None, run, databases=(NO_DATABASE,)),
]
