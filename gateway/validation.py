"""This file decides whether the body of a request is good, and says everything that is wrong with it at once.

The valid path is short: strict parse, one test whether any text needs care, one compiled JSON Schema per service for
envelope and input together. Everything that explains runs only when something is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jsonschema_rs

from gateway.canonicalise import canonicalise, is_plain
from gateway.catalogue import ASSURANCE, Catalogue, Service
from gateway.envelope import request_schema
from gateway.errors import FieldError, Problem, Text, field_error
from gateway.payments.rules import amount_errors, payer_errors
from gateway.schema_errors import explain
from gateway.security.principals import Principal
from gateway.strict_json import canonical_json, parse_json
from mappings.person import mobile

__all__ = ["CheckedRequest", "Validator", "parse_json", "read_object"]

MAX_ERRORS = 100
_LEVELS = {"low": Text("منخفض", "low"), "substantial": Text("متوسط", "substantial"), "high": Text("مرتفع", "high")}


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request whose body is good and canonical: mobiles are E.164, digits ASCII, texts NFC."""

    service: Service
    content: dict[str, Any]  #: applicant, input, delivery, payment (None when the service is free).
    reference: str | None
    body_hash: bytes  #: SHA-256 of the canonical JSON of the whole body.


def read_object(raw: bytes) -> tuple[dict[str, Any], list[FieldError]]:
    """The JSON object of a body in canonical spelling, and the errors of its texts. Raises Problem."""
    body = parse_json(raw)
    if not isinstance(body, dict):
        raise Problem("malformed_json")
    return (body, []) if is_plain(raw) else canonicalise(body)


class Validator:
    """Checks bodies. `payer_operators` says whose numbers a wallet serves: method -> operator."""

    def __init__(
        self,
        catalogue: Catalogue,
        payer_operators: Mapping[str, str] | None = None,
        centres: Sequence[str] | None = None,
    ) -> None:
        """`centres`: the ids of those at which results can be taken over; None: any."""
        self._catalogue = catalogue
        self._payer_operators = dict(payer_operators or {})
        self._any = jsonschema_rs.Draft202012Validator(request_schema(None), validate_formats=True)
        self._schemas = {
            service.id: jsonschema_rs.Draft202012Validator(request_schema(service, centres), validate_formats=True)
            for service in catalogue
        }

    def check(self, principal: Principal, raw: bytes) -> CheckedRequest:
        """The canonical request. Raises Problem: `invalid_request` with all errors, `service_not_allowed`, bad JSON."""
        body, errors = read_object(raw)
        service = self._service(body, principal)
        schema = self._any if service is None else self._schemas[service.id]
        if errors or service is None or not schema.is_valid(body):
            methods = () if service is None or service.fee is None else service.fee.methods
            hints = {} if service is None else _hints(service)
            errors += explain(schema, body, but_not={error.pointer for error in errors}, methods=methods, hints=hints)
        if service is None and all(error.pointer != "/service" for error in errors):
            errors.append(field_error("/service", "service_unknown"))
        if service is not None:
            errors += self._rule_errors(service, body, {error.pointer for error in errors})
        if errors or service is None:
            raise Problem("invalid_request", errors=sorted(errors, key=lambda error: error.pointer)[:MAX_ERRORS])
        return _checked(service, body)

    def _service(self, body: Mapping[str, Any], principal: Principal) -> Service | None:
        name = body.get("service")
        service = self._catalogue.get(name) if isinstance(name, str) else None
        if service is not None and not principal.may_use(service.id):
            raise Problem("service_not_allowed")
        return service

    def _rule_errors(self, service: Service, body: Mapping[str, Any], wrong: set[str]) -> list[FieldError]:
        """What a JSON Schema cannot say; a part whose schema failed already is left alone."""
        errors = [*_assurance_errors(service, body), *_delivery_errors(body)]
        payment = body.get("payment")
        if service.fee is None or not isinstance(payment, dict):
            return errors
        errors += amount_errors(payment.get("amount"), service.fee.money)
        errors += payer_errors(payment, self._payer_operators.get(str(payment.get("method"))))
        return [error for error in errors if error.pointer not in wrong]


def _hints(service: Service) -> dict[str, Text]:
    """How the values of the service's own fields are written, by pointer."""
    return {f"/input/{name}": Text(**label["hint"]) for name, label in service.labels.items() if "hint" in label}


def _assurance_errors(service: Service, body: Mapping[str, Any]) -> list[FieldError]:
    applicant = body.get("applicant")
    given = applicant.get("assurance") if isinstance(applicant, dict) else None
    if given not in ASSURANCE or ASSURANCE.index(given) >= ASSURANCE.index(service.minimum_assurance):
        return []
    return [field_error("/applicant/assurance", "assurance_too_low", expected=_LEVELS[service.minimum_assurance])]


def _delivery_errors(body: Mapping[str, Any]) -> list[FieldError]:
    """The post calls before it comes."""
    applicant, delivery = body.get("applicant"), body.get("delivery")
    by_post = isinstance(delivery, dict) and delivery.get("method") == "post"
    if not by_post or not isinstance(applicant, dict) or "mobile" in applicant:
        return []
    return [field_error("/applicant/mobile", "required")]


def _checked(service: Service, body: dict[str, Any]) -> CheckedRequest:
    body_hash = sha256(canonical_json(body)).digest()
    applicant, payment = body["applicant"], body.get("payment")
    if "mobile" in applicant:
        applicant["mobile"] = mobile(applicant["mobile"])
    if payment is not None and "mobile" in payment.get("payer", {}):
        payment["payer"]["mobile"] = mobile(payment["payer"]["mobile"])
    content = {
        "applicant": applicant,
        "input": body["input"],
        "delivery": body.get("delivery", {"method": service.delivery[0]}),
        "payment": payment,
    }
    if body.get("attachments"):
        content["attachments"] = body["attachments"]
    return CheckedRequest(service, content, body.get("reference"), body_hash)
