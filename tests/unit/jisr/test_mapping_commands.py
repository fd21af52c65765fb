"""`jisr mapping` as a person meets it: exit status, language, JSON, and one sentence for what is wrong."""

import json
import re
import sys

import pytest
from typer.testing import CliRunner

from jisr.cli import app, main
from jisr.terminal import Front
from tests.unit.connectors.kit.mapping_tools.authors import change, copy_of


def _run(*words, language="en"):
    return CliRunner().invoke(app, list(words), obj=Front(language=language), catch_exceptions=True)


def test_what_holds_ends_with_0_and_a_line_in_the_readers_language():
    said = re.fullmatch(
        r"transport: (\d+) as they should be, 0 not", _run("mapping", "test", "transport").output.strip()
    )

    assert said
    assert f"transport: صحّ {said[1]}، اختلف 0" in _run("mapping", "test", "transport", language="ar").output


def test_what_differs_ends_with_1_and_shows_wanted_and_came(tmp_path):
    folder = copy_of("transport", tmp_path)
    change(folder / "mapping/vehicle-statement.yaml", "language: request.language", "language: \"'fr'\"")

    result = _run("mapping", "test", str(folder), "vehicle-statement")

    assert result.exit_code == 1
    assert "✗ vehicle-statement/succeeded" in result.output
    assert "body.language" in result.output
    assert '"fr"' in result.output


def test_results_can_be_read_by_programs():
    result = _run("mapping", "test", "transport", "--json")

    rows = json.loads(result.output)
    assert all(row["good"] for row in rows)
    assert {"vehicle-check", "vehicle-statement"} < {row["operation"] for row in rows}


def test_both_sides_stand_next_to_each_other():
    line = next(
        line for line in _run("mapping", "try", "transport", "vehicle-check").output.splitlines() if "GET" in line
    )

    assert "operation_id" in line


def test_a_document_that_cannot_be_rendered_ends_with_1(tmp_path):
    mine = tmp_path / "mine.json"
    mine.write_text('{"operation_id": "x", "input": {"governorate": "atlantis"}}', encoding="utf-8")

    result = _run("mapping", "try", "transport", "vehicle-check", "--document", str(mine), "--json")

    assert result.exit_code == 1
    assert "the code table has no such value" in json.loads(result.output)["problem"]


def test_an_answer_of_ones_own_is_judged(tmp_path):
    theirs = tmp_path / "theirs.json"
    theirs.write_text('{"result": {"code": "NOPE"}}', encoding="utf-8")

    result = _run(
        "mapping", "try", "transport", "vehicle-statement", "--answer", str(theirs), "--status", "404", "--json"
    )

    assert json.loads(json.loads(result.output)["outcome"])["code"] == "unlisted_code"


def test_a_field_is_explained_in_both_languages():
    english = _run("mapping", "explain", "education", "submit").output
    arabic = _run("mapping", "explain", "education", "submit", language="ar").output

    assert "applicant.national_number" in english
    assert "_parts.yaml:4" in english
    assert "القاعدة" in arabic
    assert "99000000500" not in english + arabic
    assert json.loads(_run("mapping", "explain", "education", "submit", "--json").output)["meaning"] == "succeeded"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["test", "no_such_place"], "neither a package's folder"),
        (["explain", "education", "nothing"], "there is no operation 'nothing'; there are check, inquire, submit"),
        (["try", "education", "submit", "--sample", "nothing"], "there is no sample 'nothing'"),
        (["try", "education", "submit", "--answer", "no/such/file"], "no/such/file cannot be read"),
        (["try", "education", "submit", "--document", "no/such/file"], "no/such/file: the file cannot be read"),
    ],
)
def test_what_does_not_exist_is_one_sentence(words, sentence, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["jisr", "--lang", "en", "mapping", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr().err
    assert ended.value.code in {1, 2}
    assert sentence in said
    assert "Traceback" not in said


def test_what_is_wrong_is_listed_in_the_readers_language_and_ends_with_1(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "mapping/submit.yaml", "    RequestId: operation_id\n", "")

    english = _run("mapping", "lint", str(folder))

    assert english.exit_code == 1
    assert "education/mapping/submit.yaml:3: request.body.RequestId: The contract demands this field" in english.output
    assert "حقل إلزامي" in _run("mapping", "lint", str(folder), language="ar").output
    assert json.loads(_run("mapping", "lint", str(folder), "--json").output)[0]["rule"] == "mandatory"


def test_what_is_doubtful_ends_with_1_only_when_it_is_asked_for(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "mapping/_parts.yaml", "progress: ", "lonely: {a: answer.A}\nprogress: ")

    assert _run("mapping", "lint", str(folder)).exit_code == 0
    assert _run("mapping", "lint", str(folder), "--strict").exit_code == 1
