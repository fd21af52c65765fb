"""`jisr mapping explain` and `try`: where each field comes from, and both sides."""

import json

import pytest

from connectors.kit.mapping_tools.explaining import explain, mask
from connectors.kit.mapping_tools.trying import try_out
from connectors.kit.mapping_tools.workbench import ToolError, Workbench, answer_of, http_answer
from tests.unit.connectors.kit.mapping_tools.authors import TREE


def _fields(explanation):
    return {(field.direction, field.wire, field.canonical): field for field in explanation.fields}


def test_a_field_has_its_path_its_rule_its_place_and_its_masked_value():
    fields = _fields(explain(Workbench(TREE["education"]), "submit"))

    number = fields["request", ("body.Applicant.NationalNumber",), ("applicant.national_number",)]
    assert number.rule == "digits(applicant.national_number)"
    assert (number.place.file, number.place.line) == ("education/mapping/_parts.yaml", 4)
    assert number.raw == number.result == ("99*********",)[0:1] or (number.raw, number.result) == (
        ("99*********",),
        "99*********",
    )
    issued = fields["answer", ("answer.IssuedOn",), ("data.issued_on",)]
    assert issued.result == "20********"


def test_what_a_false_condition_leaves_out_gave_nothing():
    fields = _fields(explain(Workbench(TREE["education"]), "submit"))
    year = ("input.year",)

    assert fields["request", ("body.Record.SecondaryCertificate.Year",), year].result == "****"
    assert fields["request", ("body.Record.BasicCertificate.Year",), year].result == ""
    assert fields["request", ("body.Record.BasicCertificate.Year",), year].raw == ("****",)


def test_no_personal_or_secret_value_is_shown():
    for name, folder in TREE.items():
        bench = Workbench(folder)
        for sample in bench.samples():
            explanation = explain(bench, sample.operation, sample.case)
            document = sample.json("canonical.json")
            shown = json.dumps([(f.raw, f.result, f.problem) for f in explanation.fields], ensure_ascii=False)
            private = [*document["applicant"]["name"].values(), document["applicant"]["national_number"]]
            private += [str(value) for value in document.get("secrets", {}).values()]
            private += [str(bench.settings[s]) for s, setting in bench.package.settings.items() if setting.secret]
            assert [text for text in private if len(text) > 4 and text in shown] == [], name


def test_the_institutions_code_is_explained():
    bench = Workbench(TREE["syriatel_cash"])

    assert explain(bench, "confirm", "refused-otp-wrong").meaning == "refused otp_wrong"
    assert explain(bench, "confirm", "in-doubt-unlisted-code").meaning == "unlisted: never final"


def test_a_fault_is_explained():
    assert explain(Workbench(TREE["education"]), "submit", "fault-record-withheld").meaning == "refused record_withheld"


@pytest.mark.parametrize(
    ("value", "masked"),
    [(None, ""), (True, "true"), ("", ""), ("ab", "**"), ("abcd", "****"), ("abcde", "ab***"), (2008, "****"), ("x" * 300, "xx… (300)"), (b"abc", "<3 bytes>"), ([1, 2], "[2]"), ({"a": 1}, "{a}")],
)  # fmt: skip
def test_a_masked_value_says_its_kind_and_length(value, masked):
    assert mask(value) == masked


def test_both_sides_are_shown():
    bench = Workbench(TREE["education"])
    sample = bench.sample("submit")

    tried = try_out(bench, "submit", sample.json("canonical.json"), answer_of(sample))

    assert '"national_number": "99000000500"' in tried.canonical
    assert ">99000000500</" in tried.request
    assert "<ReceiptNumber>70001</ReceiptNumber>" in tried.answer
    assert json.loads(tried.outcome)["reference"] == "70001"
    assert tried.problem == ""


def test_a_document_that_cannot_be_rendered_says_why_with_file_and_line():
    bench = Workbench(TREE["education"])
    document = {**bench.sample("submit").json("canonical.json"), "input": {"governorate": "atlantis", "year": 2008}}

    tried = try_out(bench, "submit", document, None)

    assert tried.request == ""
    assert tried.problem.startswith(
        "education/mapping/_parts.yaml:25: request.body.Record.SecondaryCertificate.Governorate: "
    )


def test_an_answer_of_ones_own_is_judged():
    bench = Workbench(TREE["transport"])
    document = bench.sample("vehicle-check").json("canonical.json")

    refused = try_out(bench, "vehicle-check", document, http_answer(b'{"result": {"code": "NOPE"}}', 404))
    page = try_out(bench, "vehicle-check", document, http_answer(b"<html>", 502))

    assert json.loads(refused.outcome) == {"error": "upstream_fault"}
    assert json.loads(page.outcome) == {"error": "upstream_server_failed"}


def test_secrets_are_not_shown_in_the_document():
    bench = Workbench(TREE["syriatel_cash"])
    document = bench.sample("confirm").json("canonical.json")
    assert document["secrets"]

    assert "secrets" not in try_out(bench, "confirm", document, None).canonical


def test_a_document_without_operation_id_is_refused():
    with pytest.raises(ToolError, match="operation_id"):
        try_out(Workbench(TREE["transport"]), "vehicle-check", {}, None)
