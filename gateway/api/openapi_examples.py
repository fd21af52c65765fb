"""This file holds the examples of the API's reference: bodies that the sandboxes accept. The people are invented."""

from typing import Any

_NAME = {"given": "سلمى", "father": "خالد", "mother": "هدى", "family": "الحسن"}

CERTIFICATE: dict[str, Any] = {
    "service": "education.secondary-certificate-copy",
    "applicant": {"national_number": "01010000001", "name": _NAME, "assurance": "substantial"},
    "input": {
        "document_kind": "certificate",
        "year": 2015,
        "branch": "scientific",
        "governorate": "damascus",
        "exam_number": "4321",
    },
    "payment": {
        "method": "syriatel_cash",
        "payer": {"mobile": "0930000001"},
        "amount": {"value": "25.00", "currency": "SYP", "denomination": "SYP-new"},
    },
    "reference": "web-2026-0001",
}

VEHICLE: dict[str, Any] = {
    "service": "transport.vehicle-statement",
    "applicant": {"national_number": "01010000001", "name": _NAME, "assurance": "low"},
    "input": {"plate_number": "123456", "governorate": "damascus", "category": "private"},
}

REQUESTS = {
    "certificate": {"summary": "A paid certificate", "value": CERTIFICATE},
    "vehicle": {"summary": "A free vehicle statement", "value": VEHICLE},
}

ACTIONS = {
    "otp": {"summary": "The code of the text message", "value": {"otp": "123456"}},
    "resend": {"summary": "Ask for another code", "value": {"resend": True}},
    "method": {
        "summary": "Another payer or method after a failure",
        "value": {"method": "syriatel_cash", "payer": {"mobile": "0930000001"}},
    },
}
