"""Code tables."""

import pytest

from mappings.codes import CodeTable, UnknownCode, table, table_names


def test_there_are_fourteen_governorates_with_codes_and_both_names():
    governorates = table("governorates")
    assert len(list(governorates)) == 14
    assert sorted(governorates.code(value) for value in governorates) == [f"{n:02}" for n in range(1, 15)]
    for value in governorates:
        assert governorates.code(value, "iso").startswith("SY-")
        assert governorates.name_of(value, "en").isascii()
        assert not governorates.name_of(value, "ar").isascii()


@pytest.mark.parametrize("column", ["code", "iso", "ar", "en"])
def test_every_code_leads_back_to_its_value(column):
    governorates = table("governorates")
    for value in governorates:
        assert governorates.value(governorates.code(value, column), column) == value


def test_what_is_not_in_the_table_is_unknown():
    with pytest.raises(UnknownCode):
        table("governorates").code("atlantis")
    with pytest.raises(UnknownCode):
        table("governorates").value("99")
    with pytest.raises(UnknownCode):
        table("../governorates")


def test_currencies_are_no_code_table():
    assert "currencies" not in table_names()
    assert "governorates" in table_names()


def test_a_code_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="stands twice"):
        CodeTable.of("kinds", {"a": {"code": "1"}, "b": {"code": "1"}})
