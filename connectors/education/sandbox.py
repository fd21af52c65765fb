"""The Ministry of Education's sandbox: SOAP 1.1 over the vendored WSDL, with WS-Security checked as the ministry would.

Quirks that it plays: certificates before 1990 are looked up by hand ("received, number N", the result comes by
inquiry), and a second submission of the same request issues a second, charged copy.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from connectors.kit.sandbox_institution import XML, Answer, Demand, Desk, Heard, Institution, NotUnderstoodError, Person
from connectors.kit.sandbox_pdf import make_pdf

TNS = "urn:moe.gov.sy:certificates:v1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
XSD = "http://www.w3.org/2001/XMLSchema"
DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
OPERATIONS = {"CheckRecord": "check", "SubmitRequest": "submit", "InquireRequest": "inquire"}
FRESH = timedelta(minutes=5)
LAST_YEAR_BY_HAND = 1989
NEXT_INQUIRY_SECONDS = 2

TEXTS: Mapping[str, str] = {
    "00": "صدرت الصورة المصدقة",
    "01": "تم استلام الطلب",
    "02": "القيد قيد البحث اليدوي",
    "10": "القيد موجود",
    "11": "القيد يبحث عنه يدويا",
    "20": "الشهادة غير موجودة",
    "21": "صاحب الطلب غير معروف",
    "22": "بيانات صاحب الطلب لا تطابق القيد",
    "23": "الموظف غير معروف",
    "30": "رقم الطلب غير موجود",
    "90": "خطأ فني",
}
#: Outcomes of persons.toml that refuse at once, with the ministry's code.
REFUSALS: Mapping[str, str] = {
    "certificate_not_found": "20",
    "applicant_unknown": "21",
    "applicant_mismatch": "22",
    "employee_unknown": "23",
    "technical_error": "90",
    "unlisted_code": "77",
}
#: Outcomes that are a soap:Fault, with the code in its detail.
FAULTS: Mapping[str, str] = {"record_withheld": "RECORD_WITHHELD", "busy": "BUSY", "unlisted_fault": "ARCHIVE_LOCKED"}


def _envelope(content: str, status: int = 200) -> Answer:
    head = f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'
    return Answer(f"{head}{content}</soap:Body></soap:Envelope>".encode(), status=status, content_type=XML)


def _fault(code: str, text: str, detail: str = "") -> Answer:
    """A SOAP 1.1 Fault; HTTP 500 as the SOAP 1.1 binding wants it."""
    inner = f'<t:ServiceFault xmlns:t="{TNS}"><t:Code>{detail}</t:Code><t:Message>{text}</t:Message></t:ServiceFault>'
    return _envelope(
        f'<soap:Fault xmlns:wsse="{WSSE}"><faultcode>{code}</faultcode><faultstring>{text}</faultstring>'
        f"{f'<detail>{inner}</detail>' if detail else ''}</soap:Fault>",
        500,
    )


def _result(code: str) -> str:
    return f"<t:Result><t:Status>{code}</t:Status><t:Text>{TEXTS.get(code, 'رمز غير مدرج')}</t:Text></t:Result>"


@lru_cache(maxsize=4096)
def _document(request_id: str, copy: int) -> str:
    pdf = make_pdf("Ministry of Education - sandbox", ("Certified copy", f"Request {request_id}", f"Copy {copy}"))
    content = base64.b64encode(pdf).decode()
    return (
        f"<t:Document><t:FileName>certified-copy.pdf</t:FileName><t:ContentType>application/pdf</t:ContentType>"
        f"<t:Sha256>{hashlib.sha256(pdf).hexdigest()}</t:Sha256><t:Content>{content}</t:Content></t:Document>"
    )


class Sandbox(Institution):
    """The certificate service."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._wsdl = (desk.folder / "wsdl" / "education.wsdl").read_bytes()
        schema = etree.fromstring(self._wsdl).find(f".//{{{XSD}}}schema")
        if schema is None:
            raise ValueError("education.wsdl holds no schema")
        self._schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))  # alone, with its namespaces
        self._nonces: dict[str, datetime] = {}
        self._receipt = 70_000 + len(self.ledger.memory)
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)

    def hear(self, heard: Heard) -> Demand:
        """Read the envelope, check who speaks, and validate the body against the WSDL's schema."""
        if heard.method == "GET":
            raise NotUnderstoodError(Answer(self._wsdl, content_type=XML))
        try:
            envelope = etree.fromstring(heard.body, self._parser)
        except etree.XMLSyntaxError:
            raise NotUnderstoodError(_fault("soap:Client", "ليست رسالة")) from None
        body = envelope.find(f"{{{SOAP}}}Body")
        if envelope.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) != 1:
            raise NotUnderstoodError(_fault("soap:VersionMismatch", "not a SOAP 1.1 message"))
        self._authenticate(envelope)
        act = body[0]
        name = etree.QName(act)
        if name.namespace != TNS or name.localname not in OPERATIONS:
            raise NotUnderstoodError(_fault("soap:Client", "unknown operation", "UNKNOWN_OPERATION"))
        action = heard.headers.get("SOAPAction", "").strip('"')
        if action not in ("", f"{TNS}/{name.localname}"):
            raise NotUnderstoodError(_fault("soap:Client", "SOAPAction is not the body's", "ACTION_MISMATCH"))
        if not self._schema.validate(act):
            raise NotUnderstoodError(_fault("soap:Client", "body is not valid", "INVALID_REQUEST"))
        return Demand(OPERATIONS[name.localname], heard, act)

    def answer(self, demand: Demand) -> Answer:
        """Check, submit or inquire."""
        act: etree._Element = demand.content
        if demand.operation == "inquire":
            return self._inquire(act.findtext(f"{{{TNS}}}RequestId", ""))
        number = act.findtext(f"{{{TNS}}}Applicant/{{{TNS}}}NationalNumber", "")
        person = self.persons.find(number)
        by_hand = int(act.findtext(f".//{{{TNS}}}Year", "9999")) <= LAST_YEAR_BY_HAND
        if demand.operation == "check":
            return self._check(person, by_hand=by_hand)
        return self._submit(act.findtext(f"{{{TNS}}}RequestId", ""), person, by_hand=by_hand)

    def fault(self, operation: str) -> Answer:
        """A fault that names no listed refusal."""
        return _fault("soap:Server", "خطأ داخلي", "INTERNAL")

    def act(self, action: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """`finish`: the clerk found the paper; the next inquiry brings the document."""
        if action != "finish":
            raise KeyError(action)
        record = self.ledger.memory[facts["operation_id"]]
        self.ledger.remember(facts["operation_id"], {**record, "left": 0})
        return {"operation_id": facts["operation_id"], "state": "found"}

    def reset(self) -> None:
        """Forget the nonces."""
        self._nonces.clear()

    def _check(self, person: Person, *, by_hand: bool) -> Answer:
        if person.outcome in FAULTS:
            return _fault("soap:Server", "لا يمكن الاطلاع على القيد", FAULTS[person.outcome])
        code = REFUSALS.get(person.outcome, "11" if by_hand else "10")
        hand = "true" if by_hand else "false"
        return _envelope(
            f'<t:CheckRecordResponse xmlns:t="{TNS}">{_result(code)}<t:LookedUpByHand>{hand}</t:LookedUpByHand>'
            "</t:CheckRecordResponse>"
        )

    def _submit(self, request_id: str, person: Person, *, by_hand: bool) -> Answer:
        if person.outcome in FAULTS:
            return _fault("soap:Server", "لا يمكن الاطلاع على القيد", FAULTS[person.outcome])
        code = REFUSALS.get(person.facts.get("at_submit", person.outcome))
        if code is not None:
            return self._progress("Submit", request_id, code)
        copy = self.ledger.record(request_id, "submit", "copy")
        self._receipt += 1
        by_hand = by_hand or "inquiries" in person.facts
        record = {
            "receipt": self._receipt,
            "copy": copy,
            "left": person.facts.get("inquiries", 2) if by_hand else 0,
            "end": REFUSALS.get(person.facts.get("at_end", ""), "00"),
            "hidden": person.facts.get("hidden_inquiries", 0),
        }
        self.ledger.remember(request_id, record)
        if by_hand:
            return self._progress("Submit", request_id, "01", record)
        return self._progress("Submit", request_id, "00", record)

    def _inquire(self, request_id: str) -> Answer:
        record = self.ledger.memory.get(request_id)
        if record is None:
            return self._progress("Inquire", request_id, "30")
        if record["hidden"] != 0:
            self.ledger.remember(request_id, {**record, "hidden": record["hidden"] - 1})
            return self._progress("Inquire", request_id, "30")
        if record["left"] == 0:
            return self._progress("Inquire", request_id, record["end"], record)
        self.ledger.remember(request_id, {**record, "left": record["left"] - 1})
        return self._progress("Inquire", request_id, "02", record)

    def _progress(self, verb: str, request_id: str, code: str, record: Mapping[str, Any] | None = None) -> Answer:
        safe_id = escape(request_id)
        parts = [f"<t:RequestId>{safe_id}</t:RequestId>", _result(code)]
        if record is not None:
            parts.append(f"<t:ReceiptNumber>{record['receipt']}</t:ReceiptNumber>")
        if record is not None and code in ("01", "02"):
            parts.append(f"<t:NextInquirySeconds>{NEXT_INQUIRY_SECONDS}</t:NextInquirySeconds>")
        if record is not None and code == "00":
            parts.append(f"<t:IssuedOn>{self.desk.now().date().isoformat()}</t:IssuedOn>")
            parts.append(_document(safe_id, record["copy"]))
        return _envelope(f'<t:{verb}RequestResponse xmlns:t="{TNS}">{"".join(parts)}</t:{verb}RequestResponse>')

    def _authenticate(self, envelope: etree._Element) -> None:
        """WS-Security UsernameToken Profile 1.0: digest, nonce used once, Created within five minutes."""
        token = envelope.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security/{{{WSSE}}}UsernameToken")
        if token is None or not self._token_is_good(token):
            raise NotUnderstoodError(_fault("wsse:FailedAuthentication", "اسم المستخدم أو كلمة السر غير صحيحة"))

    def _token_is_good(self, token: etree._Element) -> bool:
        password = token.find(f"{{{WSSE}}}Password")
        nonce, created = token.findtext(f"{{{WSSE}}}Nonce", ""), token.findtext(f"{{{WSU}}}Created", "")
        if password is None or password.get("Type") != DIGEST or nonce in self._nonces:
            return False
        try:
            made = datetime.fromisoformat(created)
            raw = base64.b64decode(nonce, validate=True) + created.encode()
        except ValueError:
            return False
        now = self.desk.now()
        secret = self.desk.settings["password"].encode()
        wanted = base64.b64encode(hashlib.sha1(raw + secret).digest()).decode()  # the profile's algorithm
        fresh = made.tzinfo is not None and abs(now - made) <= FRESH
        user = token.findtext(f"{{{WSSE}}}Username", "") == self.desk.settings["username"]
        if not (fresh and user and hmac.compare_digest(wanted, password.text or "")):
            return False
        self._nonces[nonce] = made
        while now - self._nonces[oldest := next(iter(self._nonces))] > FRESH:
            del self._nonces[oldest]  # too old to be taken again, with whatever nonce
        return True
