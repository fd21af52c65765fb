"""The daily files that a sandbox writes: what it really did, once, on the day on which it was done."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.kit.manifest import ManifestError, load_manifest
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.server import find_folder, open_institution
from connectors.kit.statements.reading import read_statement
from tests.sandboxes import start_sandbox, stop_sandbox
from tests.unit.connectors.kit.sandbox.packages import copy_of, opened, replaced

ROW = {"their_reference": "70001", "our_reference": "a", "kind": "secondary"}


def day(institution, offset=0):
    return (institution.desk.now() + timedelta(hours=3, days=offset)).date()


def enter(institution, key="70001", **more):
    institution.ledger.enter("issued", institution.desk.now().isoformat(), ROW | more, key)


def test_a_row_is_listed_once_on_its_day_and_survives_the_process(tmp_path):
    path = tmp_path / "ledger.jsonl"
    institution = opened(find_folder("education"), path)
    enter(institution)
    enter(institution)
    enter(institution, key="70002", our_reference="b")
    institution.ledger.close()

    again = open_institution(find_folder("education"), Ledger(path))
    enter(again)
    file = again.statements.file("issued", day(again))
    read = read_statement(file.content, load_manifest(find_folder("education")).statements["issued"])
    assert [line.our_reference for line in read.lines] == ["a", "b"]
    assert again.statements.file("issued", day(again, 1)).rows == 0
    assert [(each["name"], each["rows"]) for each in again.statements.shown()] == [("issued", 2)]
    again.ledger.close()


def test_the_files_of_days_that_are_over_are_written_by_themselves_once(tmp_path):
    institution = opened(find_folder("education"))
    enter(institution)
    assert institution.statements.write_past(tmp_path) == []
    institution.desk.advanced = timedelta(days=1)
    (written,) = institution.statements.write_past(tmp_path)
    assert written == tmp_path / "education" / "issued" / f"issued-{day(institution, -1)}.csv"
    assert institution.statements.write_past(tmp_path) == []


def test_a_book_that_the_manifest_does_not_declare_is_refused(tmp_path):
    folder = copy_of("education", tmp_path)
    replaced(folder / "sandbox.toml", "[statements.issued]", "[statements.isued]")
    with pytest.raises(ManifestError, match="no such statement"):
        opened(folder)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('reports = "submit"', 'reports = "check"', "it names an operation that changes something"),
        ('zone = "Asia/Damascus"', 'zone = "Asia/Nowhere"', "there is no time zone"),
        ('"count", ', '"sum", ', "a cell is count, amount"),
        ("[\"'TOTAL'\"", '["TOTAL"', "the first cell is a constant"),
        ('at = "IssuedAt"', "", "the heading of at is missing"),
        ('kind = "Record"', 'amount = "Record"', "where the rows have an amount"),
    ],
)
def test_what_is_wrong_in_a_form_is_one_sentence_with_its_line(tmp_path, old, new, sentence):
    folder = copy_of("education", tmp_path)
    replaced(folder / "manifest.toml", old, new)
    with pytest.raises(ManifestError, match=sentence) as caught:
        load_manifest(folder)
    assert "statements.issued" in str(caught.value)


def test_the_control_api_shows_and_writes_a_day_s_file(tmp_path):
    sandbox = start_sandbox("syriatel_cash")
    try:
        today = (datetime.now(UTC) + timedelta(hours=3)).date().isoformat()
        assert sandbox.control("GET", "statements") == {"statements": []}
        told = sandbox.control("POST", "statements", {"day": today, "folder": str(tmp_path)})
        (path,) = told["files"]
        lines = Path(path).read_text("utf-8").splitlines()
        assert lines[0].startswith("OPERATOR_REF,TRANSACTION_ID")
        assert lines[1] == f"TOTAL,0,963930000900,0,0.00,{today}"
    finally:
        stop_sandbox(sandbox)
