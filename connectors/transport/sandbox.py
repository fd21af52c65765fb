"""The Directorate of Transport's sandbox: REST and JSON, OAuth2 client credentials, `Idempotency-Key` honoured.

Quirks that it plays: a token ends after five minutes and may be refused in the middle; a search comes in pages of two.
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from connectors.kit.sandbox_institution import (
    Answer,
    Demand,
    Desk,
    Heard,
    Institution,
    NotUnderstoodError,
    Person,
    read_object,
)
from connectors.kit.sandbox_pdf import make_pdf

TOKEN_SECONDS = 300
PAGE_SIZE = 2
VALID_DAYS = 30
VEHICLE = re.compile(r"/v1/vehicles/([0-9]{2})/([0-9]{4,7})")
FIELDS = ("requestId", "plateNumber", "governorate", "category", "owner")
TEXTS: Mapping[str, str] = {
    "FOUND": "المركبة موجودة",
    "ISSUED": "صدر البيان",
    "VEHICLE_NOT_FOUND": "المركبة غير موجودة",
    "OWNER_MISMATCH": "صاحب الطلب ليس مالك المركبة",
    "APPLICANT_UNKNOWN": "صاحب الطلب غير معروف",
    "VEHICLE_SEIZED": "المركبة محجوزة",
    "REGISTER_CLOSED": "السجل مغلق مؤقتا",
    "INTERNAL_ERROR": "خطأ داخلي",
    "INVALID_REQUEST": "الطلب غير صحيح",
    "KEY_REUSED": "المفتاح مستخدم لطلب آخر",
}
#: Outcomes of persons.toml: HTTP status and result code.
REFUSALS: Mapping[str, tuple[int, str]] = {
    "applicant_unknown": (404, "APPLICANT_UNKNOWN"),
    "vehicle_not_found": (404, "VEHICLE_NOT_FOUND"),
    "not_the_owner": (403, "OWNER_MISMATCH"),
    "vehicle_seized": (409, "VEHICLE_SEIZED"),
    "unlisted_code": (200, "UNDER_STUDY"),
    "technical_error": (500, "INTERNAL_ERROR"),
    "register_closed": (503, "REGISTER_CLOSED"),
}


def _say(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(json.dumps(content, ensure_ascii=False).encode(), status=status, headers=headers or {})


def _result(code: str) -> Mapping[str, str]:
    return {"code": code, "message": TEXTS.get(code, "الطلب قيد الدراسة")}


def _refuse(status: int, code: str, **more: Any) -> Answer:
    return _say(status, {"result": _result(code), **more})


class Sandbox(Institution):
    """The vehicle register."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._tokens: dict[str, datetime] = {}

    def hear(self, heard: Heard) -> Demand:
        """Find the operation, check the bearer token, and read the body."""
        if (heard.method, heard.path) == ("POST", "/oauth2/token"):
            return Demand("token", heard, parse_qs(heard.body.decode("ascii", "replace")))
        if (heard.method, heard.path) == ("POST", "/v1/vehicle-statements"):
            return Demand("vehicle-statement", heard)
        if heard.method == "GET" and heard.path == "/v1/vehicles":
            return Demand("vehicle-search", heard)
        if heard.method == "GET" and (found := VEHICLE.fullmatch(heard.path)):
            return Demand("vehicle-check", heard, found.group(2))
        raise NotUnderstoodError(_refuse(404, "INVALID_REQUEST"))

    def answer(self, demand: Demand) -> Answer:
        """A token, a vehicle, a page of vehicles, or a statement."""
        if demand.operation == "token":
            return self._token(demand)
        refused = self._unauthorised(demand.heard)
        if refused is not None:
            return refused
        if demand.operation == "vehicle-statement":
            return self._statement(demand.heard)
        if demand.operation == "vehicle-search":
            return self._search(demand.heard)
        return self._check(demand)

    def fault(self, operation: str) -> Answer:
        """The register's own technical error."""
        return _refuse(500, "INTERNAL_ERROR")

    def forget_tokens(self) -> None:
        """Every token is refused from now on."""
        self._tokens.clear()

    def reset(self) -> None:
        """Forget the tokens; statements are in the ledger's memory."""
        self._tokens.clear()

    def _token(self, demand: Demand) -> Answer:
        """RFC 6749, 4.4: client credentials by HTTP Basic."""
        if demand.content.get("grant_type") != ["client_credentials"]:
            return _say(400, {"error": "unsupported_grant_type"})
        if not self._knows_client(demand.heard.headers.get("Authorization", "")):
            return _say(401, {"error": "invalid_client"}, {"WWW-Authenticate": 'Basic realm="vehicles"'})
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self.desk.now() + timedelta(seconds=TOKEN_SECONDS)
        content = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return _say(200, content, {"Cache-Control": "no-store"})

    def _knows_client(self, authorization: str) -> bool:
        try:
            text = base64.b64decode(authorization.removeprefix("Basic "), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        client, _, secret = text.partition(":")
        settings = self.desk.settings
        return (unquote_plus(client), unquote_plus(secret)) == (settings["client_id"], settings["client_secret"])

    def _unauthorised(self, heard: Heard) -> Answer | None:
        ends = self._tokens.get(heard.headers.get("Authorization", "").removeprefix("Bearer "))
        if ends is not None and self.desk.now() < ends:
            return None
        return _say(401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})

    def _check(self, demand: Demand) -> Answer:
        person = self.persons.find(demand.heard.query.get("ownerNationalNumber", ""))
        if person.outcome in REFUSALS:
            return self._refusal(person)
        return _say(200, {"result": _result("FOUND"), "vehicle": _vehicle(demand.content)})

    def _search(self, heard: Heard) -> Answer:
        """Every owner has three vehicles; they come in pages of two."""
        owner, page = heard.query.get("ownerNationalNumber", ""), heard.query.get("page", "1")
        if not owner.isdecimal() or page not in ("1", "2"):
            return _refuse(422, "INVALID_REQUEST")
        plates = [f"{owner[-3:]}{number}00" for number in (1, 2, 3)]
        start = (int(page) - 1) * PAGE_SIZE
        content: dict[str, Any] = {"items": [_vehicle(plate) for plate in plates[start : start + PAGE_SIZE]]}
        if start + PAGE_SIZE < len(plates):
            content["nextPage"] = int(page) + 1
        return _say(200, content)

    def _refusal(self, person: Person, **more: Any) -> Answer:
        status, code = REFUSALS[person.outcome]
        return _refuse(status, code, **more)

    def _statement(self, heard: Heard) -> Answer:
        key = heard.headers.get("Idempotency-Key", "")
        body = read_object(heard.body)
        if not key or any(field not in body for field in FIELDS) or not isinstance(body["owner"], dict):
            return _refuse(422, "INVALID_REQUEST")
        person = self.persons.find(str(body["owner"].get("nationalNumber", "")))
        if person.outcome in REFUSALS:
            return self._refusal(person, requestId=body["requestId"])
        digest = hashlib.sha256(heard.body).hexdigest()
        issued = self.ledger.memory.get(key)
        if issued is None:
            self.ledger.record(key, "vehicle-statement", "statement")
            issued = [digest, self.desk.now().isoformat(timespec="seconds"), 40_000 + len(self.ledger.memory)]
            self.ledger.remember(key, issued)
        elif issued[0] != digest:
            return _refuse(422, "KEY_REUSED", requestId=body["requestId"])
        return _say(201, self._issued(body, issued[1], issued[2]))

    def _issued(self, body: Mapping[str, Any], issued_at: str, number: int) -> Mapping[str, Any]:
        """The stored answer: a pure function of the request and of when and under which number it was issued."""
        ends = datetime.fromisoformat(issued_at).date() + timedelta(days=VALID_DAYS)
        lines = (f"Statement {number}", f"Request {body['requestId']}", f"Plate {body['plateNumber']}")
        pdf = make_pdf("Directorate of Transport - sandbox", lines)
        return {
            "result": _result("ISSUED"),
            "requestId": body["requestId"],
            "statementNumber": f"VS-{number}",
            "issuedAt": issued_at,
            "validUntil": ends.isoformat(),
            "vehicle": _vehicle(str(body["plateNumber"])),
            "document": {
                "fileName": "vehicle-statement.pdf",
                "mediaType": "application/pdf",
                "sha256": hashlib.sha256(pdf).hexdigest(),
                "content": base64.b64encode(pdf).decode(),
            },
        }


def _vehicle(plate: str) -> Mapping[str, Any]:
    return {"plateNumber": plate, "make": "سيارة تجريبية", "modelYear": 2010, "seized": False}
