"""What of the canonical document a field of the contract probably is: a suggestion that its author judges."""

import re

from connectors.kit.importing.fields import Field

_OPERATION_ID = "operation_id"
#: Names of fields, or what names end with.
_HINTS = (
    *((name, "digits(applicant.national_number)") for name in ("national_number", "national_id", "national_no")),
    *((name, _OPERATION_ID) for name in (
        "request_id", "request_number", "request_no", "request_reference", "transaction_id", "transaction_number",
        "transaction_no", "correlation_id", "idempotency_key", "message_id", "external_id", "external_reference",
        "client_reference",
    )),
    ("first_name", "applicant.name.given"), ("given_name", "applicant.name.given"), ("given", "applicant.name.given"),
    ("father_name", "applicant.name.father"), ("father", "applicant.name.father"),
    ("mother_name", "applicant.name.mother"), ("mother", "applicant.name.mother"),
    ("last_name", "applicant.name.family"), ("family_name", "applicant.name.family"),
    ("surname", "applicant.name.family"), ("family", "applicant.name.family"),
    ("full_name", "join_name(applicant.name, 'given father family')"),
    ("birth_date", "applicant.birth_date"), ("date_of_birth", "applicant.birth_date"), ("dob", "applicant.birth_date"),
    ("mobile", "mobile(applicant.mobile, 'local')"), ("mobile_number", "mobile(applicant.mobile, 'local')"),
    ("msisdn", "mobile(payer.mobile, 'international')"), ("language", "request.language"),
    ("governorate", "code('governorates', input.governorate)"), ("amount", "money(fee, 'SYP-new', 'whole')"),
    ("password", "settings.password"), ("username", "settings.username"), ("user_name", "settings.username"),
)  # fmt: skip
#: How `mobile()` writes a number, with one in each form.
_MOBILES = {"local": "0930000555", "international": "963930000555", "e164": "+963930000555"}


def hint(field: Field, *, inquiry: bool = False) -> str:
    """The expression that suggests itself; empty when none does. `inquiry`: the operation asks about an earlier act."""
    for wanted, expression in _HINTS:
        if field.name == wanted or field.name.endswith(f"_{wanted}"):
            if expression == _OPERATION_ID and inquiry:
                return f"subject_{expression}"
            return _as_the_contract_has_it(field, expression) if expression.startswith("mobile(") else expression
    return ""


def _as_the_contract_has_it(field: Field, expression: str) -> str:
    """The number in the first form that the field's patterns allow."""
    forms = [form for form, number in _MOBILES.items() if all(_found(one, number) for one in field.patterns)]
    return re.sub("'.*'", f"'{forms[0]}'", expression) if field.patterns and forms else expression


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
