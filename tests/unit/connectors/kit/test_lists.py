"""Parameters that are lists: written as the manifest says, and read as any honest server would."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.lists import ListStyle, Unwritable, list_style, read_query, written_list
from connectors.kit.rest import render

STYLES: tuple[ListStyle, ...] = ("repeat", "comma", "space", "pipe")
VALUES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4)


@given(values=VALUES, style=st.sampled_from(STYLES))
def test_what_is_written_is_read_again_whatever_stands_in_it(values: list[str], style: ListStyle) -> None:
    sign = {"comma": ",", "space": " ", "pipe": "|"}.get(style)
    if sign is not None and any(sign in value for value in values):
        with pytest.raises(ValueError, match="stands between the values"):
            written_list("a list", values, style)
        return
    raw = written_list("a list", values, style)

    assert raw.isascii()
    assert "#" not in raw
    assert read_query(raw, {"a list": style}) == {"a list": values}


@pytest.mark.parametrize(
    ("style", "raw"),
    [
        ("repeat", "ids=1&ids=a%2Fb&page=2"),
        ("comma", "ids=1,a%2Fb&page=2"),
        ("space", "ids=1%20a%2Fb&page=2"),
        ("pipe", "ids=1%7Ca%2Fb&page=2"),
    ],
)
def test_a_list_stands_in_the_query_as_openapi_has_it(style: ListStyle, raw: str) -> None:
    message = render("GET", "/things", {"query": {"ids": [1, "a/b"], "page": 2}}, {"ids": style})

    assert message.path == f"/things?{raw}"
    if style == "repeat":
        assert parse_qs(raw)["ids"] == ["1", "a/b"]


def test_a_list_in_path_and_header_has_commas_and_an_empty_one_is_not_sent() -> None:
    parts = {"path": {"ids": ["a/b", 2]}, "query": {"kinds": []}, "headers": {"X-Office": ["01", "02"]}}
    message = render("GET", "/things/{ids}", parts, {"kinds": "comma"})

    assert message.path == "/things/a%2Fb,2"
    assert message.headers["X-Office"] == "01,02"


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"query": {"ids": [1]}}, "query.ids: a list is sent only where the manifest names the parameter in lists"),
        ({"path": {"ids": []}}, "path.ids: text or an integer is expected"),
        ({"path": {"ids": ["a", ".."]}}, "path.ids: it is empty or would leave the path"),
        ({"path": {"ids": ["a", "b,c"]}}, "path.ids: a value has the sign in it"),
        ({"query": {"known": [[1]]}}, "query.known: a list is sent only"),
    ],
)
def test_a_list_that_cannot_be_sent_is_refused_without_its_values(parts: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        render("GET", "/things/{ids}", {"path": {"ids": "x"}, **parts}, {"known": "comma"})


@pytest.mark.parametrize(
    ("parameter", "style"),
    [
        ({"in": "query"}, "repeat"),
        ({"in": "query", "explode": False}, "comma"),
        ({"in": "query", "style": "spaceDelimited"}, "space"),
        ({"in": "query", "style": "pipeDelimited", "explode": False}, "pipe"),
        ({"in": "path"}, "comma"),
        ({"in": "header", "explode": True}, "comma"),
    ],
)
def test_the_style_of_a_parameter_is_that_of_the_document(parameter: dict[str, object], style: str) -> None:
    assert list_style(parameter) == style


@pytest.mark.parametrize("parameter", [{"in": "query", "style": "deepObject"}, {"in": "path", "style": "matrix"}])
def test_a_style_that_is_not_written_is_named(parameter: dict[str, object]) -> None:
    with pytest.raises(Unwritable, match=str(parameter["style"])):
        list_style(parameter)
