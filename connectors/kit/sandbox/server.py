"""Serves one institution: `python -m connectors.kit.sandbox` runs it as a process of its own.

It serves the institution's own wire, and beside it the control API under `/_sandbox/`: health, ledger, switches,
messages, persons, staff's acts, the institution's clock, and a page for people.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from connectors.kit.sandbox import delivery
from connectors.kit.sandbox.callbacks import CallbackSender, loopback
from connectors.kit.sandbox.certificates import Certificates, certificates_of
from connectors.kit.sandbox.document import load_document
from connectors.kit.sandbox.faults import (
    BEFORE_EFFECT,
    CONNECTION_MODES,
    HOURS,
    REWRITING,
    Switch,
    SwitchError,
    Switches,
    read_switch,
    redirect_answer,
    spoil,
    status_answer,
)
from connectors.kit.sandbox.institution import (
    Answer,
    Callback,
    Demand,
    Desk,
    Heard,
    NotUnderstoodError,
    read_settings,
    read_signing,
)
from connectors.kit.sandbox.ledger import Ledger
from connectors.kit.sandbox.page import page
from connectors.kit.sandbox.player import DataInstitution
from connectors.kit.sandbox.requests import make_request
from connectors.kit.sandbox.tls import TlsFront, demands_certificate, serves_tls

_DAY_IS_LOOKED_AT_SECONDS = 60  #: Whether one is over, and its files are due.
CONNECTORS = Path(__file__).resolve().parents[2]
_ELSEWHERE = frozenset({"callback_never", "callback_out_of_order"})  #: Not sent now, whatever else is wished.
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class SandboxError(Exception):
    """The sandbox cannot start; the text is one sentence for the person who started it."""


class SandboxServer:
    """One institution behind HTTP."""

    def __init__(self, institution: DataInstitution, callback_url: str = "", statements: Path | None = None) -> None:
        """`statements` is the folder for its daily files. Raises CallbackError for an address of another machine."""
        self.institution = institution
        self.statements = statements
        self.callbacks = CallbackSender(institution.manifest, institution.desk, callback_url)
        self.switches = Switches()
        self.front: TlsFront | None = None  #: Where the institution speaks TLS.
        self.calls: dict[str, int] = {}
        self.in_flight = 0
        self._control: Mapping[tuple[str, str], Handler] = {
            ("GET", "/_sandbox/"): self._page,
            ("GET", "/_sandbox/health"): self._health,
            ("GET", "/_sandbox/ledger"): self._ledger,
            ("DELETE", "/_sandbox/ledger"): self._reset,
            ("GET", "/_sandbox/switches"): self._show_switches,
            ("POST", "/_sandbox/switches"): self._add_switch,
            ("DELETE", "/_sandbox/switches"): self._clear_switches,
            ("GET", "/_sandbox/messages"): self._messages,
            ("GET", "/_sandbox/persons"): self._persons,
            ("GET", "/_sandbox/callbacks"): self._show_callbacks,
            ("POST", "/_sandbox/callbacks"): self._set_callbacks,
            ("GET", "/_sandbox/statements"): self._show_statements,
            ("POST", "/_sandbox/statements"): self._write_statements,
            ("POST", "/_sandbox/acts"): self._act,
            ("POST", "/_sandbox/clock"): self._advance_clock,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request, the institution's or the control API's."""
        if request.path.startswith("/_sandbox"):
            return await self._control_call(request)
        self.in_flight += 1
        try:
            return await self._serve(request)
        finally:
            self.in_flight -= 1

    async def handle_plain(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer what comes in plain HTTP to an institution that speaks TLS: the control API alone."""
        if request.path.startswith("/_sandbox"):
            return await self._control_call(request)
        return _json({"error": "this institution speaks HTTPS only"}, 400)

    async def _control_call(self, request: web.BaseRequest) -> web.StreamResponse:
        handler = self._control.get((request.method, request.path))
        if handler is None:
            return _json({"error": "no such control call"}, 404)
        try:
            return await handler(request)
        except (ValueError, msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        heard = Heard(
            *(request.method, request.path, request.query, request.headers, await request.read(), request.raw_path),
            _certificate(request),
        )
        try:
            demand = self.institution.hear(heard)
        except NotUnderstoodError as error:
            return delivery.plain(self.institution.finished(error.answer))
        self.calls[demand.operation] = self.calls.get(demand.operation, 0) + 1
        if not self.switches:
            answer = self.institution.finished(self.institution.answer(demand))
            await self._call_back(self.institution.take_callbacks())
            return delivery.plain(answer)
        latency_seconds, fault = self.switches.take(demand.operation)
        answer = self._answer(demand, fault)
        await self._call_back(self.institution.take_callbacks())
        if latency_seconds:
            await asyncio.sleep(latency_seconds)
        return await delivery.deliver(request, fault, answer)

    async def _call_back(self, due: list[Callback]) -> None:
        """Send now what a switch or the person wants before the answer; the rest goes after it."""
        for callback in due:
            modes = {**callback.modes, **self.switches.take_callback(callback)}
            if "callback_early" in modes and not modes.keys() & _ELSEWHERE:
                await self.callbacks.now(callback, modes)
            else:
                self.callbacks.later(callback, modes)

    def _answer(self, demand: Demand, fault: Switch | None) -> Answer:
        """Act (unless the fault comes before the effect) and spoil the answer as the fault says."""
        institution, mode = self.institution, fault.mode if fault is not None else ""
        if mode == "token_expired" and demand.operation != institution.token_operation:
            institution.forget_tokens()
        if fault is not None and mode == "status":
            if isinstance(fault.value, dict) and fault.value.get("after_effect"):
                institution.answer(demand)
            return status_answer(fault.value)
        if fault is not None and mode == "redirect":
            return redirect_answer(fault.value)
        if mode in BEFORE_EFFECT:
            return institution.finished(institution.fault(demand.operation))
        answer = institution.answer_as(demand, fault.value) if fault and mode == "case" else institution.answer(demand)
        if fault is not None and mode in REWRITING:
            return institution.finished(spoil(fault, answer))
        finished = institution.finished(answer)
        return finished if fault is None else spoil(fault, finished)

    async def _page(self, request: web.BaseRequest) -> web.StreamResponse:
        manifest = self.institution.manifest
        names = [*manifest.operations, *manifest.callbacks]
        text = page(self.institution.desk.name, manifest.title.ar, manifest.title.en, names)
        return web.Response(text=text, content_type="text/html")

    async def _health(self, request: web.BaseRequest) -> web.StreamResponse:
        facts = {"name": self.institution.desk.name, "calls": self.calls, "in_flight": self.in_flight}
        return _json({**facts, "now": self.institution.desk.now().isoformat()})

    async def _ledger(self, request: web.BaseRequest) -> web.StreamResponse:
        return _json({"effects": self.institution.ledger.effects(request.query.get("operation_id"))})

    async def _reset(self, request: web.BaseRequest) -> web.StreamResponse:
        self.institution.ledger.reset()
        self.institution.desk.advanced = timedelta()
        self.institution.reset()
        self.callbacks.reset()
        self.calls.clear()
        return _json({"effects": []})

    async def _show_switches(self, request: web.BaseRequest) -> web.StreamResponse:
        return _json({"switches": self.switches.shown()})

    async def _add_switch(self, request: web.BaseRequest) -> web.StreamResponse:
        switch = read_switch(msgspec.json.decode(await request.read()))
        if switch.mode in CONNECTION_MODES:
            if self.front is None or not self.front.mutual:
                raise SwitchError(f"{switch.mode}: this institution demands no certificate of its callers")
            self.front.hang_up()
        if switch.mode == HOURS and self.institution.desk.hours is None:
            raise SwitchError(f"{HOURS}: sandbox.toml of this institution has no table hours")
        self.switches.add(switch)
        self.institution.desk.keeps_hours = self.switches.has(HOURS)
        return _json({"switches": self.switches.shown()}, 201)

    async def _clear_switches(self, request: web.BaseRequest) -> web.StreamResponse:
        self.switches.clear()
        self.institution.desk.keeps_hours = False
        return _json({"switches": []})

    async def _messages(self, request: web.BaseRequest) -> web.StreamResponse:
        return _json(self.institution.messages())

    async def _persons(self, request: web.BaseRequest) -> web.StreamResponse:
        persons = self.institution.persons.listed
        return _json([{"key": person.key, "outcome": person.outcome, **person.text} for person in persons])

    async def _show_callbacks(self, request: web.BaseRequest) -> web.StreamResponse:
        return _json({"url": self.callbacks.url, "sent": self.callbacks.sent})

    async def _set_callbacks(self, request: web.BaseRequest) -> web.StreamResponse:
        url = msgspec.json.decode(await request.read())["url"]
        self.callbacks.url = loopback(url) if url else ""
        return _json({"url": self.callbacks.url})

    async def _show_statements(self, request: web.BaseRequest) -> web.StreamResponse:
        """The days that have rows; with `name` and `day` that file."""
        books, query = self.institution.statements, request.query
        if "name" not in query:
            return _json({"statements": books.shown()})
        file = books.file(query["name"], _day(query["day"]))
        disposition = f'attachment; filename="{file.name}"'
        return web.Response(body=file.content, content_type="text/csv", headers={"Content-Disposition": disposition})

    async def _write_statements(self, request: web.BaseRequest) -> web.StreamResponse:
        """Write a day's files now, into the folder of the sandbox or into the one that is named."""
        asked = msgspec.json.decode(await request.read())
        folder = Path(asked["folder"]) if "folder" in asked else self.statements
        if folder is None:
            raise KeyError("folder")
        paths = self.institution.statements.write(folder, _day(asked["day"]))
        return _json({"files": [str(path) for path in paths]}, 201)

    def write_past(self) -> None:
        """Write the files of the days that are over, where there is a folder for them."""
        if self.statements is not None and self.institution.statements:
            self.institution.statements.write_past(self.statements)

    async def _act(self, request: web.BaseRequest) -> web.StreamResponse:
        facts = msgspec.json.decode(await request.read())
        return _json(self.institution.act(facts["action"], facts))

    async def _advance_clock(self, request: web.BaseRequest) -> web.StreamResponse:
        desk = self.institution.desk
        desk.advanced += timedelta(seconds=msgspec.json.decode(await request.read())["advance_seconds"])
        self.write_past()
        return _json({"now": desk.now().isoformat()})


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


def find_folder(name: str) -> Path:
    """The package folder with this name that has a sandbox; SandboxError when there is none."""
    for folder in (CONNECTORS / name, CONNECTORS / "payments" / name):
        if (folder / "sandbox.toml").is_file():
            return folder
    raise SandboxError(f"no connector named {name!r} has a sandbox.toml")


def open_institution(folder: Path, ledger: Ledger, certificates: Certificates | None = None) -> DataInstitution:
    """The institution that a package folder plays. Raises ManifestError: one sentence with file and key."""
    load_document(folder)  # whatever is wrong with it is said by its own check
    certificates = certificates or certificates_of(folder.name)
    settings, signing = read_settings(folder, certificates), read_signing(folder, certificates)
    return DataInstitution(Desk(folder.name, folder, ledger, settings, signing, certificates))


async def serve(
    institution: DataInstitution, host: str, port: int, callback_url: str = "", statements: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; prints one line when it listens. Raises SandboxError when the port is taken."""
    sandbox = SandboxServer(institution, callback_url, statements)
    server = web.Server(sandbox.handle, request_factory=make_request, access_log=None, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.2)
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        try:
            address = await _listen(sandbox, runner, host, port)
        except OSError as error:
            raise SandboxError(
                f"the sandbox of {institution.desk.name} cannot listen on {host}:{port}: {error.strerror}"
            ) from error
        sys.stdout.write(f"ready on {address}\n")
        sys.stdout.flush()
        while not stop.is_set():
            sandbox.write_past()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _DAY_IS_LOOKED_AT_SECONDS)
    finally:
        await sandbox.callbacks.close()
        if sandbox.front is not None:
            await sandbox.front.close()
        await runner.cleanup()
        institution.ledger.close()


async def _listen(sandbox: SandboxServer, runner: web.ServerRunner, host: str, port: int) -> str:
    """Listen in HTTP, or in TLS where the institution's address says so; gives the address. Raises OSError."""
    desk, manifest = sandbox.institution.desk, sandbox.institution.manifest
    if not serves_tls(manifest, str(desk.settings.get("base_url", ""))):
        await web.TCPSite(runner, host, port, backlog=4096).start()
        return f"http://{host}:{runner.addresses[0][1]}"
    assert runner.server is not None  # it is set up
    plain = web.Server(sandbox.handle_plain, access_log=None)
    sandbox.front = TlsFront(runner.server, plain, desk.certificates, mutual=demands_certificate(manifest))
    sandbox.front.refusal = sandbox.switches.take_refusal
    return f"https://{host}:{sandbox.front.listen(host, port)}"


def _certificate(request: web.BaseRequest) -> bytes:
    """The client's certificate (DER); empty without mutual TLS."""
    tls = request.get_extra_info("ssl_object")
    return (tls.getpeercert(binary_form=True) if tls is not None else None) or b""
