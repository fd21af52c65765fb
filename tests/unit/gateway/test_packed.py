"""JSON as the store keeps it: exact and compact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.packed import pack, pack_text, unpack

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(SCALARS.filter(lambda v: isinstance(v, str)), inner)
)


@given(VALUES)
def test_what_was_packed_is_what_is_unpacked(value):
    assert unpack(pack(value)) == value
    assert unpack(pack_text(value)) == value


@pytest.mark.parametrize("text", ["1.10", "0.1", "12345678901234567890.123456789"])
def test_a_decimal_stays_exact(text):
    assert pack({"a": Decimal(text)}) == f'{{"a":{text}}}'.encode()
    assert str(unpack(pack(Decimal(text)))) == text


def test_arabic_is_written_as_it_is():
    assert pack({"name": "سلمى"}) == '{"name":"سلمى"}'.encode()
