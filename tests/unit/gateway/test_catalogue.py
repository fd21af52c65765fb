"""A service is a file; a wrong file is one sentence with its name and the key."""

from pathlib import Path

import pytest

from gateway.catalogue import Catalogue, CatalogueError, Step
from mappings.money import Money

FOLDER = Path(__file__).parents[3] / "config" / "services"
PAID = (FOLDER / "education.secondary-certificate-copy.toml").read_text("utf-8")


def written(folder: Path, text: str, name: str = "service.toml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def test_the_services_that_come_with_the_program_are_good() -> None:
    catalogue = Catalogue.load([FOLDER])
    assert {"education.secondary-certificate-copy", "transport.vehicle-statement"} <= {each.id for each in catalogue}
    assert catalogue.get("no.such") is None


def test_a_paid_service_is_read_whole() -> None:
    service = Catalogue.load([FOLDER]).get("education.secondary-certificate-copy")
    assert service is not None
    assert service.fee is not None
    assert (service.fee.money, service.fee.methods) == (Money(2500, "SYP", "SYP-new"), ("syriatel_cash",))
    assert service.steps[0] == Step("check", "education", "check")
    assert [step.kind for step in service.steps] == ["check", "pay", "submit", "await", "deliver"]


def test_code_tables_stand_in_the_schema_as_codes_and_in_the_labels_in_both_languages() -> None:
    service = Catalogue.load([FOLDER]).get("transport.vehicle-statement")
    assert service is not None
    assert len(service.schema["properties"]["governorate"]["enum"]) == 14
    assert service.labels["governorate"]["values"]["damascus"] == {"ar": "دمشق", "en": "Damascus"}
    assert service.schema["properties"]["governorate"]["title"] == "Governorate"


def test_every_word_that_a_field_may_have_is_told_in_both_languages() -> None:
    forms = [(each.schema, each.labels) for each in Catalogue.load([FOLDER])]
    forms += [(each.result, each.result_labels) for each in Catalogue.load([FOLDER]) if each.result is not None]
    enums = [
        (field["enum"], labels[name].get("values", {}))
        for schema, labels in forms
        for name, field in schema["properties"].items()
        if "enum" in field and all(isinstance(value, str) for value in field["enum"])
    ]
    assert len(enums) > 30
    assert [enum for enum, words in enums if list(words) != enum] == []
    assert all(set(word) == {"ar", "en"} for _, words in enums for word in words.values())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('id = "education', 'colour = "red"\nid = "education', ":2: colour: unknown key (known: "),
        ("turnaround_hours = 24", "", "turnaround_hours: the key is missing"),
        ("turnaround_hours = 24", "turnaround_hours = -1", "turnaround_hours: it must be a whole number above zero"),
        ("turnaround_hours = 24", "turnaround_hours = true", "turnaround_hours: it must be a whole number above zero"),
        ('amount = "25.00"', 'amount = "25.001"', "fee.amount: it is not an amount"),
        ('amount = "25.00"', 'amount = "0"', "fee.amount"),
        ('amount = "25.00"', "amount = 25.0", "fee.amount: it must be text"),
        ('denomination = "SYP-new"', 'denomination = "SYP"', "fee.amount: it is not an amount"),
        ('methods = ["syriatel_cash"]', "methods = []", "fee.methods: it must name at least one"),
        ('kind = "pay"', 'kind = "deliver"', "exactly one step of kind pay"),
        ('kind = "pay"', 'kind = "dance"', "steps[1].kind: it must be one of check"),
        ('operation = "check"', "", "steps[0].operation: the key is missing"),
        (
            '"$ref" = "jisr:governorate"',
            'values.damascus = { ar = "دمشق" }',
            "input.properties.governorate.values.damascus: it must have the texts ar and en",
        ),
        (
            '"$ref" = "jisr:governorate"',
            'enum = ["x"]\nvalues.x = { ar = "س", en = "X" }',
            "input.properties.governorate.values: it names the values that the field may have",
        ),
        (
            '"$ref" = "jisr:governorate"',
            '"$ref" = "jisr:planet"',
            "input.properties.governorate: the code table 'planet'",
        ),
        ("additionalProperties = false", "additionalProperties = true", "additionalProperties = false"),
        ('required = ["document_kind"', 'required = ["colour"', "input.required: it names 'colour'"),
        ('pattern = "^[0-9]{1,10}$"', 'pattern = "("', "input: it is not a valid JSON Schema"),
        ('title.en = "Year"', "", "input.properties.year.title: it must have the texts ar and en"),
        ("[name]", "[[name]]", "name: it must have the texts ar and en"),
        ("minimum = 1950", "minimum = ", "not TOML: invalid value"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_name_and_the_key(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in PAID
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load([written(tmp_path, PAID.replace(old, new, 1))])
    assert "service.toml" in str(caught.value)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_service_stands_in_one_file_only(tmp_path: Path) -> None:
    written(tmp_path, PAID, "a.toml")
    with pytest.raises(CatalogueError, match="stands in another file already"):
        Catalogue.load([written(tmp_path, PAID, "b.toml")])


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="does not exist"):
        Catalogue.load([tmp_path / "nowhere"])
