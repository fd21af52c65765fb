"""National numbers and mobile numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.person import mobile, mobile_as, mobile_operator, national_number

SUBSCRIBER = st.from_regex(r"\A9[0-9]{8}\Z")


@pytest.mark.parametrize("written", ["01234567890", "٠١٢٣٤٥٦٧٨٩٠", "۰۱۲۳۴۵۶۷۸۹۰", " 01234567890 "])
def test_a_national_number_is_folded(written):
    assert national_number(written) == "01234567890"


@pytest.mark.parametrize(
    "written", ["", "1234567890", "012345678901", "0123456789x", "0123 4567890", "¹1234567890", "-1234567890"]
)
def test_what_has_not_eleven_digits_is_no_national_number(written):
    with pytest.raises(ValueError):
        national_number(written)


@given(SUBSCRIBER, st.sampled_from(["", "0", "963", "+963", "00963"]), st.booleans(), st.booleans())
def test_every_usual_way_of_writing_a_mobile_gives_one_number(subscriber, prefix, spaced, arabic):
    written = prefix + subscriber
    if arabic:
        written = "".join(chr(0x0660 + int(c)) if c.isdigit() else c for c in written)
    if spaced:
        written = f" {written[:5]} {written[5:8]}-{written[8:]}"
    assert mobile(written) == "+963" + subscriber


@pytest.mark.parametrize(
    "written", ["", "0112345678", "+96291234567", "+9639123456789", "09123", "9x2345678", "0963912345678"]
)
def test_what_is_no_syrian_mobile_is_refused(written):
    with pytest.raises(ValueError):
        mobile(written)


def test_wires_want_three_forms():
    assert [mobile_as("0931234567", form) for form in ("e164", "international", "local")] == [
        "+963931234567",
        "963931234567",
        "0931234567",
    ]
    with pytest.raises(ValueError):
        mobile_as("0931234567", "dashes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prefix", "operator"),
    [
        ("093", "syriatel"),
        ("098", "syriatel"),
        ("099", "syriatel"),
        ("094", "mtn"),
        ("095", "mtn"),
        ("096", "mtn"),
        ("091", None),
    ],
)
def test_the_prefix_tells_the_operator(prefix, operator):
    assert mobile_operator(f"{prefix}1234567") == operator
