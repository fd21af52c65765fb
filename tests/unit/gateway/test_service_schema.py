"""The schema of a service file and the loader agree."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from gateway.catalogue import Catalogue, CatalogueError

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "config/schemas/service.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
FILES = sorted((ROOT / "config/services").glob("*.toml"))
PAID = (ROOT / "config/services/education.secondary-certificate-copy.toml").read_text("utf-8")


def test_the_schema_is_a_good_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_service_of_the_tree_satisfies_it(file: Path) -> None:
    assert list(VALIDATOR.iter_errors(tomllib.loads(file.read_text("utf-8")))) == []


def test_the_service_of_the_how_to_satisfies_it() -> None:
    page = (ROOT / "docs/how-to/add-a-service.md").read_text("utf-8")
    texts = re.findall(r'```toml title="services/[^"]+"\n(.*?)```', page, re.DOTALL)
    assert texts
    assert all(VALIDATOR.is_valid(tomllib.loads(text)) for text in texts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "education', 'colour = "red"\nid = "education'),
        ("turnaround_hours = 24", ""),
        ("turnaround_hours = 24", "turnaround_hours = -1"),
        ("turnaround_hours = 24", "turnaround_hours = true"),
        ("turnaround_hours = 24", 'turnaround_hours = "24"'),
        ('minimum_assurance = "low"', 'minimum_assurance = "none"'),
        ('amount = "25.00"', "amount = 25.0"),
        ('amount = "25.00"', 'amount = "0"'),
        ('amount = "25.00"', 'amount = "1e3"'),
        ('denomination = "SYP-new"', 'denomination = "SYP"'),
        ('methods = ["syriatel_cash"]', "methods = []"),
        ("example = true", 'example = "yes"'),
        ('kind = "pay"', 'kind = "deliver"'),
        ('kind = "pay"', 'kind = "dance"'),
        ('kind = "pay"', 'kind = "pay"\nconnector = "education"'),
        ('operation = "check"', ""),
        ('"$ref" = "jisr:governorate"', '"$ref" = "jisr:planet"'),
        ("additionalProperties = false", "additionalProperties = true"),
        ('title.en = "Year"', ""),
        ("[name]", "[[name]]"),
        ('type = "object"', 'type = "array"'),
    ],
)
def test_what_is_wrong_is_refused_by_the_schema_and_by_the_loader(tmp_path: Path, old: str, new: str) -> None:
    assert old in PAID
    text = PAID.replace(old, new, 1)
    (tmp_path / "service.toml").write_text(text, "utf-8")
    with pytest.raises(CatalogueError, match=r"service\.toml"):
        Catalogue.load([tmp_path])
    assert not VALIDATOR.is_valid(tomllib.loads(text))
