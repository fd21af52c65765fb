"""Access tokens of a sandbox: a rule can end them all, as they end in the middle of an institution's day."""

import base64
import json

from connectors.kit.sandbox.institution import NotUnderstoodError
from connectors.kit.sandbox.server import find_folder
from tests.unit.connectors.kit.sandbox.packages import ask, opened

#: Of transport's persons.toml.
TOKEN_ENDS = "99000000049"


def bearer(institution):
    basic = base64.b64encode(b"jisr-sandbox:sandbox-only").decode()
    form = b"grant_type=client_credentials"
    said = ask(institution, "POST", "/oauth2/token", form, {"Authorization": f"Basic {basic}"})
    return {"Authorization": f"Bearer {json.loads(said.body)['access_token']}"}


def status_of(institution, token, person):
    photo = {"mediaType": "image/png", "sha256": "0" * 64, "content": ""}
    body = {"requestId": "order-1", "licenceNumber": "30451187", "purpose": "RENEWAL", "photo": photo}
    raw = json.dumps({**body, "holder": {"nationalNumber": person}}).encode()
    try:
        return ask(institution, "POST", "/v1/licence-orders", raw, {"Idempotency-Key": "order-1", **token}).status
    except NotUnderstoodError as error:
        return error.answer.status


def test_a_rule_ends_every_token_that_was_issued_and_new_ones_are_good():
    institution = opened(find_folder("transport"))
    mine, anothers = bearer(institution), bearer(institution)

    assert status_of(institution, mine, TOKEN_ENDS) == 401
    assert status_of(institution, anothers, TOKEN_ENDS) == 401
    assert status_of(institution, bearer(institution), TOKEN_ENDS) == 202
