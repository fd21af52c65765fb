"""What only the citizen can give: the kinds of next action, their JSON Schemas and their texts, as data.

A stored next action of a payment is `{"id", "kind", "methods"}`; asking.py has those of institutions. `render`
completes it for the wire with `expires_at`, `schema` and `text`. Each asking has an id of its own, so that an answer to
an earlier asking is told from an answer to this one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

CONFIRM_OTP = "confirm_otp"
CHOOSE_PAYMENT = "choose_payment"

_TEXTS: Mapping[str, Mapping[str, str]] = {
    CONFIRM_OTP: {
        "ar": "أرسل مشغّل المحفظة رمزاً برسالة قصيرة إلى هاتف الدافع. أدخل الرمز لإتمام الدفع، أو اطلب إعادة إرساله.",
        "en": "The wallet operator sent a code by SMS to the payer's phone. "
        "Enter it to complete the payment, or ask for it again.",
    },
    CHOOSE_PAYMENT: {
        "ar": "لم تتم عملية الدفع ولم يُخصم أي مبلغ. اختر وسيلة الدفع ورقم الدافع للمحاولة من جديد.",
        "en": "The payment was not made and nothing was debited. "
        "Choose a payment method and the payer's number to try again.",
    },
}

_OTP = {
    "type": "object",
    "additionalProperties": False,
    "required": ["otp"],
    "properties": {"otp": {"type": "string", "pattern": "^[0-9]{4,8}$"}},
}
_RESEND = {
    "type": "object",
    "additionalProperties": False,
    "required": ["resend"],
    "properties": {"resend": {"const": True}},
}


def _payment(methods: Sequence[str]) -> dict[str, Any]:
    payer = {
        "type": "object",
        "additionalProperties": False,
        "required": ["mobile"],
        "properties": {"mobile": {"type": "string", "pattern": r"^(\+?963|0)?9[0-9]{8}$"}},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["method", "payer"],
        "properties": {"method": {"enum": list(methods)}, "payer": payer},
    }


def ask(kind: str, progress: Mapping[str, Any], methods: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stored next action and the progress that counts it."""
    number = int(progress.get("asked", 0)) + 1
    return {"id": f"a{number}", "kind": kind, "methods": list(methods)}, {**progress, "asked": number}


def ask_for(action: Mapping[str, Any], progress: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A next action of an institution with its id, and the progress that counts it."""
    number = int(progress.get("asked", 0)) + 1
    return {"id": f"a{number}", **action}, {**progress, "asked": number}


def schema(action: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the answer."""
    if "then" in action:
        kept: dict[str, Any] = action["schema"]
        return kept
    if action["kind"] == CONFIRM_OTP:
        return {"oneOf": [_OTP, _RESEND]}
    return _payment(action["methods"])


def render(action: Mapping[str, Any], *, expires_at: str | None) -> dict[str, Any]:
    """The next action as channels see it: {id, kind, expires_at, schema, text in both languages}.

    One of an institution has beside it the words of its fields and choices (`labels`) and its `details`.
    """
    own = {"labels": dict(action["labels"]), "details": dict(action["details"])} if "then" in action else {}
    return {
        "id": action["id"],
        "kind": action["kind"],
        "expires_at": expires_at,
        "schema": schema(action),
        "text": dict(action["text"] if "then" in action else _TEXTS[action["kind"]]),
        **own,
    }
