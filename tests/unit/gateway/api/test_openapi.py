"""The reference: complete, valid, current, and shown without another host."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gateway.api.app import HANDLERS
from gateway.api.openapi import build_document
from gateway.api.openapi_examples import ACTIONS, REQUESTS
from gateway.next_action import CHOOSE_PAYMENT, CONFIRM_OTP, schema
from tests.unit.gateway.api.conftest import Api
from tests.unit.gateway.api.rows import put_document, put_intent, put_request

KEPT = Path(__file__).parents[4] / "docs" / "reference" / "openapi.json"
DOCUMENT = build_document()
#: Pages for people, which are no part of the API.
PAGES = {"/", "/docs", "/docs/{name}", "/openapi.json"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, told) for path, methods in DOCUMENT["paths"].items() for method, told in methods.items()]


def served() -> set[tuple[str, str]]:
    found = set()
    for handler in HANDLERS:
        for path in handler.paths:
            template = re.sub(r"\{(\w+):str\}", r"{\1}", path)
            found |= {(template, method.lower()) for method in handler.http_methods}
    return {each for each in found if each[0] not in PAGES}


def resolved(name: str) -> jsonschema_rs.Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True)


def test_every_endpoint_is_described_and_nothing_else() -> None:
    assert {(path, method) for path, method, _ in operations()} == served()


def test_every_reference_leads_somewhere() -> None:
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references <= set(DOCUMENT["components"]["schemas"])
    assert set(DOCUMENT["components"]["schemas"]) - references <= {"Request"}


def test_every_schema_is_a_json_schema() -> None:
    for name, one in DOCUMENT["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(one), name
        resolved(name)


@pytest.mark.parametrize(("path", "method", "told"), operations())
def test_every_operation_has_an_id_a_summary_a_tag_and_its_path_parameters(
    path: str, method: str, told: dict[str, Any]
) -> None:
    assert told["operationId"]
    assert told["summary"]
    assert told["tags"]
    named = {each["name"] for each in told.get("parameters", []) if each["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", path))


def test_operation_ids_are_unique() -> None:
    ids = [told["operationId"] for _, _, told in operations()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(REQUESTS))
async def test_the_examples_of_requests_work(api: Api, name: str) -> None:
    answer = await api.submit(REQUESTS[name]["value"])
    assert answer.status_code == 202, answer.text
    assert resolved("Request").is_valid(answer.json()), list(resolved("Request").iter_errors(answer.json()))


def test_the_examples_of_answers_fit_what_is_asked() -> None:
    otp = jsonschema_rs.Draft202012Validator(schema({"kind": CONFIRM_OTP}))
    method = jsonschema_rs.Draft202012Validator(schema({"kind": CHOOSE_PAYMENT, "methods": ["syriatel_cash"]}))
    assert otp.is_valid(ACTIONS["otp"]["value"])
    assert otp.is_valid(ACTIONS["resend"]["value"])
    assert method.is_valid(ACTIONS["method"]["value"])


async def test_answers_are_as_the_reference_says(api: Api) -> None:
    action = {"id": "a1", "kind": CONFIRM_OTP, "methods": ["syriatel_cash"]}
    happened = [("accepted", "accepted", {}), ("parked", "parked", {"code": "mapping_failed"})]

    def put(conn: Any) -> str:
        request_id = put_request(
            conn,
            "web",
            "awaiting_citizen",
            reason="otp_wrong",
            next_action=json.dumps(action),
            expires_at=9_999_999_999_999,
            events_=happened,
        )
        put_intent(conn, request_id, "payer_action")
        put_document(conn, request_id, "a.pdf")
        return request_id

    request_id = await api.services.store.write(put)
    for path, name, who in (
        (f"/v1/requests/{request_id}", "Request", "web"),
        ("/v1/requests", "RequestPage", "web"),
        (f"/v1/requests/{request_id}/events", "EventList", "web"),
        ("/v1/admin/requests", "AdminRequestPage", "layla"),
        ("/v1/services", "ServiceList", "web"),
        ("/v1/services/transport.vehicle-statement/availability", "Availability", "web"),
        ("/problems", "Catalogue", "web"),
        ("/health/ready", "Health", "web"),
        ("/v1/requests?limit=x", "Problem", "web"),
    ):
        answer = (await api.get(path, who=who)).json()
        assert [error.message for error in resolved(name).iter_errors(answer)] == [], path
    check = (await api.submit(key=None, Prefer="check")).json()
    assert [error.message for error in resolved("Preflight").iter_errors(check)] == []


async def test_the_page_needs_no_other_host_and_no_script_of_its_own(api: Api) -> None:
    page = await api.client.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert re.findall(r"https?://", page.text) == []
    assert re.findall(r"<script>", page.text) == []
    for part in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = await api.client.get(part)
        assert answer.status_code == 200
        assert answer.content
    assert (await api.client.get("/")).headers["location"] == "/docs"
    assert (await api.client.get("/openapi.json")).json() == DOCUMENT


def test_the_kept_document_is_current() -> None:
    assert json.loads(KEPT.read_text("utf-8")) == DOCUMENT, (
        "write it again: python -m gateway.api.openapi > docs/reference/openapi.json"
    )
