"""Contracts at an address (A2): what is contacted, how long, how much; one sentence for the rest, nothing half written."""

import gzip
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from connectors.kit.importing import fetching
from connectors.kit.importing.wsdl_import import import_wsdl
from tests.unit.connectors.kit.importing.contracts import refusal, schema, with_import, wsdl

Page = tuple[int, dict[str, str], bytes]


@contextmanager
def serving(pages: dict[str, Page]) -> Iterator[tuple[str, list[str]]]:
    """A web server on the loopback with these pages: its address, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://127.0.0.2/a.xsd", "//127.0.0.2/a.xsd", "https://127.0.0.1/a.xsd"]
)
def test_a2_a_contract_of_a_host_leads_to_no_other_host_and_to_no_file(tmp_path, location):
    with serving({"/city?wsdl": (200, {}, with_import(location).encode())}) as (address, asked):
        said = refusal(tmp_path / "into", f"{address}/city?wsdl", allow_private=True)

    assert "it refers to" in said
    assert asked == ["/city?wsdl"]


def test_a2_a_contract_of_a_host_brings_its_other_documents_from_that_host(tmp_path):
    (tmp_path / "into").mkdir()
    pages: dict[str, Page] = {
        "/a/city?wsdl": (200, {}, wsdl('<xs:schema targetNamespace="urn:w"><xs:import namespace="urn:city" schemaLocation="/t.xsd"/></xs:schema>').encode()),
        "/t.xsd": (200, {"Content-Encoding": "gzip"}, gzip.compress(schema().encode())),
    }  # fmt: skip
    for page in ("/t.xsd",):
        pages[page] = (200, {"Content-Encoding": "gzip", "Content-Length": str(len(pages[page][2]))}, pages[page][2])
    with serving(pages) as (address, _):
        folder, _ = import_wsdl("city", f"{address}/a/city?wsdl", tmp_path / "into", allow_private=True)

    assert sorted(path.name for path in (folder / "wsdl").iterdir()) == ["city.wsdl", "t.xsd"]


def test_a2_a_private_address_is_contacted_only_when_that_is_allowed(tmp_path):
    with serving({"/city": (200, {}, wsdl().encode())}) as (address, asked):
        said = refusal(tmp_path / "into", f"{address}/city")

    assert "--allow-private" in said
    assert asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "169.254.169.254", "10.0.0.1", "100.64.0.1", "224.0.0.1", "0.0.0.0", "[::1]",
     "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "localhost"],
)  # fmt: skip
def test_a2_no_spelling_of_a_private_address_is_contacted(tmp_path, host):
    said = refusal(tmp_path / "into", f"http://{host}:9/city?wsdl")

    assert "private address" in said or "is not known" in said


def test_a2_a_redirect_to_another_host_is_not_followed(tmp_path):
    with serving({"/city": (302, {"Location": "http://127.0.0.2:1/secret"}, b"")}) as (address, _):
        said = refusal(tmp_path / "into", f"{address}/city", allow_private=True)

    assert "redirects to another host" in said


def test_a2_a_redirect_without_end_is_given_up(tmp_path):
    with serving({"/city": (302, {"Location": "/city"}, b"")}) as (address, _):
        assert "without end" in refusal(tmp_path / "into", f"{address}/city", allow_private=True)


def test_a2_an_answer_that_swells_when_unpacked_is_given_up(tmp_path):
    bomb = gzip.compress(b" " * (200 * 1024 * 1024), 9)
    with serving({"/city": (200, {"Content-Encoding": "gzip"}, bomb)}) as (address, _):
        assert "larger than 16 MiB" in refusal(tmp_path / "into", f"{address}/city", allow_private=True)


@contextmanager
def answering(head: bytes, *, drop_by_drop: bool) -> Iterator[str]:
    """The address of a server that says `head` and then either a blank again and again, or nothing more and hangs up."""
    over = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(head)
            while drop_by_drop and not over.wait(0.01):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/city"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nA:"])
def test_a2_a_document_that_comes_drop_by_drop_is_given_up(tmp_path, monkeypatch, head):
    monkeypatch.setattr(fetching, "_SECONDS", 0.3)
    with answering(head, drop_by_drop=True) as address:
        said = refusal(tmp_path / "into", address, allow_private=True)

    assert said == f"{address} cannot be reached: the document did not come within 0.3 seconds."


def test_a2_a_document_that_is_cut_is_not_taken_for_a_whole_one(tmp_path):
    whole = wsdl().encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(whole) + 1, whole)
    with answering(head, drop_by_drop=False) as address:
        said = refusal(tmp_path / "into", address, allow_private=True)

    assert said == f"{address} cannot be reached: the document is cut off."


def test_a2_an_address_where_nobody_listens_is_named(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/city?wsdl"
        said = refusal(tmp_path / "into", address, allow_private=True)

    assert said.startswith(f"{address} cannot be reached")


def test_a2_an_address_that_answers_with_an_error_is_named(tmp_path):
    with serving({}) as (address, _):
        assert "HTTP 404" in refusal(tmp_path / "into", f"{address}/city?wsdl", allow_private=True)


@pytest.mark.parametrize(
    "source", ["ftp://city.example/x.wsdl", "file:///etc/passwd", "http://user:secret@city.example/", "http://"]
)
def test_a2_an_address_that_is_none_of_ours_is_refused(tmp_path, source):
    assert "secret" not in refusal(tmp_path / "into", source)
