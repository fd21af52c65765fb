"""The schema of manifest.toml and the loader agree: what is good is good for both, and what is wrong for neither."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from connectors.kit.manifest import ManifestError, load_manifest
from connectors.kit.manifest.places import line_of
from connectors.registry import BUILT_IN, find_packages

ROOT = Path(__file__).parents[4]
SCHEMA = json.loads((ROOT / "config/schemas/manifest.schema.json").read_text("utf-8"))
PAGE = (ROOT / "docs/reference/manifest.md").read_text("utf-8")
EXAMPLE = re.findall(r'```toml title="manifest.toml"\n(.*?)```', PAGE, re.DOTALL)[0]
MANIFESTS = sorted(file for root in BUILT_IN for file in root.glob("*/manifest.toml"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def _tree(text):
    """As an editor sees it: TOML's dates are texts in JSON."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def _load(tmp_path, text):
    folder = tmp_path / "registry"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.toml").write_text(text, "utf-8")
    return load_manifest(folder)


def test_the_schema_is_a_good_one():
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("file", MANIFESTS, ids=[file.parent.name for file in MANIFESTS])
def test_every_manifest_of_the_tree_satisfies_it(file):
    assert list(VALIDATOR.iter_errors(_tree(file.read_text("utf-8")))) == []
    schema = re.match(r"#:schema (\S+)\n", file.read_text("utf-8"))
    assert schema is not None
    assert (file.parent / schema[1]).resolve() == ROOT / "config/schemas/manifest.schema.json"


def test_the_example_of_the_page_satisfies_schema_and_loader(tmp_path):
    assert list(VALIDATOR.iter_errors(_tree(EXAMPLE))) == []
    assert set(_load(tmp_path, EXAMPLE).operations) == {"submit", "inquire"}


WRONG = {
    "unknown key at the top": ('version = "1"', 'version = "1"\ncolour = "red"', "colour", "unknown key"),
    "unknown key of an operation": ('role = "submit"', 'role = "submit"\nretries = 3', "operations.submit.retries", "unknown key"),
    "unknown key of a setting": ("optional = true", "needless = true", "settings.registry_ca.needless", "unknown key"),
    "unknown key of a proof": ('kind = "basic"', 'kind = "basic"\nrealm = "x"', "authentication[1].realm", "unknown key"),
    "unknown key of a callback": ('operation_id = "requestId"', 'operation_id = "requestId"\nx = 1', "callbacks.result.x", "unknown key"),
    "missing name in Arabic": ('ar = "السجل"\n', "", "title.ar", "the key is missing"),
    "missing effect": ('role = "submit"\neffect = "inquirable"', 'role = "submit"', "operations.submit.effect", "the key is missing"),
    "wrong type of a number": ("deadline_seconds = 20", 'deadline_seconds = "20"', "operations.submit.deadline_seconds", "expected `float`, got `str`"),
    "too small a number": ("deadline_seconds = 20", "deadline_seconds = 0", "operations.submit.deadline_seconds", "expected `float` > 0"),
    "wrong type of a table": ("[title]", "[[title]]", "title", "expected `object`, got `array`"),
    "unknown effect": ('effect = "inquirable"', 'effect = "harmless"', "operations.submit.effect", "invalid enum value 'harmless'"),
    "effect of a role that reads": ('role = "inquire"\neffect = "safe"', 'role = "inquire"\neffect = "none"', "operations.inquire.effect", "only reads"),
    "effect of a role that acts": ('effect = "inquirable"', 'effect = "safe"', "operations.submit.effect", "changes something"),
    "inquirable without an inquiry": ('inquire = "inquire"\n', "", "operations.submit.inquire", "names the operation that inquires"),
    "unknown role": ('role = "submit"', 'role = "send"', "operations.submit.role", "invalid enum value 'send'"),
    "unknown kind of proof": ('kind = "basic"', 'kind = "kerberos"', "authentication[1].kind", "'kerberos'"),
    "no base_url": ("[settings.base_url]", "[settings.address]", "settings.base_url", "every connector has this setting"),
    "a secret with a default": ('[settings.password]\ntype = "text"\nsecret = true', '[settings.password]\ntype = "text"\nsecret = true\ndefault = "x"', "settings.password.default", "a secret has no default"),
    "soap's table in rest": ("[hours]", '[soap]\nwsdl = "a.wsdl"\npath = "/"\n[hours]', "soap", "of kind soap, and only there"),
    "bad opening time": ('"08:00-15:30"', '"8-15"', "hours.week.monday", "expected `str` matching regex"),
    "an operation in capitals": ("[callbacks.result]", '[operations.Look]\nwire = "GET /x"\nrole = "check"\neffect = "safe"\n[callbacks.result]', "operations.Look.name", "lower case letters"),
    "bad header name": ('header = "X-Signature"', 'header = "X Signature"', "callbacks.result.signature.header", "matching regex"),
    "signs no body": ('signed = ["timestamp", "body"]', "signed = []", "callbacks.result.signature.signed", "expected `array` of length >= 1"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "problem"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_refused_by_the_schema_and_by_the_loader_with_line_and_key(tmp_path, old, new, key, problem):
    assert old in EXAMPLE
    text = EXAMPLE.replace(old, new, 1)
    with pytest.raises(ManifestError) as caught:
        _load(tmp_path, text)
    line = line_of(text, key)
    where = "registry/manifest.toml" if line is None else f"registry/manifest.toml:{line}"
    assert str(caught.value).startswith(f"{where}: {key}")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not VALIDATOR.is_valid(_tree(text))


def test_the_settings_of_the_packages_have_a_schema_that_hides_secrets():
    schema = json.loads((ROOT / "config/schemas/connectors.schema.json").read_text("utf-8"))
    jsonschema_rs.meta.validate(schema)
    for name, package in find_packages().items():
        declared = schema["properties"][name]["properties"]
        hidden = {key for key, one in declared.items() if one.get("writeOnly")}
        assert hidden == {key for key, setting in package.settings.items() if setting.secret}
    good = {"base_url": "http://127.0.0.1:1", "username": "u", "password": "file:secret"}
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({"education": good})
    assert not validator.is_valid({"education": {**good, "colour": "red"}})
    assert not validator.is_valid({"education": {"base_url": "http://127.0.0.1:1"}})
