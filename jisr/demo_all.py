"""`jisr demo --all`: every service of the catalogue from its example request to its result, and a table of them."""

import hashlib
import json
import time
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from connectors.registry import find_packages
from gateway.catalogue import Catalogue, Service
from gateway.settings import BUILTIN_SERVICES
from jisr.client import Client, Refused
from jisr.demo_citizen import answer_to, file_for, files_of, uploads_in, with_digests
from jisr.demo_stage import Stage
from jisr.errors import CommandError
from jisr.processes import Processes
from jisr.setup import write_private
from jisr.terminal import Front
from jisr.wires import wire_of
from jisr.words import FINAL, state_in_both

#: So that a demonstration asks after seconds what is otherwise asked after hours.
QUICK = """
[dispatch]
inquiry_seconds = [0.5, 1, 1, 2, 2, 5, 5, 10, 10, 30]
inquiry_wish_max_seconds = 1
"""
_PATIENCE_SECONDS = 60.0
_ANSWERS = 12
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class Row:
    """One service's way to its result."""

    service: str
    wire: str
    state: str = ""
    ms: int = 0
    document_sha256: str | None = None
    ledger_effects: dict[str, int] = field(default_factory=dict)
    why: str = ""  #: What kept it from its result; not in the JSON.

    @property
    def as_expected(self) -> bool:
        """Completed, with a result, and nothing was done twice."""
        done = self.state == "completed" and self.document_sha256 is not None
        return done and all(count == 1 for count in self.ledger_effects.values())


def run_all(here: Front, folder: Path, report: Path | None) -> int:
    """Run every service; the exit status: 0 when all ended as expected. `report` gets the rows as JSON."""
    with Processes() as processes:
        stage = Stage(here, folder, processes, extra=QUICK)
        stage.start_sandboxes()
        stage.start_gateway()
        cast = Cast(stage, stage.client())
        rows = []
        for service in Catalogue.load((BUILTIN_SERVICES,)):
            rows.append(cast.perform(service))
            _progress(here, rows[-1])
    _show(here, rows)
    if report is not None:
        write_private(report, json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=1) + "\n")
    return 0 if rows and all(row.as_expected for row in rows) else 1


def example_of(service: Service, folder: Path = BUILTIN_SERVICES) -> dict[str, Any]:
    """The example request beside the service's file, a body of POST /v1/requests. Raises CommandError without one."""
    file = folder / f"{service.id}.example.json"
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} is missing or no JSON: each service has an example request beside it.") from error
    return body


class Cast:
    """The channel and its citizen, for one service after the other."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self._stage, self._client = stage, client
        self._packages = find_packages()

    def perform(self, service: Service) -> Row:
        """Bring one request of the service to its end, or say what kept it."""
        package = self._packages.get(service.institution)
        row = Row(service.id, wire_of(package) if package else "")
        if package is None:
            row.why = "no connector"
            return row
        begun = time.monotonic()
        try:
            body = example_of(service)
            digests = {place: self._upload(content) for place, content in files_of(service, body).items()}
            request = self._walk(with_digests(body, digests), until=begun + _PATIENCE_SECONDS)
            row.ms = round((time.monotonic() - begun) * 1000)
            row.state, row.why = request["state"], (request.get("reason") or {}).get("code", "")
            row.document_sha256 = self._result(request)
            row.ledger_effects = self._effects(request["id"])
        except Refused as refusal:
            row.state, row.why = "refused", refusal.code
        return row

    def _walk(self, body: Mapping[str, Any], *, until: float) -> dict[str, Any]:
        request = self._post("/v1/requests", body)
        answered = 0
        while request["state"] not in FINAL and time.monotonic() < until and answered < _ANSWERS:
            if request["state"] == "awaiting_citizen" and request["next_action"]:
                path = f"/v1/requests/{request['id']}/actions/{request['next_action']['id']}"
                request = self._post(path, self._answer(request, body))
                answered += 1
            elif (request.get("reason") or {}).get("code") == "waiting_at_centre":
                request = self._client.ask("POST", f"/v1/requests/{request['id']}/handed-over", b"{}").json()
            elif request["state"] == "parked":
                break
            else:
                time.sleep(0.05)
                request = self._client.ask("GET", f"/v1/requests/{request['id']}").json()
        return request

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        raw = json.dumps(body, ensure_ascii=False).encode()
        key = f"demo-{uuid.uuid4()}"
        request: dict[str, Any] = self._client.ask("POST", path, raw, Idempotency_Key=key, Prefer="wait=5").json()
        return request

    def _answer(self, request: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """What the citizen says: the code that the wallet sent, or anything that the form allows; always yes."""
        action = request["next_action"]
        if action["kind"] == "confirm_otp":
            return self._otp(request["payment"]["method"], body["payment"]["payer"]["mobile"])
        if action["kind"] == "choose_payment":
            return {"method": body["payment"]["method"], "payer": body["payment"]["payer"]}
        uploads = {name: self._upload(file_for(name)) for name in uploads_in(action["schema"])}
        return answer_to(action["schema"]) | uploads

    def _upload(self, content: bytes) -> str:
        kept = self._client.ask("POST", "/v1/attachments", content, Content_Type="application/octet-stream").json()
        return str(kept["digest"])

    def _otp(self, method: str, mobile: str) -> dict[str, Any]:
        with _OPENER.open(f"{self._stage.sandbox(method).control}messages", timeout=5) as answer:
            messages = [message for message in json.load(answer) if message["mobile"][-9:] == mobile[-9:]]
        return {"otp": messages[-1]["otp"]} if messages else {"resend": True}

    def _result(self, request: Mapping[str, Any]) -> str | None:
        """The digest of the document that came, or of a result that is data."""
        for document in request["documents"]:
            content = self._client.ask("GET", document["href"]).content
            digest = hashlib.sha256(content).hexdigest()
            return digest if document["digest"] == f"sha256:{digest}" else None
        href = request["links"].get("result")
        return hashlib.sha256(self._client.ask("GET", href).content).hexdigest() if href else None

    def _effects(self, request_id: str) -> dict[str, int]:
        """What the institutions' ledgers say that was done for the request."""
        stem = request_id.replace("-", "")
        found: dict[str, int] = {}
        for sandbox in self._stage.sandboxes:
            with _OPENER.open(f"{sandbox.control}ledger", timeout=5) as answer:
                effects = [each for each in json.load(answer)["effects"] if each["operation_id"].startswith(stem)]
            for effect in effects:
                name = f"{sandbox.name}.{effect['what']}"
                found[name] = max(found.get(name, 0), int(effect["count"]))
        return found


def _progress(here: Front, row: Row) -> None:
    mark = "[green]✓[/]" if row.as_expected else "[red]✗[/]"
    here.out.print(f"  {mark} {row.service:48} {row.state:12} {row.ms:6} ms  {row.why}")


def _show(here: Front, rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False)
    heads = (("الخدمة", "service"), ("البروتوكول", "wire"), ("الحالة", "state"), ("ميلي ثانية", "ms"))
    for ar, en in (*heads, ("النتيجة", "document")):
        table.add_column(here.text(ar, en), overflow="fold", justify="right" if en == "ms" else "left")
    for row in rows:
        state = state_in_both(row.state) if row.state else row.why
        table.add_row(row.service, row.wire, state, str(row.ms), (row.document_sha256 or "-")[:16])
    here.out.print()
    here.out.print(table)
    good = sum(row.as_expected for row in rows)
    here.say(f"انتهت كما يُنتظر: {good} من {len(rows)}.", f"Ended as expected: {good} of {len(rows)}.")


def _as_json(row: Row) -> dict[str, Any]:
    told = asdict(row)
    del told["why"]
    return told
