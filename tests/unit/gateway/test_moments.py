"""Moments: RFC 3339 in UTC, to the millisecond and to the microsecond."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.moments import iso, iso_exact


@given(st.integers(0, 4_000_000_000_000))
def test_a_moment_is_written_as_the_standard_library_reads_it(milliseconds):
    written = str(iso(milliseconds))

    assert written.endswith("Z")
    assert round(datetime.fromisoformat(written).timestamp() * 1000) == milliseconds
    assert datetime.fromisoformat(iso_exact(milliseconds * 1000 + 7)).microsecond == milliseconds % 1000 * 1000 + 7


def test_no_moment_is_none():
    assert iso(None) is None
    assert iso(0) == datetime.fromtimestamp(0, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
