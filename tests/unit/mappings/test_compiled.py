"""The compiled JMESPath against the library's interpreter, and the limits that the library does not have."""

from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import Options

from mappings.compiled import MAX_STEPS, build, growth_of
from mappings.compiled.builder import FORMS
from mappings.expression import Expression
from mappings.functions import MappingFunctions

FUNCTIONS = MappingFunctions({})
KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "ab", "٣", 1.5, 0.0, Decimal("1.50"), b"", b"x"])
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
ROWS = st.lists(st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=2), max_size=3), max_size=4)
DOCUMENTS = st.one_of(JSON, st.dictionaries(KEYS, ROWS | JSON, max_size=3))

NAMES = st.sampled_from(["a", "b", "c", '"a"', "d"])
LITERALS = st.sampled_from(
    ["'x'", "''", "`1`", "`0`", "`-2`", "`1.5`", "`true`", "`false`", "`null`", "`[]`", "`{}`", '`[1, 2, "x"]`', '`{"a": [1]}`', "`[3, 1, 2]`", '`["b", "a"]`']
)  # fmt: skip
SUFFIXES = st.sampled_from(
    [".a", ".b", ".c", ".*", "[*]", "[]", "[0]", "[-1]", "[7]", "[1:]", "[:1]", "[::-1]", "[0:3:2]", "[?a]", "[?!b]", "[?a == b]", "[?@ > `1`]", "[?c != 'x']", ".[a, b]", ".{a: b, c: @}", ".length(@)", ".keys(@)"]
)  # fmt: skip
ONE = ["abs", "avg", "to_array", "to_string", "to_number", "length", "reverse", "ceil", "floor", "max", "min", "sort", "sum", "keys", "values", "type", "not_null", "merge"]  # fmt: skip
TWO = ["contains", "ends_with", "starts_with", "join", "not_null", "merge"]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.lists(SUFFIXES, min_size=1, max_size=4)).map(lambda made: made[0] + "".join(made[1])),
        inner.map("({})".format),
        inner.map("!{}".format),
        st.tuples(inner, st.sampled_from(["||", "&&", "|", "==", "!=", "<", "<=", ">", ">="]), inner).map(" ".join),
        pair.map("({0[0]}) == ({0[1]})".format),
        pair.map("[{0[0]}, {0[1]}]".format),
        inner.map("[{0}, {0}, a]".format),
        pair.map("{{x: {0[0]}, y: {0[1]}}}".format),
        st.tuples(st.sampled_from(ONE), inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(TWO), pair).map("{0[0]}({0[1][0]}, {0[1][1]})".format),
        pair.map("map(&{0[0]}, {0[1]})".format),
        inner.map("contains(['x', 'ab'], {})".format),
        inner.map("!!({})".format),
        st.tuples(st.sampled_from(["sort_by", "min_by", "max_by"]), pair).map("{0[0]}({0[1][0]}, &{0[1][1]})".format),
    )


CHAINS = st.tuples(NAMES, st.lists(SUFFIXES, max_size=5)).map(lambda made: made[0] + "".join(made[1]))
TEXTS = st.recursive(st.one_of(NAMES, CHAINS, LITERALS, st.just("@")), _grown, max_leaves=6)


def _outcome(evaluate, document: Any) -> str:
    try:
        return repr(evaluate(document))
    except (JMESPathError, TypeError, ValueError, ArithmeticError):
        return "an error"


@settings(max_examples=1500, suppress_health_check=[HealthCheck.filter_too_much])
@given(TEXTS, DOCUMENTS)
def test_compiled_expressions_mean_what_the_interpreter_means(text, document):
    """The representation is compared: 1, true and 1.0 are equal in Python, and the order of keys counts."""
    try:
        parsed = jmespath.compile(text)
    except JMESPathError:
        assume(False)
    expected = _outcome(lambda seen: parsed.search(seen, Options(custom_functions=FUNCTIONS)), document)
    event("an error" if expected == "an error" else "null" if expected == "None" else "a value")

    assert _outcome(build(parsed.parsed, FUNCTIONS), document) == expected


SPECIAL = [0, 1, True, False, None, "", "x", [], {}, [0], [False], 0.0, 1.0, Decimal(0), Decimal(1), Decimal("1.0"), b"", {"a": 0}, {"a": False}]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a == b", "a != b", "a < b", "a || b", "a && b", "!a", "!!a", "[a][?@]", "contains([a], b)", "a == 'x'"]
)
def test_truth_and_equality_have_the_librarys_corners(text):
    parsed = jmespath.compile(text)
    evaluate = build(parsed.parsed, Functions())
    for left in SPECIAL:
        for right in SPECIAL:
            document = {"a": left, "b": right}
            assert _outcome(evaluate, document) == _outcome(parsed.search, document), document


def test_every_form_that_the_parser_makes_is_compiled():
    from jmespath import ast

    made = {name for name, value in vars(ast).items() if callable(value)} - {"current_node", "key_val_pair"}

    assert made | {"current"} == set(FORMS)


@pytest.mark.parametrize("text", ["a.b.c.d.e", "a.b.c.d", "a.b", "a.b.c", "a"])
@pytest.mark.parametrize(
    "document",
    [{}, {"a": None}, {"a": {"b": {"c": {"d": {"e": 1}}}}}, {"a": {"b": []}}, {"a": {"b": {"c": "text"}}}, {"a": "text"}, None, [], "a", 3],
)  # fmt: skip
def test_a_path_that_ends_early_gives_null(text, document):
    parsed = jmespath.compile(text)

    assert build(parsed.parsed, Functions())(document) == parsed.search(document)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" | ".join(["[@, @]"] * 11), "multiplies"),
        (" | ".join(["{a: @, b: @, c: @}"] * 8), "multiplies"),
        ("map(&[@, @, @, @], [a, a, a, a])" + " | map(&[@, @, @, @], [@, @, @, @])" * 3, "multiplies"),
        ("a[::0]", "step"),
        ("type(&a)", "reference"),
        ("&a", "stands only"),
        ("[&a]", "stands only"),
        ("sort_by(a, b)", "reference"),
    ],
)
def test_an_expression_that_would_explode_is_refused_at_load(text, problem):
    with pytest.raises(ValueError, match=problem):
        Expression(text, FUNCTIONS)


@pytest.mark.parametrize("text", ["a.b", "join(' ', [a, b, c])", "rows[?a == 'x'].{n: a, m: b, k: c}", "a || b || c"])
def test_usual_expressions_multiply_little(text):
    assert growth_of(jmespath.compile(text).parsed) <= 16


def test_lists_that_multiply_end_with_the_budget():
    rows = {"a": [{"b": [{"c": list(range(1000))}] * 100}] * 100}

    with pytest.raises(ValueError, match=f"more than {MAX_STEPS:,} steps"):
        Expression("a[*].b[].c[]", FUNCTIONS)(rows)
    with pytest.raises(ValueError, match="steps"):
        Expression("map(&map(&map(&@, c), b), a)", FUNCTIONS)(rows)


def test_each_evaluation_has_the_whole_budget():
    expression = Expression("a[*]", FUNCTIONS)
    rows = {"a": [1] * (MAX_STEPS // 2 + 1)}

    assert len(expression(rows)) == len(expression(rows)) == MAX_STEPS // 2 + 1


def test_separators_cannot_blow_a_text_up():
    with pytest.raises(ValueError, match="join"):
        Expression("join(a, b)", FUNCTIONS)({"a": "x" * 2000, "b": [""] * 1000})
