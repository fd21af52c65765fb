"""Documents that institutions issued: kept once, given out whole or not at all, and verified by whoever holds one."""

import hashlib
import os

from sqlalchemy import delete, func, insert, select, text

from connectors.kit.contract import Document
from gateway.documents.keep import SMALL_BYTES, BlobWriter, lay_down
from gateway.keeping import Keeping
from gateway.store.exchanges import write_documents
from gateway.store.tables import blob_chunks, blobs, documents, request_documents
from gateway.work import KeptDocument, Settlement, Settling
from mappings.status import Request
from tests.unit.gateway.api.rows import PDF, put_document, put_request

MARK = b"a mark that must not stand in the clear"


def large() -> bytes:
    return b"%PDF-1.7\n" + MARK + os.urandom(3 * SMALL_BYTES + 17) + b"\n%%EOF"


async def issue(api, content, name="copy.pdf", issuer="transport"):
    """As a settlement does: a request's document of these bytes; its request."""
    request_id = await api.services.store.write(put_request, "web", "completed")
    laid = await lay_down(api.services.store, (Document(name, "application/pdf", content),))
    done = Settlement(Request.COMPLETED, 0, "", {}, documents=laid, issuer=issuer)
    row = Settling(request_id, 1, Request.IN_PROGRESS, done, "a", None, True, None, None, None)
    await api.services.store.write(lambda conn: write_documents(conn, [row], 1_700_000_000_000))
    return request_id, laid[0]


async def count(api, table):
    return await api.services.store.read(lambda conn: conn.scalar(select(func.count()).select_from(table)))


async def test_a_large_document_is_kept_in_sealed_chunks_and_given_out_whole(api):
    content = large()
    request_id, kept = await issue(api, content)
    assert isinstance(kept, KeptDocument)
    answer = await api.get(f"/v1/requests/{request_id}/documents/1")
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert await count(api, blob_chunks) == 4
    sealed = await api.services.store.read(lambda conn: conn.execute(text("SELECT content FROM blob_chunks")).all())
    assert not any(MARK in bytes(row.content) for row in sealed)


async def test_the_same_document_of_two_requests_is_kept_once(api):
    content = large()
    for _ in range(2):
        await issue(api, content)
    assert await count(api, documents) == 1
    assert await count(api, request_documents) == 2
    assert await count(api, blobs) == 2, "the second one is a stray"
    api.services.clock.advance(86_401)
    await Keeping(api.services.store, api.services.settings).drop_stray_blobs()
    assert await count(api, blobs) == 1
    assert (await api.get(f"/v1/documents/sha256:{hashlib.sha256(content).hexdigest()}/verify")).status_code == 200


async def test_a_stored_document_that_lost_a_part_is_not_given_out(api):
    request_id, kept = await issue(api, large())
    await api.services.store.write(
        lambda conn: conn.execute(
            delete(blob_chunks).where(blob_chunks.c.blob_id == kept.blob_id, blob_chunks.c.number == 3)
        )
    )
    answer = await api.get(f"/v1/requests/{request_id}/documents/1")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


async def test_an_interrupted_content_is_forgotten_and_one_that_is_being_written_is_not(api):
    writer = BlobWriter(api.services.store)
    await writer.feed(os.urandom(SMALL_BYTES))
    keeping = Keeping(api.services.store, api.services.settings)
    await keeping.drop_stray_blobs()
    assert await count(api, blobs) == 1
    api.services.clock.advance(86_401)
    await keeping.drop_stray_blobs()
    assert (await count(api, blobs), await count(api, blob_chunks)) == (0, 0)


async def test_documents_of_two_steps_have_numbers_of_their_own(api):
    request_id, _ = await issue(api, PDF)
    second = Settlement(
        Request.COMPLETED, 0, "", {}, documents=(Document("b.pdf", "application/pdf", PDF + b"2"),), first_document=2
    )
    row = Settling(request_id, 1, Request.IN_PROGRESS, second, "a", None, True, None, None, None)
    await api.services.store.write(lambda conn: write_documents(conn, [row], 1))
    told = (await api.get(f"/v1/requests/{request_id}")).json()["documents"]
    assert [document["number"] for document in told] == [1, 2]


async def test_whoever_holds_a_document_learns_when_and_by_whom_it_was_issued_and_nothing_else(api):
    await issue(api, PDF)
    digest = hashlib.sha256(PDF).hexdigest()
    for name in (f"sha256:{digest}", digest, digest.upper()):
        answer = await api.client.get(f"/v1/documents/{name}/verify")
        assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told == {
        "digest": f"sha256:{digest}",
        "media_type": "application/pdf",
        "size": len(PDF),
        "institution": "transport",
        "service": {"id": "transport.vehicle-statement", "name": told["service"]["name"]},
        "issued_at": "2023-11-14T22:13:20.000Z",
    }
    assert set(told["service"]["name"]) == {"ar", "en"}


async def test_a_document_that_was_never_issued_is_unknown(api):
    await issue(api, PDF)
    for name in (hashlib.sha256(PDF + b" ").hexdigest(), "sha256:", "md5:" + "0" * 64, "x" * 5000):
        answer = await api.client.get(f"/v1/documents/{name}/verify")
        assert (answer.status_code, answer.json()["code"]) == (404, "document_unknown"), name


async def test_a_document_of_a_test_system_is_not_genuine(api):
    await issue(api, PDF, issuer="test.transport")
    verify = f"/v1/documents/{hashlib.sha256(PDF).hexdigest()}/verify"
    assert (await api.client.get(verify)).status_code == 404
    await issue(api, PDF)
    assert (await api.client.get(verify)).json()["institution"] == "transport"


async def test_an_upload_that_nobody_issued_is_no_document(api):
    """The store may hold these bytes for another reason; only what an institution issued is verified."""
    row = {"digest": f"sha256:{'a' * 64}", "media_type": "application/pdf", "size": 1, "content": b"x", "created_at": 1}
    await api.services.store.write(lambda conn: conn.execute(insert(documents).values(row)))
    assert (await api.client.get(f"/v1/documents/sha256:{'a' * 64}/verify")).status_code == 404


async def test_verifying_is_limited(api):
    codes = [(await api.client.get(f"/v1/documents/{n:064x}/verify")).status_code for n in range(260)]
    assert codes[0] == 404
    assert 429 in codes


async def test_a_small_document_stands_in_its_row(api):
    request_id = await api.services.store.write(put_request, "web")
    await api.services.store.write(put_document, request_id, "a.pdf")
    assert (await api.get(f"/v1/requests/{request_id}/documents/1")).content == PDF
    assert await count(api, blobs) == 0
