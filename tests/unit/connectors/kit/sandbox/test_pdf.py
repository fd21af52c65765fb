"""The document that a sandbox issues."""

import re

from connectors.kit.sandbox.pdf import make_pdf


def test_the_same_words_give_the_same_bytes_and_other_words_other_bytes() -> None:
    make_pdf.cache_clear()
    first = make_pdf("Statement", ("Request 1",))
    make_pdf.cache_clear()
    assert make_pdf("Statement", ("Request 1",)) == first
    assert make_pdf("Statement", ("Request 2",)) != first


def test_every_cross_reference_points_at_its_object() -> None:
    raw = make_pdf("Statement (1)", ("a \\ b", "عربي"))
    (end,) = re.findall(rb"startxref\n(\d+)\n%%EOF\n$", raw)
    start = int(end)
    assert raw[start:].startswith(b"xref\n0 6\n")
    offsets = [int(entry) for entry in re.findall(rb"^(\d{10}) 00000 n $", raw[start:], re.MULTILINE)]
    assert len(offsets) == 5
    for number, offset in enumerate(offsets, start=1):
        assert raw[offset:].startswith(b"%d 0 obj\n" % number)


def test_the_stream_is_as_long_as_it_says_and_its_text_is_escaped() -> None:
    raw = make_pdf("Statement (1)", ("a \\ b",))
    ((length, stream),) = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", raw, re.DOTALL)
    assert int(length) == len(stream)
    assert rb"(Statement \(1\))" in stream
    assert rb"(a \\ b)" in stream
