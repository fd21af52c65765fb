"""Sample values are valid against the JSON Schema that they were made from: jsonschema-rs judges."""

import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.sample_values import JsonSamples, NoSample


def sample(schema: Any, document: dict[str, Any] | None = None) -> Any:
    """The sample of a schema, judged on its own."""
    whole = document or {}
    made = JsonSamples(whole).value(schema)
    jsonschema_rs.Draft202012Validator({**whole, **schema} if schema is not True else True).validate(made)
    return made


LENGTHS: st.SearchStrategy[dict[str, Any]] = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(
    lambda pair: {"minLength": pair[0], "maxLength": sum(pair)}
)
PATTERNS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    ["^[0-9]{4}$", "^[A-Z]{2}[0-9]+$", "[a-z]@", r"^\d{3}-\d{4}$", "^(a|b)c?$", r"^(?!x)\w+$"]
).map(lambda p: {"pattern": p})
FORMATS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    ["date", "date-time", "uuid", "email", "uri", "ipv4", "byte", "unheard-of"]
).map(lambda f: {"format": f})
NOTHING: st.SearchStrategy[dict[str, Any]] = st.just({})
STRINGS = st.one_of(NOTHING, LENGTHS, PATTERNS, FORMATS).map(lambda more: {"type": "string", **more})
NUMBERS = st.tuples(
    st.sampled_from(["integer", "number"]), st.integers(-1000, 1000), st.integers(3, 100), st.booleans()
).map(
    lambda t: {
        "type": t[0],
        "exclusiveMinimum" if t[3] else "minimum": t[1],
        "exclusiveMaximum" if t[3] else "maximum": t[1] + t[2],
    }
)
MULTIPLES = st.tuples(st.integers(1, 30), st.integers(-100, 100)).map(
    lambda t: {"type": "integer", "multipleOf": t[0], "minimum": t[1]}
)
PLAIN = st.one_of(
    STRINGS, NUMBERS, MULTIPLES, st.just({"type": "boolean"}), st.just({"type": "null"}), st.just({"const": {"a": [1]}}), st.just({"enum": [3, "x"]}),
    st.just({"type": ["string", "null"]}), st.just({}),
)  # fmt: skip
NAMES = st.sampled_from(["id", "name", "city", "amount", "اسم"])


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects, arrays and combinations of schemas."""
    objects = st.tuples(st.dictionaries(NAMES, inner, min_size=1), st.booleans()).map(
        lambda t: {
            "type": "object",
            "properties": t[0],
            "required": sorted(t[0])[: 1 + len(t[0]) // 2],
            "additionalProperties": t[1],
        }
    )
    arrays = st.tuples(inner, st.integers(0, 3)).map(lambda t: {"type": "array", "items": t[0], "minItems": t[1]})
    choices = st.tuples(st.sampled_from(["oneOf", "anyOf"]), st.lists(inner, min_size=1, max_size=1)).map(
        lambda t: {t[0]: t[1]}
    )
    both = st.tuples(objects, st.sampled_from(["extra", "more"])).map(
        lambda t: {
            "allOf": [
                {**t[0], "additionalProperties": True},
                {"type": "object", "properties": {t[1]: {"type": "integer"}}, "required": [t[1]]},
            ]
        }
    )
    return st.one_of(objects, arrays, choices, both)


@settings(max_examples=150, deadline=None)
@given(schema=st.recursive(PLAIN, containers, max_leaves=8))
def test_any_schema_has_a_valid_sample(schema):
    sample(schema)


def test_of_branches_that_exclude_each_other_one_is_taken_that_is_valid_as_a_whole():
    cat = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cat"}}}
    pet = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}

    assert sample({"oneOf": [pet, cat]}) == {"kind": "kind"}


def test_references_are_followed_and_a_circle_of_optional_parts_ends():
    document = {"components": {"schemas": {"Node": {
        "type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Node"}, "all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}},
    }}}}  # fmt: skip

    assert sample({"$ref": "#/components/schemas/Node"}, document) == {"id": 1, "all": [{"id": 1, "all": []}]}


def test_the_words_of_openapi_3_0_are_understood():
    samples = JsonSamples({}, openapi30=True)

    assert samples.value({"type": "number", "minimum": 5, "exclusiveMinimum": True}) > 5
    assert samples.value(
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "nullable": True, "enum": [None]}}}
    ) == {"a": None}


def test_rows_that_must_differ_do():
    assert len(set(sample({"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True}))) == 3


def test_what_a_request_must_not_say_is_left_out():
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string", "readOnly": True}, "secret": {"type": "string", "writeOnly": True}},
    }

    assert set(JsonSamples({}).value(schema, omit="readOnly")) == {"secret"}
    assert set(JsonSamples({}).value(schema, omit="writeOnly")) == {"id"}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (False, "nothing is valid"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "no number"),
        ({"$ref": "#/gone"}, "leads to nothing"),
        ({"$ref": "other.json#/a"}, "leads out of the document"),
        ({"$ref": "#/circle"}, "circle|requires itself"),
        ({"$ref": "#/endless"}, "requires itself"),
        ({"type": "string", "minLength": 10**9}, "at least"),
    ],
)  # fmt: skip
def test_what_has_no_instance_is_said_in_words(schema, says):
    document = {
        "circle": {"$ref": "#/circle"},
        "endless": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/endless"}}},
    }

    with pytest.raises(NoSample) as caught:
        JsonSamples(document).value(schema)
    assert re.search(says, str(caught.value))
