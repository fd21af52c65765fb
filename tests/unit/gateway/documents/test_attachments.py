"""Uploads: known by their bytes, kept for their channel alone, referred to by digest, and forgotten when nobody does."""

import base64
import hashlib
import os

import pytest
from sqlalchemy import func, select, text

from gateway.api.openapi_examples import VEHICLE
from gateway.keeping import Keeping
from gateway.store.attachments import Room
from gateway.store.blobs import CHUNK_BYTES
from gateway.store.tables import attachments, blob_chunks, blobs

MARK = b"a mark that must not stand in the clear"
PDF = b"%PDF-1.7\n" + MARK + b"\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 40 + b"\xff\xd9"


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def upload(api, content, who="web", **headers):
    return await api.client.post("/v1/attachments", content=content, headers=api.headers(who, **headers))


async def count(api, table):
    return await api.services.store.read(lambda conn: conn.scalar(select(func.count()).select_from(table)))


async def test_what_a_file_is_its_bytes_say_and_not_its_header(api):
    for content, kind in ((PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")):
        answer = await upload(api, content, Content_Type="text/html")
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert (told["digest"], told["media_type"], told["size"]) == (digest_of(content), kind, len(content))
        assert answer.headers["location"] == f"/v1/attachments/{told['digest']}"
    for content in (
        b"<html><script>alert(1)</script></html>",
        b"",
        b"%PD",
        b"MZ" + b"\x00" * 60,
        b"PK\x03\x04" + b"0" * 60,
    ):
        refused = await upload(api, content, Content_Type="application/pdf")
        assert (refused.status_code, refused.json()["code"]) == (415, "attachment_not_accepted"), content
    assert await count(api, blobs) == 3, "nothing is left of what was refused"


async def test_a_file_without_its_end_or_with_another_digest_is_refused_and_not_kept(api):
    promised = f"sha-256=:{base64.b64encode(hashlib.sha256(PDF).digest()).decode()}:"
    large = b"%PDF-1.7\n" + os.urandom(2 * CHUNK_BYTES)
    for content, header in ((PDF[:-8], ""), (PNG[:-3], ""), (JPEG[:-1], ""), (large, ""), (PDF + b" ", promised)):
        refused = await upload(api, content, **({"Content_Digest": header} if header else {}))
        assert (refused.status_code, refused.json()["code"]) == (422, "attachment_damaged")
    assert await count(api, blob_chunks) == 0
    assert (await upload(api, PDF, Content_Digest=promised)).status_code == 201


async def test_the_same_bytes_again_are_the_same_attachment(api):
    first, again = await upload(api, PDF), await upload(api, PDF)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["digest"] == again.json()["digest"]
    assert (await count(api, attachments), await count(api, blobs)) == (1, 1)


async def test_a_large_upload_is_sealed_in_chunks_as_it_comes(api):
    async def pieces():
        yield PDF[:3]
        yield PDF[3:-6]
        for _ in range(30):
            yield os.urandom(40_000)
        yield PDF[-6:]

    answer = await upload(api, pieces())
    assert answer.status_code == 201, answer.text
    assert await count(api, blob_chunks) == 5
    sealed = await api.services.store.read(lambda conn: conn.execute(text("SELECT content FROM blob_chunks")).all())
    assert not any(MARK in bytes(row.content) for row in sealed)


async def test_what_is_too_large_is_cut_off_whatever_its_header_says(api):
    limit = api.services.settings.max_attachment_bytes

    async def endless():
        yield PDF
        while True:
            yield b"0" * 1_000_000

    for content in (endless(), b"0" * (limit + 1)):
        refused = await upload(api, content)
        assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert await count(api, blobs) == 0


async def test_a_channel_sees_and_uses_its_own_only(api):
    digest = (await upload(api, PDF)).json()["digest"]
    assert (await api.get(f"/v1/attachments/{digest}")).json()["media_type"] == "application/pdf"
    assert (await api.get(f"/v1/attachments/{digest}", who="other")).status_code == 404
    assert (await api.client.get(f"/v1/attachments/{digest}")).status_code == 401
    assert (await upload(api, PDF, who="layla")).status_code == 403
    body = VEHICLE | {"attachments": {"scan": digest}}
    refused = await api.submit(body, who="other")
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/attachments/scan", "attachment_unknown")
    assert (await api.submit(body)).status_code == 202
    assert (await upload(api, PDF, who="other")).status_code == 201, "nobody learns that another has it"


@pytest.mark.parametrize("room", [Room(2, 10**9), Room(100, 120)], ids=["number", "bytes"])
async def test_a_channel_with_too_many_uploads_that_nobody_refers_to_gets_no_more_until_they_are_used(
    api, monkeypatch, room
):
    """What it has already, and what others upload, is taken as before; nothing is left of what was refused."""
    monkeypatch.setattr(api.services.attachments, "_room", room)
    first, second = PDF, PDF.replace(MARK, MARK.upper())
    assert [(await upload(api, content)).status_code for content in (first, second)] == [201, 201]
    refused = await upload(api, PNG)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_uploads")
    assert refused.headers["retry-after"] == "60"
    assert (await upload(api, first)).status_code == 200
    assert (await upload(api, PNG, "other")).status_code == 201
    assert (await count(api, blobs), await count(api, attachments)) == (3, 3)

    body = {**VEHICLE, "attachments": {"proof": digest_of(first)}}
    assert (await api.submit(body)).status_code in (201, 202)
    assert (await upload(api, PNG)).status_code == 201


async def test_a_pre_flight_names_an_attachment_that_is_not_there(api):
    body = VEHICLE | {"attachments": {"scan": digest_of(PDF)}}
    refused = await api.submit(body, key=None, path="/v1/requests?dry_run=true")
    assert [error["code"] for error in refused.json()["errors"]] == ["attachment_unknown"]
    await upload(api, PDF)
    told = (await api.submit(body, key=None, path="/v1/requests?dry_run=true")).json()
    assert (told["acceptable"], told["missing_documents"]) == (True, [])


async def test_a_digest_that_is_none_is_a_fault_of_the_body(api):
    for wrong in ("sha256:xyz", "SHA256:" + "a" * 64, 7, ["sha256:" + "a" * 64]):
        refused = await api.submit(VEHICLE | {"attachments": {"scan": wrong}})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/attachments/scan"


async def test_an_upload_expires_unless_a_request_refers_to_it(api):
    await upload(api, PDF)
    await upload(api, PNG)
    assert (await api.get(f"/v1/attachments/{digest_of(PDF)}")).json()["expires_at"] is not None
    assert (await api.submit(VEHICLE | {"attachments": {"scan": digest_of(PDF)}})).status_code == 202
    assert (await api.get(f"/v1/attachments/{digest_of(PDF)}")).json()["expires_at"] is None
    keeping = Keeping(api.services.store, api.services.settings)
    api.services.clock.advance(47 * 3600)
    await keeping.forget_attachments()
    assert await count(api, attachments) == 2
    api.services.clock.advance(2 * 3600)
    await keeping.forget_attachments()
    await keeping.drop_stray_blobs()
    assert (await count(api, attachments), await count(api, blobs)) == (1, 1)
    assert (await api.get(f"/v1/attachments/{digest_of(PNG)}")).status_code == 404
