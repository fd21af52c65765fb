"""Documents that institutions return: whole and what they are called, or not passed on."""

import base64
import hashlib

import pytest

from connectors.kit.documents import read_document

WHOLE = {
    "application/pdf": b"%PDF-1.7\n" + b"x" * 50 + b"\n%%EOF\n",
    "image/png": b"\x89PNG\r\n\x1a\n" + b"x" * 50 + b"IEND\xaeB`\x82",
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"x" * 50 + b"\xff\xd9",
}


@pytest.mark.parametrize("media_type", WHOLE)
def test_a_whole_document_is_read_from_bytes_and_from_base64(media_type):
    content = WHOLE[media_type]
    digest = hashlib.sha256(content).hexdigest()
    for given in (content, base64.b64encode(content).decode()):
        read = read_document({"media_type": media_type, "content": given, "sha256": digest, "size": len(content)})
        assert (read.content, read.media_type) == (content, media_type)


@pytest.mark.parametrize("media_type", WHOLE)
def test_n5_a_document_that_is_cut_at_any_byte_is_refused(media_type):
    content = WHOLE[media_type].rstrip(b"\n")
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"not a whole|empty"):
            read_document({"media_type": media_type, "content": content[:length]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 7}, "length differs"),
        ({"size": "seven"}, "length differs"),
        ({"sha256": "0" * 64}, "digest differs"),
        ({"media_type": "image/png"}, "not a whole PNG"),
        ({"content": "%%%"}, "not base64"),
        ({"content": None}, "no content"),
    ],
)
def test_n6_a_document_that_is_not_what_was_promised_is_refused(changes, sentence):
    fields = {"media_type": "application/pdf", "content": WHOLE["application/pdf"], **changes}
    with pytest.raises(ValueError, match=sentence):
        read_document(fields)


def test_a_kind_whose_form_is_not_known_is_passed_on_as_it_is():
    assert read_document({"media_type": "application/xml", "content": b"<a/>"}).content == b"<a/>"
