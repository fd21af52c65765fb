"""Requests as tests make them, of invented people and things."""

from typing import Any

#: Invented people and things; any other valid number than the sandboxes' test persons succeeds.
APPLICANT: dict[str, Any] = {
    "national_number": "01230004567",
    "name": {"given": "سلمى", "father": "عادل", "mother": "هدى", "family": "الخطيب"},
    "mobile": "0930000001",
    "account": "acc-1",
    "assurance": "substantial",
}
CERTIFICATE: dict[str, Any] = {
    "service": "education.secondary-certificate-copy",
    "applicant": APPLICANT,
    "input": {
        "document_kind": "certificate",
        "year": 2015,
        "branch": "scientific",
        "governorate": "damascus",
        "exam_number": "123456",
    },
    "payment": {"method": "syriatel_cash", "payer": {"mobile": "0930000001"}},
}
VEHICLE: dict[str, Any] = {
    "service": "transport.vehicle-statement",
    "applicant": APPLICANT,
    "input": {"plate_number": "123456", "governorate": "damascus", "category": "private"},
}
