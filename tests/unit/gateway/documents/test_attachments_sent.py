"""Attachments on their way: required by a service, handed to the connector's mapping, and sent again by the citizen."""

import base64
import os
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, select

from connectors.kit.errors import MappingFailed
from gateway.api.openapi_examples import VEHICLE
from gateway.documents.attachments import Attachments
from gateway.store.attachments import Room, use
from gateway.store.blobs import CHUNK_BYTES
from gateway.store.tables import attachments, blob_chunks, requests
from mappings.upload import Upload
from tests.unit.gateway.documents.test_attachments import JPEG, PDF, PNG, digest_of

LARGE = PNG[:16] + os.urandom(2 * CHUNK_BYTES) + PNG[16:]


async def send(scene, path, body, **headers):
    headers = {"Authorization": f"Bearer {scene.key}", **headers}
    if isinstance(body, bytes):
        return await scene.client.post(path, content=body, headers=headers)
    return await scene.client.post(path, json=body, headers=headers)


def body(service="office.photo", **more):
    applicant = VEHICLE["applicant"]
    return {"service": service, "applicant": applicant, "input": {"plate_number": "123456"}, **more}


async def test_a_required_document_is_named_in_the_pre_flight_and_demanded_at_accept(scene):
    told = (await send(scene, "/v1/requests?dry_run=true", body())).json()
    assert (told["acceptable"], told["missing_documents"]) == (False, ["photo"])
    refused = await send(scene, "/v1/requests", body(), **{"Idempotency-Key": "k-1"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/attachments/photo", "document_missing")
    await send(scene, "/v1/attachments", PNG)
    with_photo = body(attachments={"photo": digest_of(PNG)})
    told = (await send(scene, "/v1/requests?dry_run=true", with_photo)).json()
    assert (told["acceptable"], told["missing_documents"]) == (True, [])
    assert await scene.store.read(lambda conn: conn.execute(select(requests)).all()) == []


async def test_the_mapping_gets_the_bytes_of_an_attachment(scene):
    assert (await send(scene, "/v1/attachments", LARGE)).status_code == 201
    asked = body(attachments={"photo": digest_of(LARGE)})
    accepted = await send(scene, "/v1/requests", asked, **{"Idempotency-Key": "k-1"})
    assert accepted.status_code == 202, accepted.text
    await scene.until_state(accepted.json()["id"], "with_institution")
    photo = scene.office.bodies[0]["photo"]
    assert base64.b64decode(photo["content"]) == LARGE
    assert (photo["media_type"], photo["size"]) == ("image/png", len(LARGE))
    assert photo["sha256"] == digest_of(LARGE).removeprefix("sha256:")
    (row,) = await scene.rows(requests)
    assert len(row.content) < 2000, "the request holds the digest, not the bytes"


async def test_an_operation_that_streams_gets_an_upload_that_is_read_when_it_is_sent(scene):
    await send(scene, "/v1/attachments", LARGE)
    digest = digest_of(LARGE)
    work = SimpleNamespace(content={"input": {}, "attachments": {"photo": digest}}, progress={}, attachments={})
    office = SimpleNamespace(reads_attachments={"submit"}, streams=lambda _: True)
    plan: Any = SimpleNamespace(connector=office, operation=SimpleNamespace(name="submit"))
    channel = await scene.store.read(lambda conn: conn.scalar(select(attachments.c.channel_id)))
    await scene.store.write(use, channel, {digest})
    await Attachments(scene.store, Room(10, 10**9)).bring(work, plan)  # type: ignore[arg-type]
    content = work.attachments["photo"]["content"]
    assert isinstance(content, Upload)
    assert (content.size, f"sha256:{content.sha256}") == (len(LARGE), digest)
    for _ in range(2):
        pieces = [piece async for piece in content.pieces()]
        assert b"".join(pieces) == LARGE
        assert max(map(len, pieces)) <= CHUNK_BYTES
    await scene.store.write(lambda conn: conn.execute(delete(blob_chunks).where(blob_chunks.c.number == 1)))
    with pytest.raises(MappingFailed, match="not what was stored"):
        await Attachments(scene.store, Room(10, 10**9)).bring(work, plan)  # type: ignore[arg-type]


async def test_a_request_without_attachments_sends_none(scene):
    request = await scene.submit()
    await scene.until_state(request["id"], "with_institution")
    assert "photo" not in scene.office.bodies[0]


async def test_an_attachment_that_is_damaged_in_the_store_is_never_sent(scene):
    await send(scene, "/v1/attachments", LARGE)
    await scene.store.write(lambda conn: conn.execute(delete(blob_chunks).where(blob_chunks.c.number == 1)))
    asked = body(attachments={"photo": digest_of(LARGE)})
    accepted = await send(scene, "/v1/requests", asked, **{"Idempotency-Key": "k-1"})
    parked = await scene.until_state(accepted.json()["id"], "parked")
    assert parked["reason"]["code"] == "mapping_failed"
    assert scene.office.count("submit") == 0


async def test_a_replay_of_a_request_with_attachments_is_the_same_request(scene):
    await send(scene, "/v1/attachments", PDF)
    asked = body(attachments={"photo": digest_of(PDF)})
    first = await send(scene, "/v1/requests", asked, **{"Idempotency-Key": "k-1"})
    again = await send(scene, "/v1/requests", asked, **{"Idempotency-Key": "k-1"})
    assert first.json()["id"] == again.json()["id"]
    other = await send(
        scene,
        "/v1/requests",
        body(attachments={"photo": digest_of(PDF), "scan": digest_of(PDF)}),
        **{"Idempotency-Key": "k-1"},
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_better_photo_takes_the_place_of_the_first_one(scene):
    """The institution asks again; the citizen answers with the digest of another upload, and the act begins anew."""
    for content in (PNG, JPEG):
        await send(scene, "/v1/attachments", content)
    scene.office.answers["submit"] = {"status": "no", "ask": True}
    asked = body(attachments={"photo": digest_of(PNG)})
    accepted = await send(scene, "/v1/requests", asked, **{"Idempotency-Key": "k-1"})
    waiting = await scene.until_state(accepted.json()["id"], "awaiting_citizen")
    action = f"/v1/requests/{waiting['id']}/actions/{waiting['next_action']['id']}"
    unknown = await send(scene, action, {"photo": f"sha256:{'0' * 64}"}, **{"Idempotency-Key": "a-1"})
    assert unknown.status_code == 422, unknown.text
    assert [(e["pointer"], e["code"]) for e in unknown.json()["errors"]] == [("/photo", "attachment_unknown")]
    scene.office.answers["submit"] = {"status": "done"}
    taken = await send(scene, action, {"photo": digest_of(JPEG)}, **{"Idempotency-Key": "a-2"})
    assert taken.status_code in (200, 202), taken.text
    await scene.until_state(waiting["id"], "completed")
    assert [each["photo"]["media_type"] for each in scene.office.bodies] == ["image/png", "image/jpeg"]
    assert base64.b64decode(scene.office.bodies[1]["photo"]["content"]) == JPEG
    assert scene.office.bodies[0]["id"] != scene.office.bodies[1]["id"]
