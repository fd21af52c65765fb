"""The mobile operator's sandbox: wallets, OTPs and debits, on the wire of the ePayment external module.

Where the contract leaves something open the sandbox takes the worst for whoever calls: a second confirmation with a
valid OTP debits a second time.
"""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

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

BASE = "/ePayment_external_Json/rs/ePaymentExternalModule/"
CALLS = {
    "getToken": "token",
    "paymentRequest": "initiate",
    "paymentConfirmation": "confirm",
    "resendOTP": "resend",
}
#: The fields that each call must have, beside those that it does not know.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "token": ("username", "password"),
    "initiate": ("customerMSISDN", "merchantMSISDN", "amount", "transactionID", "token"),
    "confirm": ("OTP", "merchantMSISDN", "transactionID", "token"),
    "resend": ("merchantMSISDN", "transactionID", "token"),
}
WIRE_NAMES = {operation: call for call, operation in CALLS.items()}
MSISDN = re.compile(r"9639[0-9]{8}")
WHOLE_POUNDS = re.compile(r"[1-9][0-9]{0,11}")
BALANCE = 1_000_000
TOKEN_LIFE = timedelta(hours=1)
REQUEST_LIFE = timedelta(minutes=10)
CONFIRM_LIFE = timedelta(days=1)
OTP_SECONDS = 300

TEXTS: Mapping[str, str] = {
    "0": "تمت العملية بنجاح",
    "-3": "المبلغ غير صحيح",
    "-6": "حساب المشترك غير مفعل",
    "-7": "حساب التاجر غير مفعل",
    "-8": "لا توجد محفظة للمشترك",
    "-10": "لا توجد محفظة للتاجر",
    "-13": "الرصيد غير كاف",
    "-17": "تم تجاوز الحد اليومي",
    "-96": "الرمز غير صحيح",
    "-97": "العملية غير صالحة أو منتهية",
    "-98": "انتهت مهلة العملية",
    "-99": "حقل فارغ",
    "-100": "خطأ فني",
    "-101": "رقم العملية مستخدم",
    "-102": "المتصل غير معروف",
    "-103": "تم الخصم ولم يصل المبلغ إلى التاجر",
    "-104": "انتهت صلاحية الرمز",
    "-500": "الجلسة غير صالحة",
}


def _say(code: str, **more: str) -> Answer:
    """HTTP 200 always; the code is a string."""
    content = {"errorCode": code, "errorDesc": TEXTS.get(code, "رمز غير مدرج"), **more}
    return Answer(json.dumps(content, ensure_ascii=False).encode())


class Sandbox(Institution):
    """The payment module."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._tokens: dict[str, datetime] = {}
        self._messages: list[Mapping[str, Any]] = []

    def hear(self, heard: Heard) -> Demand:
        """Find the call by the last part of its path, and read the JSON body."""
        operation = CALLS.get(heard.path.removeprefix(BASE))
        if operation is None or heard.method != "POST":
            raise NotUnderstoodError(Answer(b"not found", status=404, content_type="text/plain"))
        return Demand(operation, heard, read_object(heard.body))

    def answer(self, demand: Demand) -> Answer:
        """Null parameters first, then the token, then the call."""
        fields: Mapping[str, str] = demand.content
        if any(not isinstance(fields.get(name), str) or not fields[name] for name in FIELDS[demand.operation]):
            return _say("-99")
        if demand.operation == "token":
            return self._token(fields)
        ends = self._tokens.get(fields["token"])
        if ends is None or self.desk.now() >= ends:
            return _say("-500")
        if fields["merchantMSISDN"] != self.desk.settings["merchant"]:
            return _say("-102")
        if demand.operation == "initiate":
            return self._initiate(fields)
        return self._confirm(fields) if demand.operation == "confirm" else self._resend(fields)

    def fault(self, operation: str) -> Answer:
        """Technical error."""
        return _say("-100")

    def forget_tokens(self) -> None:
        """Every token is refused with -500 from now on."""
        self._tokens.clear()

    def messages(self) -> list[Mapping[str, Any]]:
        """The SMS that were sent: transaction_id, mobile, otp."""
        return self._messages

    def reset(self) -> None:
        """Forget tokens and messages; payments are in the ledger's memory."""
        self._tokens.clear()
        self._messages.clear()

    def _token(self, fields: Mapping[str, str]) -> Answer:
        settings = self.desk.settings
        if (fields["username"], fields["password"]) != (settings["username"], settings["password"]):
            return _say("-102")
        token = secrets.token_hex(16)
        self._tokens[token] = self.desk.now() + TOKEN_LIFE
        return _say("0", token=token)

    def _initiate(self, fields: Mapping[str, str]) -> Answer:
        person = self.persons.find(fields["customerMSISDN"])
        if (code := _code_of(person, "initiate")) is not None:
            return _say(code)
        if not MSISDN.fullmatch(fields["customerMSISDN"]) or not WHOLE_POUNDS.fullmatch(fields["amount"]):
            return _say("-3")
        payment = self.ledger.memory.get(fields["transactionID"])
        if payment is None:
            payment = {
                "payer": fields["customerMSISDN"],
                "amount": int(fields["amount"]),
                "asked_at": self.desk.now().isoformat(),
            }
        elif (payment["payer"], payment["amount"]) != (fields["customerMSISDN"], int(fields["amount"])):
            return _say("-101")
        elif self._age(payment) > REQUEST_LIFE:
            return _say("-98")
        self._send_otp(fields["transactionID"], payment, person)
        return _say("0")

    def _confirm(self, fields: Mapping[str, str]) -> Answer:
        payment = self.ledger.memory.get(fields["transactionID"])
        if payment is None:
            return _say("-101")
        person = self.persons.find(payment["payer"])
        refused = self._refused(payment, person, fields["OTP"])
        if refused is not None:
            return _say(refused)
        code = _code_of(person, "confirm")
        if code is None or person.facts.get("debits"):
            self._debit(fields["transactionID"], payment)
        return _say(code or "0")

    def _refused(self, payment: Mapping[str, Any], person: Person, otp: str) -> str | None:
        """Why no money moves, by the operator's own checks."""
        if self._age(payment) > CONFIRM_LIFE:
            return "-98"
        if otp != payment["otp"]:
            return "-96"
        if self.desk.now() >= datetime.fromisoformat(payment["otp_ends_at"]):
            return "-104"
        spent = self.ledger.memory.get(f"spent:{payment['payer']}", 0)
        if payment["amount"] + spent > person.facts.get("balance", BALANCE):
            return "-13"
        return "-17" if payment["amount"] + spent > person.facts.get("daily_limit", BALANCE) else None

    def _debit(self, transaction_id: str, payment: Mapping[str, Any]) -> None:
        self.ledger.record(transaction_id, "confirm", "debit")
        key = f"spent:{payment['payer']}"
        self.ledger.remember(key, self.ledger.memory.get(key, 0) + payment["amount"])

    def _resend(self, fields: Mapping[str, str]) -> Answer:
        payment = self.ledger.memory.get(fields["transactionID"])
        if payment is None:
            return _say("-97")
        person = self.persons.find(payment["payer"])
        if (code := _code_of(person, "resend")) is not None:
            return _say(code)
        if self._age(payment) > CONFIRM_LIFE:
            return _say("-98")
        self._send_otp(fields["transactionID"], payment, person)
        return _say("0")

    def _send_otp(self, transaction_id: str, payment: Mapping[str, Any], person: Person) -> None:
        """A new OTP; the one before counts no more."""
        otp = f"{secrets.randbelow(1_000_000):06d}"
        ends = self.desk.now() + timedelta(seconds=person.facts.get("otp_seconds", OTP_SECONDS))
        self.ledger.remember(transaction_id, {**payment, "otp": otp, "otp_ends_at": ends.isoformat()})
        self._messages.append({"transaction_id": transaction_id, "mobile": payment["payer"], "otp": otp})

    def _age(self, payment: Mapping[str, Any]) -> timedelta:
        return self.desk.now() - datetime.fromisoformat(payment["asked_at"])


def _code_of(person: Person, operation: str) -> str | None:
    """The code that this test payer always gets from this call."""
    return person.facts["code"] if person.facts.get("call") == WIRE_NAMES[operation] else None
