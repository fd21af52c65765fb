"""A 10 MiB MTOM document through the gateway: how much its memory grows at the peak.

The institution answers from this process, as MTOM does: a SOAP message and the document's bytes beside it.
"""

import asyncio
import hashlib
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Goal, Measurement, Place
from bench.scene import CONNECTOR, ORIGINAL_SERVICE, SERVICE, rss_kib
from connectors.kit.sandbox.server import find_folder
from jisr.setup import toml
from tests.gateways import APPLICANT, CERTIFICATE, GatewayProcess

SIZE = 10 * 1024 * 1024
WARM_UP_SIZE = 4096
WARM_UP = 20
GOAL_MIB = 25
_NAMESPACE = "urn:moe.gov.sy:certificates:v1"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XOP = "http://www.w3.org/2004/08/xop/include"
_BOUNDARY = "bench-part"
_REQUEST_ID = re.compile(rb"RequestId>([^<]+)<")


class Ministry:
    """Answers every submission with a document of `size` bytes."""

    def __init__(self) -> None:
        self.size = WARM_UP_SIZE
        ministry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                found = _REQUEST_ID.search(asked)
                assert found is not None, "the request has no id"
                body = ministry.answer(found[1].decode())
                self.send_response(200)
                start = '"<root@bench>"'
                kind = f'multipart/related; type="application/xop+xml"; start={start}; start-info="text/xml"; '
                self.send_header("Content-Type", f'{kind}boundary="{_BOUNDARY}"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def answer(self, request_id: str) -> bytes:
        """The whole multipart message; each document is another one."""
        head = b"%PDF-1.7\n% " + request_id.encode() + b"\n"
        pdf = head + b"0123456789abcdef" * ((self.size - len(head) - 6) // 16) + b"\n%%EOF"
        document = (
            "<Document><FileName>copy.pdf</FileName><ContentType>application/pdf</ContentType>"
            f"<Sha256>{hashlib.sha256(pdf).hexdigest()}</Sha256>"
            f'<Content><x:Include xmlns:x="{_XOP}" href="cid:part@bench"/></Content></Document>'
        )
        message = (
            f'<s:Envelope xmlns:s="{_SOAP}"><s:Body><SubmitRequestResponse xmlns="{_NAMESPACE}">'
            f"<RequestId>{request_id}</RequestId><Result><Status>00</Status></Result>"
            f"<ReceiptNumber>N-1</ReceiptNumber>{document}</SubmitRequestResponse></s:Body></s:Envelope>"
        )
        root = _part("root@bench", 'application/xop+xml; charset=utf-8; type="text/xml"', message.encode())
        return root + _part("part@bench", "application/octet-stream", pdf) + f"--{_BOUNDARY}--\r\n".encode()

    def close(self) -> None:
        """End the server and its thread."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def _part(name: str, kind: str, content: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
    return head.encode() + content + b"\r\n"


@contextmanager
def _gateway(place: Place, ministry: Ministry) -> Iterator[GatewayProcess]:
    package = place.folder / "connectors" / CONNECTOR
    shutil.copytree(find_folder("education"), package)
    for file, old, new in (
        ("manifest.toml", 'name = "education"', f'name = "{CONNECTOR}"'),
        ("mapping/_parts.yaml", ORIGINAL_SERVICE, SERVICE),
    ):
        text = (package / file).read_text("utf-8")
        assert old in text, f"{file} has no {old!r} any more"
        (package / file).write_text(text.replace(old, new), "utf-8")
    services, home = place.folder / "services", place.folder / "gateway"
    services.mkdir()
    home.mkdir()
    original = Path(__file__).parents[1] / "config" / "services" / f"{ORIGINAL_SERVICE}.toml"
    form = original.read_text("utf-8").partition("[input]")[2]
    (services / f"{SERVICE}.toml").write_text(
        f'id = "{SERVICE}"\ninstitution = "education"\nturnaround_hours = 1\nname.ar = "قياس"\n'
        f'name.en = "Measurement"\nsteps = [{{ kind = "submit", connector = "{CONNECTOR}", operation = "submit" }}]\n'
        f"[input]{form}",
        "utf-8",
    )
    settings = {"base_url": ministry.url, "username": "bench", "password": "bench"}
    gateway = GatewayProcess(home, place.url, {CONNECTOR: settings}, dispatch={}, services=[str(services)])
    gateway.install()
    gateway.config.write_text(f"connector_paths = {toml([str(package)])}\n{gateway.config.read_text()}")
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def _through(gateway: GatewayProcess, key: str) -> dict[str, object]:
    body = {"service": SERVICE, "applicant": APPLICANT, "input": CERTIFICATE["input"]}
    answer = gateway.submit(body, key, wait=30)
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "completed", answer.text
    document: dict[str, object] = answer.json()["documents"][0]
    return document


def _peak_kib(pid: int) -> int:
    """The most that was resident since it was last forgotten (proc(5), VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has no memory")


def _measure(place: Place) -> dict[str, float]:
    ministry = Ministry()
    try:
        with _gateway(place, ministry) as gateway:
            assert gateway.process is not None
            pid = gateway.process.pid
            for number in range(WARM_UP):
                _through(gateway, f"warm-{number}")
            ministry.size = SIZE
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak so far
            before = rss_kib(pid)
            document = _through(gateway, "large")
            stored = _peak_kib(pid) - before
            with gateway.client() as client:
                fetched = client.get(str(document["href"])).content
            read = _peak_kib(pid) - before
    finally:
        ministry.close()
    assert document["digest"] == f"sha256:{hashlib.sha256(fetched).hexdigest()}"
    assert abs(len(fetched) - SIZE) < 64
    return {"mtom_10mib_peak_mib": stored / 1024, "mtom_10mib_fetched_peak_mib": read / 1024}


async def run(place: Place) -> dict[str, float]:
    """Both figures of one gateway."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("mtom_10mib_peak_mib", "MiB", Goal(GOAL_MIB, at_least=False), run),
    Measurement("mtom_10mib_fetched_peak_mib", "MiB", Goal(GOAL_MIB, at_least=False), run),
]
