"""The mapping language."""

import re
from typing import Any

import pytest

from mappings.codes import CodeTable
from mappings.errors import MappingError
from mappings.expression import Expression
from mappings.functions import MappingFunctions
from mappings.language import MAX_BYTES, MAX_LEAVES, Compiler, read_document

TABLES = {"level": CodeTable.of("level", {"basic": {"code": "B"}, "secondary": {"code": "S"}})}
FUNCTIONS = MappingFunctions(TABLES)
DOCUMENT: dict[str, Any] = {
    "operation_id": "op-1",
    "applicant": {"national_number": "٠١٢٣٤٥٦٧٨٩٠", "name": {"given": "أحمد"}, "birth_date": "1990-05-17"},
    "input": {"level": "basic", "governorate": "aleppo", "rows": [{"n": 1}, {"n": 2}, {}], "empty": "", "zero": 0},
    "fee": {"amount_minor": 2500, "currency": "SYP", "denomination": "SYP-new"},
    "payer": {"mobile": "+963931234567"},
}


def _value(text, document=DOCUMENT):
    return Expression(text, FUNCTIONS)(document)


def _template(tree, parts=None):
    return Compiler(TABLES, parts).template(tree, "x/mapping/y.yaml", "request.body")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("operation_id", "op-1"),
        ("applicant.name.given", "أحمد"),
        ("applicant.nothing.there", None),
        ("operation_id.there", None),
        ("'constant'", "constant"),
        ("digits(applicant.national_number)", "01234567890"),
        ("fold(applicant.name.given)", "احمد"),
        ("code('level', input.level)", "B"),
        ("code('governorates', input.governorate)", "02"),
        ("code('governorates.iso', input.governorate)", "SY-HL"),
        ("uncode('governorates', '02')", "aleppo"),
        ("code('level', input.nothing)", None),
        ("date(applicant.birth_date, '%d/%m/%Y')", "17/05/1990"),
        ("iso_date('17/05/1990', '%d/%m/%Y')", "1990-05-17"),
        ("money(fee, 'SYP-new', 'whole')", "25"),
        ("money(fee, 'SYP-old', 'whole')", "2500"),
        ("money(nothing, 'SYP-old', 'whole')", None),
        ("mobile(payer.mobile, 'international')", "963931234567"),
        ("base64('سلام')", "2LPZhNin2YU="),
        ("unbase64('2LPZhNin2YU=')", "سلام"),
        ("sha256('a')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("integer('٤٢')", 42),
        ("upper('a')", "A"),
        ("trim(' a ')", "a"),
        ("input.empty || operation_id", "op-1"),
        ("input.zero || operation_id", 0),
        ("input.rows[*].n", [1, 2]),
        ("input.level == 'basic'", True),
        ("length(input.rows)", 3),
    ],
)
def test_an_expression_gives_its_value(text, value):
    assert _value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "applicant.",
        "nothing(here)",
        "digits()",
        "digits(a, b)",
        "code('no_table', a)",
        "code('level.no_column', a)",
        "code('governorates.flag', a)",
        "a" * 1001,
        "(" * 900 + "a",
        "!" * 900 + "a",
        "to_number(a)",
        "avg(a)",
        "",
    ],
)
def test_a_wrong_expression_is_refused_at_load_with_file_and_key(text):
    with pytest.raises(MappingError, match=r"^x/mapping/y\.yaml: request\.body\.Name: "):
        _template({"Name": text})


@pytest.mark.parametrize(
    "text",
    ["code('level', applicant.national_number)", "date(applicant.national_number, '%d')", "mobile(applicant.national_number, 'local')", "digits(applicant.name)",
     "integer(applicant.name.given)", "length(`1`)", "money(payer, 'SYP-new', 'whole')", "money(fee, 'EUR', 'whole')", "unbase64(applicant.name.given)", "uncode('level', applicant.national_number)", "abs(applicant.national_number)"],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_by_key_and_never_shown(text):
    with pytest.raises(MappingError) as caught:
        _template({"Name": text})(DOCUMENT)
    shown = str(caught.value)
    assert shown.startswith("x/mapping/y.yaml: request.body.Name: ")
    assert DOCUMENT["applicant"]["national_number"] not in shown
    assert "01234567890" not in shown
    assert "أحمد" not in shown


def test_null_leaves_and_empty_mappings_are_left_out():
    template = _template(
        {
            "Id": "operation_id",
            "None": "input.nothing",
            "Deep": {"Deeper": {"None": "input.nothing"}},
            "No": None,
            "One": 1,
            "Yes": True,
        }
    )
    assert template(DOCUMENT) == {"Id": "op-1", "One": 1, "Yes": True}
    assert _template({"None": "input.nothing"})(DOCUMENT) is None


def test_when_leaves_a_mapping_out():
    tree = {
        "Basic": {"$when": "input.level == 'basic'", "Id": "operation_id"},
        "Other": {"$when": "input.level == 'secondary'", "Id": "operation_id"},
        "Empty": {"$when": "input.empty", "Id": "operation_id"},
    }
    assert _template(tree)(DOCUMENT) == {"Basic": {"Id": "op-1"}}


def test_each_makes_a_list_and_the_rest_stays_visible():
    tree = {
        "Rows": {"$each": "input.rows", "$item": {"N": "item.n", "Id": "operation_id"}},
        "None": {"$each": "input.nothing", "$item": "item"},
    }
    assert _template(tree)(DOCUMENT) == {"Rows": [{"N": 1, "Id": "op-1"}, {"N": 2, "Id": "op-1"}, {"Id": "op-1"}]}
    with pytest.raises(MappingError, match="a list"):
        _template({"Rows": {"$each": "operation_id", "$item": "item"}})(DOCUMENT)


def test_use_takes_a_part_and_keys_beside_it_win():
    parts = {"who": {"Name": "applicant.name.given", "Id": "'part'"}, "loop": {"$use": "loop"}}
    assert _template({"$use": "who", "Id": "operation_id"}, parts)(DOCUMENT) == {"Name": "أحمد", "Id": "op-1"}
    with pytest.raises(MappingError, match="no part"):
        _template({"$use": "nobody"}, parts)
    with pytest.raises(MappingError, match="uses itself"):
        _template({"$use": "loop"}, parts)


def test_a_part_that_contains_itself_is_refused():
    with pytest.raises(MappingError, match="levels"):
        _template({"$use": "deep"}, {"deep": {"Child": {"$use": "deep"}}})


@pytest.mark.parametrize(
    "tree",
    [{"$nonsense": "a"}, {"A": 1.5}, {"$each": "a"}, {"$each": "a", "$item": "b", "C": "d"}, {"$when": 3, "A": "b"}],
)
def test_an_unknown_directive_or_leaf_is_refused(tree):
    with pytest.raises(MappingError):
        _template(tree)


def test_fields_tell_what_a_template_may_read():
    fields = _template({"A": "secrets.otp", "B": {"$when": "token", "C": "settings.password"}}).fields
    assert {"secrets", "token", "settings", "password"} <= fields


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: &x 1\nb: *x", "aliases"), ("a: 1\na: 2", "twice"), ("a: {b: 1, b: 2}", "twice"), ("1: a", "a key is text"), ("on: a", "a key is text"), ("- a", "a YAML mapping is expected"), ("a: [", "not plain YAML"),
     ("a: !!python/object:os.system {}", "not plain YAML"), ("x: " + "[" * 5000, "not plain YAML"), ("a: " + "b" * MAX_BYTES, "KiB")],
)  # fmt: skip
def test_a_document_that_is_no_plain_yaml_is_refused(tmp_path, text, problem):
    file = tmp_path / "m.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(MappingError, match=problem) as caught:
        read_document(file, "x/mapping/m.yaml")
    assert re.match(r"x/mapping/m\.yaml(:[0-9]+)?: ", str(caught.value))


def test_a_missing_document_is_one_sentence(tmp_path):
    with pytest.raises(MappingError, match=r"^x/y\.yaml: the file cannot be read$"):
        read_document(tmp_path / "y.yaml", "x/y.yaml")


def test_a_mapping_of_ten_megabytes_is_one_error(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_bytes(b"answer:\n" + b"  a: b\n" * 1_500_000)

    with pytest.raises(MappingError, match=r"^x/mapping/m\.yaml: the file is too large; it may have 64 KiB$"):
        read_document(file, "x/mapping/m.yaml")


@pytest.mark.parametrize("tree", [{f"k{n}": "a" for n in range(MAX_LEAVES + 1)}, [[]] * (MAX_LEAVES + 1)])
def test_a_section_with_too_many_expressions_is_refused(tree):
    with pytest.raises(MappingError, match="more than 2,000"):
        _template(tree)


def test_parts_that_multiply_are_refused_at_once():
    parts = {f"p{n}": {"a": {"$use": f"p{n + 1}"}, "b": {"$use": f"p{n + 1}"}} for n in range(25)}
    parts["p25"] = {}

    with pytest.raises(MappingError, match="more than 2,000"):
        _template({"$use": "p0"}, parts)


def test_lists_within_lists_end_with_the_budget():
    rows = {"rows": [{"n": 1}] * 2000}
    tree = {"A": {"$each": "rows", "$item": {"B": {"$each": "rows", "$item": "item.n"}}}}

    with pytest.raises(MappingError, match=r"request\.body\.A\.\$item\.B\.\$each: it takes more than 1,000,000 steps"):
        _template(tree)(rows)


def test_a_result_that_would_not_fit_into_memory_is_refused():
    rows = {"text": "x" * 1_000_000, "rows": list(range(100))}
    tree = {"A": {"$each": "rows", "$item": "text"}}

    with pytest.raises(MappingError, match="64 MiB"):
        _template(tree)(rows)


def test_a_rendering_begins_with_the_whole_budget_each_time():
    rows = {"rows": [1] * 9000}
    template = _template({"A": {"$each": "rows", "$item": "item"}})

    for _ in range(120):
        assert len(template(rows)["A"]) == 9000


def test_an_error_in_a_part_names_the_parts_file_and_line(tmp_path):
    (tmp_path / "_parts.yaml").write_text(
        "who:\n  Name: applicant.name.given\n  Born: date(applicant.birth_date, 'yyyy-MM-dd')\n", "utf-8"
    )
    (tmp_path / "m.yaml").write_text(
        "request:\n  Person:\n    $use: who\n    Level: code('level', input.level)\n", "utf-8"
    )
    parts = read_document(tmp_path / "_parts.yaml", "x/mapping/_parts.yaml")
    tree = read_document(tmp_path / "m.yaml", "x/mapping/m.yaml")
    template = Compiler(TABLES, parts).template(tree["request"], "x/mapping/m.yaml", "request")

    assert template(DOCUMENT)["Person"]["Level"] == "B"
    with pytest.raises(
        MappingError, match=r"^x/mapping/_parts\.yaml:3: request\.Person\.Born: the day does not exist$"
    ):
        template({**DOCUMENT, "applicant": {"birth_date": "2026-02-30"}})
    with pytest.raises(
        MappingError, match=r"^x/mapping/m\.yaml:4: request\.Person\.Level: the code table has no such value$"
    ):
        template({**DOCUMENT, "input": {"level": "other"}})
    with pytest.raises(MappingError, match=r"^x/mapping/m\.yaml:3: request\.Person\.\$use: there is no part 'who'"):
        Compiler(TABLES).template(tree["request"], "x/mapping/m.yaml", "request")


def test_fields_of_one_place_are_read_at_once_with_the_same_meaning():
    tree = {"A": "a.b.x", "B": "a.b.y", "C": "a.b.z"}
    documents: list[dict[str, Any]] = [
        {},
        {"a": None},
        {"a": {"b": []}},
        {"a": {"b": {"x": 1, "y": None}}},
        {"a": "text"},
    ]
    for document in [*documents, {"a": {"b": {"z": 0}}}]:
        one_by_one = {name: value for name, text in tree.items() if (value := _value(text, document)) is not None}
        assert _template(tree)(document) == (one_by_one or None)
