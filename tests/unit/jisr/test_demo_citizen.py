"""What a demonstration's citizen brings: files that say themselves what they are, and answers that forms allow."""

import zlib
from dataclasses import replace

import jsonschema_rs

from jisr.demo_citizen import answer_to, file_for, files_of, uploads_in, with_digests
from tests.unit.gateway.test_settle import SERVICE

DIGEST = f"sha256:{'0' * 64}"


def test_a_photo_is_a_picture_and_anything_else_a_pdf_and_both_are_whole():
    picture, scan = file_for("photo"), file_for("id_scan")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.endswith(b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big"))
    assert (scan[:5], scan.rstrip()[-5:]) == (b"%PDF-", b"%%EOF")
    assert file_for("photo") == picture != file_for("photo_back")


def test_what_a_request_refers_to_is_uploaded_and_named_by_its_digest():
    service = replace(SERVICE, required_documents=("id_scan", "photo"))
    body = {"input": {"photo": DIGEST, "kind": "renew"}}
    files = files_of(service, body)
    assert set(files) == {("attachments", "id_scan"), ("input", "photo")}
    made = with_digests(body, dict.fromkeys(files, "sha256:1"))
    assert made == {"input": {"photo": "sha256:1", "kind": "renew"}, "attachments": {"id_scan": "sha256:1"}}


def test_an_answer_says_yes_and_its_uploads_are_found():
    schema = {
        "type": "object",
        "required": ["consent", "photo"],
        "properties": {
            "consent": {"type": "boolean"},
            "photo": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        },
    }
    answer = answer_to(schema)
    assert answer["consent"] is True
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(answer)
    assert uploads_in(schema) == ["photo"]
