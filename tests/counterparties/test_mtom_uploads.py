"""Uploads to a JAX-WS service whose WSDL the framework wrote itself: imported as it is served, sent as its policy asks."""

import asyncio
import hashlib
import os
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.kit.contract import Call, Ports
from connectors.kit.importing.wsdl_import import import_wsdl
from connectors.kit.package import load_package
from connectors.kit.tokens import LocalTokens
from connectors.registry import open_connector
from mappings.upload import Upload
from tests.counterparties.by_jaxws import run
from tests.counterparties.starting import HERE, running, without
from tests.unit.connectors.packages import NOW

_JAR = Path("/usr/share/java/jaxws-rt.jar")
pytestmark = pytest.mark.skipif(
    without("java", "javac", _JAR), reason="JAX-WS is missing: apt-get install default-jdk-headless jaxws"
)
PIECE = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    classes = tmp_path_factory.mktemp("uploads")
    run("javac", "-nowarn", "-cp", _JAR, "-d", classes, HERE / "mtom" / "Uploads.java")
    with running(["java", "-cp", f"{classes}{os.pathsep}{_JAR}", "Uploads"], os.environ) as (port,):
        yield f"http://127.0.0.1:{port}"


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield PIECE


@pytest.mark.parametrize("version", [11, 12])
@pytest.mark.parametrize("mtom", [True, False])
async def test_another_framework_reads_what_we_send_beside_a_message(uploads, tmp_path, version, mtom):
    wsdl = f"{uploads}/uploads{version}?wsdl"
    folder, _ = await asyncio.to_thread(import_wsdl, "office", wsdl, tmp_path, allow_private=True)
    manifest = folder / "manifest.toml"
    text = manifest.read_text("utf-8")
    assert tomllib.loads(text)["operations"]["submit-photo"]["mtom"] is True
    if not mtom:
        manifest.write_text(text.replace("mtom = true", "mtom = false"), "utf-8")
    ports = Ports({"base_url": uploads}, LocalTokens(lambda: NOW), lambda: NOW)
    office = open_connector(load_package(folder), ports)
    photo: Upload | bytes = PIECE * 3
    digest = hashlib.sha256(PIECE * 3).hexdigest()
    if office.streams("submit-photo"):
        photo = Upload(len(PIECE) * 3, digest, pieces)
    given = {"request_id": "op-1", "photo": photo, "scan": b"%PDF-"}
    call = Call("op-1", {"operation_id": "op-1", "input": given})
    try:
        outcome = await office.send(office.prepare("submit-photo", call))
    finally:
        await office.close()
    assert outcome.exchange is not None
    seen = outcome.exchange.response.decode().partition("<seen>")[2].partition("</seen>")[0]
    photo_seen, scan_seen, kind = seen.split(" ", 2)
    assert (photo_seen, scan_seen) == (digest, hashlib.sha256(b"%PDF-").hexdigest())
    assert kind.startswith("[multipart/related" if mtom else "[")
    assert ("multipart" in kind) is mtom
