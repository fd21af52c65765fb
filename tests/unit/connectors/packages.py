"""Connectors for tests: the education package against any address, and small packages written on the spot."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit.contract import Call, Connector, Ports
from connectors.kit.tokens import LocalTokens
from connectors.registry import BUILT_IN, find_packages, open_connector

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "urn:moe.gov.sy:certificates:v1"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PDF = b"%PDF-1.7\n" + b"1 0 obj << >> endobj\n" * 3 + b"%%EOF"
DOCUMENT: dict[str, Any] = {
    "request": {
        "id": "r-1",
        "service": "education.secondary-certificate-copy",
        "language": "ar",
        "accepted_at": "2026-03-01T12:00:00Z",
    },
    "applicant": {
        "national_number": "01234567890",
        "name": {"given": "سمر", "father": "خالد", "mother": "هند", "family": "الخطيب"},
        "assurance": "low",
    },
    "input": {
        "document_kind": "certificate",
        "year": 2015,
        "branch": "scientific",
        "governorate": "damascus",
        "exam_number": "123",
    },
    "delivery": {},
    "fee": {"amount_minor": 2500, "currency": "SYP", "denomination": "SYP-new"},
    "payer": {"mobile": "+963931234567"},
    "reference": "",
    "subject_operation_id": "op-1",
    "steps": {},
}


def education(url: str, folder: Path | None = None) -> Connector:
    package = find_packages([folder] if folder else [])["education"]
    settings = {"base_url": url, "username": "jisr", "password": "an invented password"}
    return open_connector(package, Ports(settings, LocalTokens(lambda: NOW), lambda: NOW))


def call(**changes: Any) -> Call:
    return Call(**{"operation_id": "op-1", "document": DOCUMENT, **changes})


def envelope(body: str, declaration: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    return f'{declaration}<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def progress(
    status: str = "00",
    *,
    operation: str = "SubmitRequest",
    pdf: bytes | None = PDF,
    request_id: str = "op-1",
    extra: str = "",
) -> str:
    document = ""
    if pdf is not None:
        document = (
            f"<Document><FileName>copy.pdf</FileName><ContentType>application/pdf</ContentType>"
            f"<Sha256>{hashlib.sha256(pdf).hexdigest()}</Sha256><Content>{base64.b64encode(pdf).decode()}</Content></Document>"
        )
    return (
        f'<{operation}Response xmlns="{NAMESPACE}"><RequestId>{request_id}</RequestId><Result><Status>{status}</Status></Result>'
        f"<ReceiptNumber>N-7</ReceiptNumber>{extra}{document}</{operation}Response>"
    )


def fault(code: str, *, detail: str | None = None) -> str:
    inner = (
        f'<detail><ServiceFault xmlns="{NAMESPACE}"><Code>{detail}</Code><Message>words</Message></ServiceFault></detail>'
        if detail
        else ""
    )
    return f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>words</faultstring>{inner}</s:Fault>"


MANIFEST = """
name = "office"
version = "1"
kind = "rest"
[title]
ar = "مكتب"
en = "Office"
[settings.base_url]
type = "url"
"""
CODES = """
[codes."*"]
done = { status = "succeeded" }
no = { status = "refused", code = "not_possible" }
waits = { status = "pending" }
broken = { error = "faulted" }
busy = { error = "throttled" }
stale = { error = "token_rejected" }
"""
ANSWER = "answer: {code: answer.status, message: answer.message, reference: answer.number, data: {n: answer.n}}\n"


def write_package(
    root: Path, *, manifest: str, mappings: dict[str, str], codes: str = CODES, name: str = "office"
) -> Path:
    folder = root / name
    (folder / "mapping").mkdir(parents=True)
    (folder / "manifest.toml").write_text(manifest, "utf-8")
    (folder / "codes.toml").write_text(codes, "utf-8")
    for operation, text in mappings.items():
        (folder / "mapping" / f"{operation}.yaml").write_text(text, "utf-8")
    return folder


def office(folder: Path, **settings: Any) -> Connector:
    return open_connector(find_packages([folder])["office"], Ports(settings, LocalTokens(lambda: NOW), lambda: NOW))


def education_copy(root: Path) -> Path:
    """The education package's data under another name, to be broken by a test."""
    source = BUILT_IN[0] / "education"
    folder = root / "ministry"
    for file in source.rglob("*"):
        if file.is_file() and file.suffix in {".toml", ".yaml", ".wsdl"} and "samples" not in file.parts:
            target = folder / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('name = "education"', 'name = "ministry"'), "utf-8")
    return folder
