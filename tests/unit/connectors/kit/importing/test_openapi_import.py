"""An OpenAPI document becomes a package that loads, opens and replays its own samples."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.refusal import Report
from connectors.kit.package import load_package
from tests.unit.connectors.kit.importing.contracts import openapi, write


def imported(tmp_path: Path, content: str | dict[str, Any], name: str = "city.json") -> tuple[Path, Report]:
    """The package of a document that lies in a folder of its own."""
    source = write(tmp_path / "contract", name, content)
    (tmp_path / "into").mkdir(exist_ok=True)
    return import_openapi("city", source, tmp_path / "into")


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest as it stands in the file."""
    return tomllib.loads((folder / "manifest.toml").read_text("utf-8"))


ANSWERED = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}


def one_operation(**operation: Any) -> dict[str, Any]:
    """A document with one operation."""
    return openapi(paths={"/a": {"post": {"operationId": "doIt", **operation}}})


def test_the_package_loads_and_names_every_operation(tmp_path):
    folder, report = imported(tmp_path, openapi())

    assert load_package(folder).name == "city"
    assert {
        name: (row["wire"], row["role"], row["effect"]) for name, row in manifest(folder)["operations"].items()
    } == {
        "submit-permit": ("POST /v1/permits", "submit", "none"),
        "get-permit-status": ("GET /v1/permits/{permit_id}", "check", "safe"),
        "delete-permits-permit-id": ("DELETE /v1/permits/{permit_id}", "cancel", "none"),
    }
    assert (report.repairs, report.left_out) == ([], [])


def test_an_inquiry_by_what_was_submitted_makes_the_submission_inquirable(tmp_path):
    document = openapi()
    document["paths"]["/permits"]["post"]["parameters"] = [
        {"in": "header", "name": "permit-id", "required": True, "schema": {"type": "string"}}
    ]

    rows = manifest(imported(tmp_path, document)[0])["operations"]

    assert (rows["submit-permit"]["effect"], rows["submit-permit"]["inquire"]) == ("inquirable", "get-permit-status")
    assert rows["get-permit-status"]["role"] == "inquire"


def test_yaml_is_read_like_json(tmp_path):
    folder, _ = imported(tmp_path, yaml.safe_dump(openapi(openapi="3.1.0"), allow_unicode=True), "city.yaml")

    assert json.loads((folder / "openapi/city.json").read_text("utf-8"))["openapi"] == "3.1.0"
    assert manifest(folder)["rest"] == {"openapi": "openapi/city.json"}


def test_every_field_stands_in_the_mapping_with_type_and_cardinality(tmp_path):
    folder, _ = imported(tmp_path, openapi())
    text = (folder / "mapping/submit-permit.yaml").read_text("utf-8")

    assert "kind: input.kind  # string, required, one of BUILD" in text
    assert "area: input.area  # number, 0..1" in text
    assert yaml.safe_load(text)["answer"]["code"] == "answer.status"
    assert "permit_id: input.permit_id" in (folder / "mapping/get-permit-status.yaml").read_text("utf-8")


def test_an_answer_without_content_is_a_success_of_its_own(tmp_path):
    case = imported(tmp_path, openapi())[0] / "samples/delete-permits-permit-id/succeeded"

    assert json.loads((case / "response.json").read_text("utf-8")) == {"status": 204, "headers": {}, "body": None}
    assert json.loads((case / "outcome.json").read_text("utf-8"))["institution_code"] == "204"


def test_a_list_is_read_as_items(tmp_path):
    rows = {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}
    document = openapi(
        paths={
            "/a": {
                "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": rows}}}}}
            }
        }
    )

    folder, _ = imported(tmp_path, document)

    assert json.loads((folder / "samples/get-a/succeeded/outcome.json").read_text("utf-8"))["data"] == {
        "items": [{"name": "name"}]
    }


def test_parameters_go_where_the_contract_says(tmp_path):
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    parameters = [
        {"in": "query", "name": "lang", "schema": {"enum": ["ar"]}},
        {"in": "header", "name": "X-Office", "required": True, "schema": {"type": "string"}},
        {"in": "header", "name": "Accept", "schema": {"type": "string"}},
        {"in": "cookie", "name": "c", "schema": {"type": "string"}},
    ]

    folder, _ = imported(tmp_path, one_operation(parameters=parameters, responses=answer))
    request = json.loads((folder / "samples/do-it/succeeded/request.json").read_text("utf-8"))

    assert request["query"] == {"lang": "ar"}
    assert request["headers"] == {"x-office": "X-Office"}


def a_list(name: str, place: str = "query", **more: Any) -> dict[str, Any]:
    """A parameter that is a list of texts."""
    return {"in": place, "name": name, "schema": {"type": "array", "items": {"type": "string"}}, **more}


def test_a_list_is_written_as_the_contract_says(tmp_path):
    parameters = [
        a_list("ids"),
        a_list("kinds", explode=False),
        a_list("tags", style="pipeDelimited", explode=False),
        a_list("X-Offices", "header", required=True),
    ]

    folder, report = imported(tmp_path, one_operation(parameters=parameters, responses=ANSWERED))
    request = json.loads((folder / "samples/do-it/succeeded/request.json").read_text("utf-8"))

    assert manifest(folder)["operations"]["do-it"]["lists"] == {"ids": "repeat", "kinds": "comma", "tags": "pipe"}
    assert request["query"] == {"ids": ["ids", "ids2"], "kinds": "kinds,kinds2", "tags": "tags|tags2"}
    assert request["headers"] == {"x-offices": "X-Offices,X-Offices2"}
    assert report.left_out == report.hints == []


def test_an_optional_parameter_that_cannot_be_sent_is_said_with_its_line(tmp_path):
    parameters = [{"in": "query", "name": "filter", "style": "deepObject", "schema": {"type": "object"}}]
    document = one_operation(parameters=parameters, responses=ANSWERED)

    _, report = imported(tmp_path, json.dumps(document, indent=1))

    (said,) = report.hints
    rows = [row.strip() for row in json.dumps(document, indent=1).splitlines()]
    line = rows.index('"in": "query",')  # of the brace above it, from 1
    assert said.en.startswith(
        f"city.json:{line}: POST /a is imported without an optional parameter: its parameter filter"
    )
    assert said.ar.startswith(f"city.json:{line}: استُوردت POST /a")


SCHEMES = {
    "api_key": ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"kind": "api_key", "header": "X-Key"}),
    "basic": ({"type": "http", "scheme": "basic"}, {"kind": "basic"}),
    "oauth2": (
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://city.example/oauth/token", "scopes": {}}}},
        {"kind": "oauth2_client_credentials", "token_path": "/oauth/token", "scope": "permits read"},
    ),
    "another": ({"type": "openIdConnect", "openIdConnectUrl": "https://city.example/"}, {"kind": "none"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCHEMES)
def test_the_security_scheme_becomes_the_kind_of_authentication(tmp_path, kind):
    scheme, expected = SCHEMES[kind]
    document = openapi(security=[{"it": ["permits", "read"] if kind == "oauth2" else []}])
    document["components"]["securitySchemes"] = {"it": scheme}

    folder, _ = imported(tmp_path, document)

    assert manifest(folder)["authentication"] == expected
    assert all(
        row.get("secret")
        for name, row in manifest(folder)["settings"].items()
        if name in ("api_key", "password", "client_secret")
    )


UNSUPPORTED: dict[str, tuple[dict[str, Any], str]] = {
    "multipart": ({"requestBody": {"required": True, "content": {"multipart/form-data": {}}}}, "its body is multipart/form-data, not JSON"),
    "a form that is not said to be required": ({"requestBody": {"content": {"application/x-www-form-urlencoded": {}}}}, "its body is application/x-www-form-urlencoded, not JSON"),
    "an XML answer": ({"responses": {"200": {"description": "", "content": {"application/xml": {}}}}}, "its answer is application/xml, not JSON"),
    "no success": ({"responses": {"400": {"description": ""}}}, "the contract lists no answer of success"),
    "a needed cookie": ({"parameters": [{"in": "cookie", "name": "c", "required": True, "schema": {}}]}, "its parameter c (cookie) is not supported"),
    "a body that requires itself": (
        {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Endless"}}}}}, "Endless requires itself",
    ),
    "a reference to nothing": ({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/gone"}}}}}, "leads to nothing"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_is_not_supported_costs_only_its_operation_and_is_said(tmp_path, what):
    changes, says = UNSUPPORTED[what]
    document = openapi()
    document["components"]["schemas"]["Endless"] = {
        "type": "object",
        "required": ["e"],
        "properties": {"e": {"$ref": "#/components/schemas/Endless"}},
    }
    document["paths"]["/a"] = {"post": {"operationId": "doIt", "responses": {"204": {"description": ""}}, **changes}}

    folder, report = imported(tmp_path, document)

    assert len(manifest(folder)["operations"]) == 3
    assert len(report.left_out) == 1
    assert says in report.left_out[0].en
    assert re.match(r"city\.json:\d+: ", report.left_out[0].en)
    assert re.match(r"city\.json:\d+: .*[\u0600-\u06ff]", report.left_out[0].ar)


def test_all_one_and_any_of_are_put_together(tmp_path):
    base = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    schema = {
        "allOf": [
            base,
            {
                "oneOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"type": "object", "required": ["b"]},
                ]
            },
        ]
    }
    document = one_operation(
        requestBody={"content": {"application/json": {"schema": schema}}}, responses={"204": {"description": ""}}
    )

    folder, _ = imported(tmp_path, document)

    assert json.loads((folder / "samples/do-it/succeeded/request.json").read_text("utf-8"))["body"] == {
        "kind": "kind",
        "a": 1,
    }


def test_a_schema_that_nothing_satisfies_to_the_letter_is_taken_loosely_and_said(tmp_path):
    closed = {"type": "object", "additionalProperties": False}
    schema = {
        "allOf": [
            {**closed, "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {**closed, "properties": {"b": {"type": "integer"}}},
        ]
    }
    document = one_operation(
        requestBody={"content": {"application/json": {"schema": schema}}}, responses={"204": {"description": ""}}
    )

    folder, report = imported(tmp_path, document)

    assert json.loads((folder / "samples/do-it/succeeded/request.json").read_text("utf-8"))["body"] == {"a": 1, "b": 1}
    assert "to the letter" in report.hints[0].en


def test_references_are_followed_below_names_that_openapi_uses_itself(tmp_path):
    """A response and a property may be called default; a default value is no schema, whatever stands in it."""
    write(
        tmp_path / "contract",
        "parts.json",
        {
            "Answer": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/Body"}}}},
            "Body": {
                "type": "object",
                "properties": {
                    "default": {"$ref": "#/Text"},
                    "other": {"type": "object", "default": {"$ref": "gone.json"}},
                },
            },
            "Text": {"type": "string"},
        },
    )

    folder, _ = imported(tmp_path, one_operation(responses={"default": {"$ref": "parts.json#/Answer"}}))

    assert (
        json.loads((folder / "samples/do-it/succeeded/response.json").read_text("utf-8"))["body"]["default"]
        == "default"
    )
