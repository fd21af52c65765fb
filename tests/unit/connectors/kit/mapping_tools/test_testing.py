"""`jisr mapping test`: samples and tables of cases, and what is shown when they differ."""

import pytest

from connectors.kit.mapping_tools.cases import cases_of
from connectors.kit.mapping_tools.testing import run
from connectors.kit.mapping_tools.workbench import ToolError, Workbench
from mappings.errors import MappingError
from tests.unit.connectors.kit.mapping_tools.authors import TREE, change, copy_of

ONE = "cases:\n  - case: one\n"


@pytest.mark.parametrize("name", TREE)
def test_every_sample_and_case_of_the_tree_holds(name):
    results = list(run(Workbench(TREE[name])))

    assert len(results) > 10
    assert [result for result in results if not result.good] == []


def test_every_operation_with_a_table_of_cases_has_them_run():
    results = [result for result in run(Workbench(TREE["education"])) if result.source != "sample"]

    assert len(results) >= 15
    assert {result.operation for result in results} == {"check", "submit"}


def test_a_changed_mapping_is_shown_place_by_place(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "mapping/_parts.yaml", "Given: applicant.name.given", "Given: applicant.name.father")

    (found,) = [r for r in run(Workbench(folder), "submit") if r.name == "succeeded"]

    assert [(d.path, d.wanted, d.found) for d in found.differences] == [
        ("SubmitRequest/Applicant/Name/Given", '"سامر"', '"خليل"')
    ]


def test_a_changed_answer_is_shown_place_by_place(tmp_path):
    folder = copy_of("transport", tmp_path)
    change(
        folder / "mapping/vehicle-check.yaml", "model_year: answer.vehicle.modelYear", "year: answer.vehicle.modelYear"
    )

    (found,) = [r for r in run(Workbench(folder), "vehicle-check") if r.name == "succeeded"]

    assert {(d.path, d.wanted, d.found) for d in found.differences} == {
        ("data.model_year", "2010", ""),
        ("data.year", "", "2010"),
    }


def test_a_request_that_the_contract_refuses_is_a_sentence(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "mapping/_parts.yaml", "  NationalNumber: digits(applicant.national_number)\n", "")

    results = [r for r in run(Workbench(folder), "submit") if r.source == "sample"]

    assert results
    assert not any(r.good for r in results)
    assert "Applicant" in results[-1].problem


@pytest.mark.parametrize(
    ("table", "wanted", "found"),
    [
        (ONE + "    request: {body: {Language: en}}\n", '"en"', '"ar"'),
        (ONE + "    given: {request: {language: en}}\n    request: {body: {Language: ar}}\n", '"ar"', '"en"'),
        (ONE + "    request: {body: {Language: null}}\n", "", '"ar"'),
        (ONE + "    error: Language\n", "Language", ""),
        (
            ONE
            + "    rows:\n      - [given.request.language, request.body.Language]\n      - [en, en]\n      - [ar, en]\n",
            '"en"',
            '"ar"',
        ),
        (ONE + "    given: {input: {year: 1990-05-17}}\n    error: nonsense\n", "nonsense", None),
    ],
)
def test_a_case_that_differs_says_where(tmp_path, table, wanted, found):
    folder = copy_of("education", tmp_path)
    (folder / "mapping/submit.cases.yaml").write_text(table, encoding="utf-8")

    bad = [r for r in run(Workbench(folder), "submit") if not r.good]

    (result,) = bad
    assert result.source == "education/mapping/submit.cases.yaml:2"
    (difference,) = result.differences
    assert difference.wanted == wanted
    assert found is None or difference.found == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cases: 3\n", "submit.cases.yaml: cases: the file has one key"),
        ("- a\n", "submit.cases.yaml: a YAML mapping is expected"),
        ("cases:\n  - case: one\n    colour: red\n", "submit.cases.yaml:3: cases[0].colour: unknown key"),
        ("cases:\n  - case: one\n", "submit.cases.yaml:2: cases[0]: a case says request, outcome or error"),
        ("cases:\n  - case: one\n    given: 3\n    error: a\n", "submit.cases.yaml:3: cases[0].given: a mapping"),
        ("cases:\n  - case: one\n    error: 3\n", "submit.cases.yaml:3: cases[0].error: text"),
        ("cases:\n  - case: one\n    rows: [[request.body.A]]\n", "submit.cases.yaml:3: cases[0].rows: the first row"),
        ("cases:\n  - case: one\n    rows: [[request.body.A], [1, 2]]\n", "cases[0].rows[1]: 1 cells"),
        ("cases:\n  - case: one\n    rows: [[colour], [1]]\n", "cases[0].rows: the first row"),
        ("cases: [&a 1, *a]\n", "submit.cases.yaml:1: not plain YAML: aliases"),
        ("cases: [\n", "submit.cases.yaml:2: not plain YAML"),
        ("x: " + "y" * 2_000_000, "submit.cases.yaml: the file is too large"),
    ],
)
def test_a_wrong_table_is_one_sentence_with_file_and_line(tmp_path, text, sentence):
    folder = copy_of("education", tmp_path)
    (folder / "mapping/submit.cases.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(MappingError) as caught:
        cases_of(folder, "submit")

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_for_no_operation_is_refused(tmp_path):
    folder = copy_of("education", tmp_path)
    (folder / "mapping/other.cases.yaml").write_text(ONE, encoding="utf-8")

    with pytest.raises(ValueError, match=r"other\.cases\.yaml: the manifest has no such operation"):
        Workbench(folder)


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("canonical.json", "{", r"canonical\.json:1: the file is not JSON"),
        ("canonical.json", "[]", r"canonical\.json: a JSON object"),
        ("response.json", "{}", r"response\.json: status, headers and body"),
        ("outcome.json", None, r"outcome\.json: the file cannot be read"),
    ],
)
def test_a_broken_sample_is_one_sentence(tmp_path, file, text, sentence):
    folder = copy_of("transport", tmp_path)
    path = folder / "samples/vehicle-check/succeeded" / file
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(ToolError, match=sentence):
        list(run(Workbench(folder), "vehicle-check"))


def test_a_folder_that_is_no_package_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no package here"):
        Workbench(tmp_path / "nothing")


def test_a_package_without_a_sandbox_is_tried_with_invented_settings(tmp_path):
    folder = copy_of("transport", tmp_path)
    (folder / "sandbox.toml").unlink()

    settings = Workbench(folder).settings

    assert settings["base_url"].startswith("http://127.0.0.1")
    assert settings["client_secret"] == "<client_secret>"
