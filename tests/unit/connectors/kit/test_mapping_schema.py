"""The schemas of mapping documents and codes.toml, and the loader, agree; and the page's example is so."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from connectors.kit.mapping_tools.cases import cases_of
from connectors.kit.package import load_package
from connectors.registry import BUILT_IN
from mappings.documents import read_document
from mappings.language import Compiler
from tests.unit.connectors.kit.mapping_tools.authors import copy_of

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/reference/mapping-language.md").read_text("utf-8")
BLOCKS = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE, re.DOTALL))
MAPPINGS = sorted(file for root in BUILT_IN for file in root.glob("*/mapping/*.yaml"))
CODES = sorted(file for root in BUILT_IN for file in root.glob("*/codes.toml"))


def _validator(name):
    schema = json.loads((ROOT / f"config/schemas/{name}.schema.json").read_text("utf-8"))
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.Draft202012Validator(schema)


MAPPING, PARTS, CASES, CODE = (_validator(name) for name in ("mapping", "mapping-parts", "mapping-cases", "codes"))


def _validator_of(file):
    return PARTS if file.stem == "_parts" else CASES if file.name.endswith(".cases.yaml") else MAPPING


@pytest.mark.parametrize("file", MAPPINGS, ids=[f"{file.parent.parent.name}-{file.stem}" for file in MAPPINGS])
def test_every_mapping_of_the_tree_satisfies_its_schema_and_names_it(file):
    text = file.read_text("utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)

    assert list(_validator_of(file).iter_errors(yaml.safe_load(text))) == []
    assert named is not None
    assert (file.parent / named[1]).resolve().is_file()
    assert _validator_of(file).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("file", CODES, ids=[file.parent.name for file in CODES])
def test_every_codes_file_of_the_tree_satisfies_the_schema_and_names_it(file):
    text = file.read_text("utf-8")
    named = re.match(r"#:schema (\S+)\n", text)

    assert list(CODE.iter_errors(tomllib.loads(text))) == []
    assert named is not None
    assert (file.parent / named[1]).resolve() == ROOT / "config/schemas/codes.schema.json"


@pytest.mark.parametrize(
    "text",
    [
        "request: {}",
        "answer: {message: a}",
        "answer: {code: a, colour: b}",
        "answer: {code: a}\nrequest: {colour: b}",
        "answer: {code: a}\ncolour: b",
        "answer: {code: 1.5}",
        "answer: {code: ''}",
        "answer: {code: a, data: {$nonsense: b}}",
        "answer: {code: a, data: {$each: b}}",
        "answer: {code: a, data: {$each: b, $item: c, other: d}}",
        "answer: {code: a, data: {$when: 3, b: c}}",
        "answer: {code: a, same: [[a]]}",
        "answer: {code: a, document_required: [done]}",
        f"answer: {{code: {'a' * 1001}}}",
    ],
)
def test_what_schema_and_loader_both_refuse(tmp_path, text):
    folder = copy_of("transport", tmp_path)
    (folder / "mapping/vehicle-check.yaml").write_text(text, "utf-8")

    assert not MAPPING.is_valid(yaml.safe_load(text))
    with pytest.raises(ValueError, match=r"^transport/mapping/vehicle-check\.yaml"):
        load_package(folder)


@pytest.mark.parametrize(
    "text",
    ['[codes."*"]\na = {}', '[codes."*"]\na = { status = "succeeded", error = "faulted" }', '[codes."*"]\na = { status = "refused" }', '[codes."*"]\na = { status = "done" }', '[codes."*"]\na = { error = "tired" }', "[tables.a]\nb = 1", "[colours]"],
)  # fmt: skip
def test_what_codes_schema_and_loader_both_refuse(tmp_path, text):
    folder = copy_of("transport", tmp_path)
    (folder / "codes.toml").write_text(text, "utf-8")

    assert not CODE.is_valid(tomllib.loads(text))
    with pytest.raises(ValueError, match=r"^transport/codes\.toml"):
        load_package(folder)


def test_the_example_of_the_page_gives_what_the_page_says(tmp_path):
    file = tmp_path / "submit.yaml"
    file.write_text(BLOCKS["mapping/submit.yaml"], "utf-8")
    tree = read_document(file, "submit.yaml")

    request = Compiler({}).template(tree["request"], "submit.yaml", "request")(json.loads(BLOCKS["canonical.json"]))
    answer = Compiler({}).template(tree["answer"], "submit.yaml", "answer")(
        {"answer": {"result": {"code": "00"}, "receipt": "7", "decidedOn": "20260301", "fee": "12.50"}}
    )

    assert request == {"body": json.loads(BLOCKS["request.json"])}
    assert answer["data"] == {
        "decided_on": "2026-03-01",
        "fee": {"amount_minor": 1250, "currency": "SYP", "denomination": "SYP-new"},
    }
    assert MAPPING.is_valid(yaml.safe_load(BLOCKS["mapping/submit.yaml"]))


def test_the_cases_of_the_page_can_be_read(tmp_path):
    (tmp_path / "mapping").mkdir()
    (tmp_path / "mapping/submit.cases.yaml").write_text(BLOCKS["mapping/submit.cases.yaml"], "utf-8")

    cases = cases_of(tmp_path, "submit")

    assert [case.name for case in cases] == [
        "the governorate is the official code [1]",
        "the governorate is the official code [2]",
        "received is progress",
        "a day that does not exist is refused",
    ]
    assert cases[3].given == {"applicant": {"birth_date": "1990-02-31"}}
