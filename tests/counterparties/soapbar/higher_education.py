"""The Ministry of Higher Education, played by `soapbar` (SOAP 1.2, WS-Addressing): `python higher_education.py WSDL`.

Prints `ready PORT`; `GET /_effects/higher_education` tells what it did and what it had read. What is optional in the
contract is written as a list of none or one, since the package writes an absent complex type as an empty element.
"""

import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from soapbar import (
    ArrayXsdType,
    BindingStyle,
    ChoiceXsdType,
    ComplexXsdType,
    OperationParameter,
    SoapApplication,
    SoapFault,
    SoapService,
    SoapVersion,
    UsernameTokenValidator,
    WsgiSoapApp,
    XsdType,
    soap_operation,
    xsd,
)

SPACE = "urn:mohe.gov.sy:documents:v1"
USER, PASSWORD = "jisr-counterparty", "counterparty-only"
HAS_APPLIED, CLOSED_AT_FIRST, BUSY = "99000000021", "99000000040", "99000000092"
STATIONS = ("IN_DEPARTMENT", "FOR_SIGNATURE", "ISSUED")


def built_in(name: str) -> XsdType:
    """A type of XML Schema itself."""
    found = xsd.resolve(name)
    assert found is not None
    return found


TEXT, INT, DATE, TIME, BINARY = (built_in(name) for name in ("string", "int", "date", "dateTime", "base64Binary"))


def complex_type(name: str, **fields: XsdType) -> ComplexXsdType:
    """A sequence of qualified elements."""
    return ComplexXsdType(name, list(fields.items()), target_namespace=SPACE, qualified=True)


def repeated(kind: XsdType) -> ArrayXsdType:
    """Any number of elements, one after the other."""
    return ArrayXsdType("list", kind, inline=True, target_namespace=SPACE, qualified=True)


APPLICANT = complex_type(
    "Applicant",
    NationalNumber=TEXT,
    GivenName=TEXT,
    FatherName=TEXT,
    MotherName=TEXT,
    FamilyName=TEXT,
    BirthDate=DATE,
)
SUBJECT = ChoiceXsdType(
    "Subject",
    [
        ("Scholar", complex_type("Scholar", DecisionNumber=TEXT, Country=TEXT)),
        ("DevelopingAreas", complex_type("DevelopingAreas", Speciality=TEXT, CommitmentNumber=TEXT)),
        ("NoPostgraduate", complex_type("NoPostgraduate", University=TEXT, Faculty=TEXT, GraduationYear=INT)),
    ],
    target_namespace=SPACE,
    qualified=True,
)
PROGRESS = complex_type(
    "Progress",
    RequestId=TEXT,
    Status=TEXT,
    Text=TEXT,
    FileNumber=TEXT,
    Station=repeated(complex_type("Station", Name=TEXT, ReachedAt=TIME)),
    AskAgainInSeconds=INT,
    IssuedOn=DATE,
    Document=repeated(complex_type("Document", FileName=TEXT, ContentType=TEXT, Sha256=TEXT, Content=BINARY)),
)
FAULT = complex_type("ServiceFault", Code=TEXT, Message=TEXT, OpensAt=TIME)


def operation(name: str, asked: ComplexXsdType, answered: ComplexXsdType) -> Callable[[Any], Any]:
    """A method that takes and gives the one element of a document/literal message."""
    return soap_operation(
        name=name,
        soap_action=f"{SPACE}/{name}",
        input_params=[OperationParameter(name, asked, namespace=SPACE)],
        output_params=[OperationParameter(f"{name}Response", answered, namespace=SPACE)],
    )


def fault(code: str, message: str, opens_at: datetime | None = None) -> SoapFault:
    """The ministry's fault with its declared detail."""
    detail = {"Code": code, "Message": message, "OpensAt": opens_at}
    return SoapFault("Server", message, detail=FAULT.to_element("ServiceFault", detail, SPACE))


def paper(title: str) -> bytes:
    """A small PDF."""
    words = f"BT /F1 12 Tf 72 720 Td ({title}) Tj ET".encode()
    return (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%b\nendstream endobj\n"
        % (len(words), words)
        + b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


class Documents(SoapService):
    """The document service: it never answers at once, and every inquiry finds the file one station further."""

    __service_name__ = "DocumentService"
    __tns__ = SPACE
    __binding_style__ = BindingStyle.DOCUMENT_LITERAL
    __soap_version__ = SoapVersion.SOAP_12

    def __init__(self) -> None:
        self.effects: list[dict[str, Any]] = []
        self._files: dict[str, list[dict[str, Any]]] = {}
        self._told_closed: set[str] = set()

    @operation(
        "Verify",
        complex_type("Verify", Applicant=APPLICANT, Subject=SUBJECT),
        complex_type("VerifyResponse", Status=TEXT, Text=TEXT),
    )
    def verify(self, **message: Any) -> dict[str, Any]:
        number = message["Verify"]["Applicant"]["NationalNumber"]
        if number == BUSY:
            raise fault("BUSY", "الخدمة مشغولة")
        if number == CLOSED_AT_FIRST and number not in self._told_closed:
            self._told_closed.add(number)
            raise fault("CLOSED", "خارج أوقات الدوام", datetime.now(UTC) + timedelta(seconds=2))
        refused = number == HAS_APPLIED
        said = ("HAS_APPLIED", "يوجد طلب دراسات عليا") if refused else ("FOUND", "القيد موجود")
        return {"VerifyResponse": dict(zip(("Status", "Text"), said, strict=True))}

    @operation(
        "Submit", complex_type("Submit", RequestId=TEXT, Language=TEXT, Applicant=APPLICANT, Subject=SUBJECT), PROGRESS
    )
    def submit(self, **message: Any) -> dict[str, Any]:
        asked = message["Submit"]
        self._files[asked["RequestId"]] = []
        seen = {**asked["Applicant"], **asked["Subject"], "Language": asked["Language"]}
        self.effects.append({"operation_id": asked["RequestId"], "what": "file", "seen": seen})
        return {
            "SubmitResponse": {
                "RequestId": asked["RequestId"],
                "Status": "RECEIVED",
                "Text": "سُجل الطلب في الديوان",
                "FileNumber": f"ملف-{5000 + len(self.effects)}",
                "AskAgainInSeconds": 1,
            }
        }

    @operation("Inquire", complex_type("Inquire", RequestId=TEXT), PROGRESS)
    def inquire(self, **message: Any) -> dict[str, Any]:
        number = message["Inquire"]["RequestId"]
        passed = self._files.get(number)
        if passed is None:
            return {"InquireResponse": {"RequestId": number, "Status": "UNKNOWN_REQUEST"}}
        if len(passed) < len(STATIONS):
            passed.append({"Name": STATIONS[len(passed)], "ReachedAt": datetime.now(UTC)})
        progress: dict[str, Any] = {"RequestId": number, "Status": passed[-1]["Name"], "Station": passed}
        if passed[-1]["Name"] == "ISSUED":
            progress |= {"IssuedOn": date.today(), "Document": [self._issued(number)]}  # noqa: DTZ011  # as an office has it
        return {"InquireResponse": progress}

    @staticmethod
    def _issued(number: str) -> dict[str, Any]:
        content = paper(f"Document {number}")
        return {
            "FileName": "وثيقة.pdf",
            "ContentType": "application/pdf",
            "Sha256": hashlib.sha256(content).hexdigest(),
            "Content": content,
        }


class Gateway(UsernameTokenValidator):
    """Whom the ministry knows; the package checks digest, age and nonce."""

    def get_password(self, username: str) -> str | None:
        return PASSWORD if username == USER else None


class ManyAtOnce(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        pass


def main(contract: Path) -> None:
    """Serve on a free port of loopback until the process is ended."""
    warnings.filterwarnings("ignore", message=".*plain HTTP.*")
    service = Documents()
    application = SoapApplication(contract.read_bytes(), "http://127.0.0.1/documents/v1", security_validator=Gateway())
    application.register(service)
    soap = WsgiSoapApp(application)

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/_effects/"):
            return soap(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(service.effects).encode()]

    with make_server("127.0.0.1", 0, serve, ManyAtOnce, Quiet) as server:
        print("ready", server.server_port, flush=True)  # noqa: T201  # whoever started it waits for this line
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
