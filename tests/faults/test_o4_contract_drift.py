"""An institution changes its contract (O4): the change is named, operation and field, and nothing is pinned silently."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.kit.importing.drift import examine, pin
from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.refusal import ContractRefused
from connectors.kit.importing.wsdl_import import import_wsdl
from jisr.cli import app
from jisr.terminal import Front
from tests.unit.connectors.kit.importing.contracts import TYPES, openapi, schema, write, wsdl


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package made from the contract as it was."""
    folder, _ = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl()), tmp_path)
    return folder


def said(folder: Path, contract: str | None) -> list[str]:
    """The differences in English."""
    return [words.en for words in examine(folder, against=contract).differences]


def test_o4_an_unchanged_contract_has_no_difference(package, tmp_path):
    assert said(package, None) == []
    assert said(package, write(tmp_path, "today.wsdl", wsdl())) == []


CHANGES = {
    "a new enum value": ('<xs:enumeration value="TRADE"/>', '<xs:enumeration value="TRADE"/><xs:enumeration value="DEMOLISH"/>',
        "SubmitPermit, request: the field Permit/Kind was Kind, 1..1, one of BUILD | TRADE and is Kind, 1..1, one of BUILD | TRADE | DEMOLISH."),
    "a new mandatory field": ('<xs:element name="Number" type="xs:string"/>', '<xs:element name="Number" type="xs:string"/><xs:element name="District" type="xs:int"/>',
        "SubmitPermit, request: the field Permit/District is new (xsd:int, 1..1)."),
    "a field that became mandatory": ('type="xs:decimal" minOccurs="0"', 'type="xs:decimal"',
        "SubmitPermit, request: the field Permit/Fee was xsd:decimal, 0..1 and is xsd:decimal, 1..1."),
    "a field that is gone": ('<xs:element name="Receipt" type="xs:string"/>', "", "SubmitPermit, answer: the field Receipt is gone."),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_o4_a_change_of_a_field_is_named(package, tmp_path, change):
    before, after, sentence = CHANGES[change]
    assert before in TYPES

    assert said(package, write(tmp_path, "today.wsdl", wsdl(schema(TYPES.replace(before, after, 1))))) == [sentence]


def test_o4_an_operation_that_is_new_or_gone_is_named(package, tmp_path):
    assert said(package, write(tmp_path, "less.wsdl", wsdl(operations=("SubmitPermit",)))) == [
        "The operation InquirePermit is gone."
    ]


def test_o4_a_file_that_was_edited_is_named_with_what_changed_in_it(package):
    file = package / "wsdl/city.wsdl"
    file.write_text(file.read_text("utf-8").replace('name="Receipt"', 'name="Ticket"'), "utf-8")

    assert said(package, None) == [
        "wsdl/city.wsdl is not the file that was pinned.",
        "SubmitPermit, answer: the field Ticket is new (xsd:string, 1..1).",
        "SubmitPermit, answer: the field Receipt is gone.",
    ]
    pin(package)
    assert said(package, None) == []


def test_o4_files_that_are_missing_or_not_pinned_are_named(package):
    (package / "wsdl/more.xsd").write_text("<a/>")
    (package / "wsdl/city.wsdl").unlink()

    assert said(package, None) == ["wsdl/city.wsdl is pinned and not there.", "wsdl/more.xsd is not pinned."]


def test_o4_a_change_of_an_openapi_document_is_named(tmp_path):
    folder, _ = import_openapi("city", write(tmp_path, "city.json", openapi()), tmp_path)
    today = openapi()
    today["components"]["schemas"]["Permit"]["properties"]["status"]["enum"].append("LOST")

    assert said(folder, write(tmp_path, "today.json", today))[0] == (
        "POST /v1/permits, answer: the field status was string, 1..1, one of ISSUED | WAITING and is string, 1..1, one of ISSUED | WAITING | LOST."
    )


def test_o4_a_lock_that_cannot_be_read_is_refused(package):
    (package / "contract.lock").write_text("{")

    with pytest.raises(ContractRefused, match=r"contract\.lock cannot be read"):
        examine(package, against=None)


def test_o4_the_command_names_the_difference_ends_with_1_and_pins_only_on_demand(package, tmp_path):
    runner = CliRunner()
    today = write(tmp_path, "today.wsdl", wsdl(operations=("SubmitPermit",)))
    before = (package / "contract.lock").read_bytes()

    changed = runner.invoke(app, ["connector", "lock", str(package), "--against", today], obj=Front(language="en"))
    same = runner.invoke(app, ["connector", "lock", str(package)], obj=Front(language="ar"))

    assert changed.exit_code == 1
    assert "The operation InquirePermit is gone." in changed.stdout
    assert (package / "contract.lock").read_bytes() == before
    assert same.exit_code == 0
    assert "العقد هو نفسه" in same.stdout


def test_o4_a_package_without_a_lock_gets_one(package):
    (package / "contract.lock").unlink()

    result = CliRunner().invoke(app, ["connector", "lock", str(package)], obj=Front(language="en"))

    assert result.exit_code == 0
    assert list(json.loads((package / "contract.lock").read_text("utf-8"))["files"]) == ["wsdl/city.wsdl"]
