"""Walks one request of the demonstration from acceptance to its document, as a channel and its citizen would."""

import hashlib
import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jisr import timeline
from jisr.client import Client, Event, Refused, Unreachable
from jisr.demo_record import Record, Wish
from jisr.demo_stage import Stage
from jisr.errors import CommandError
from jisr.terminal import Front
from jisr.words import FINAL, state_in_both

T = TypeVar("T")
_PATIENCE_SECONDS = 240.0
_OTP_SECONDS = 3.0
_PAYMENT_TRIES = 3
#: The gateway's words for "the same call again, in a moment".
_COME_AGAIN = frozenset({"idempotency_in_progress", "storage_unavailable"})
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Walker:
    """Submits, follows, answers, and fetches the documents."""

    def __init__(self, here: Front, stage: Stage, client: Client, record: Record) -> None:
        self._here = here
        self._stage = stage
        self._client = client
        self._record = record

    def walk(self, wish: Wish) -> bool:
        """Bring the wish to its end. True when its documents are on disk; the wish is closed in any case."""
        until = time.monotonic() + _PATIENCE_SECONDS
        self._submit(wish, until)
        seen = ""
        payments = 0
        while True:
            seen = self._retry(lambda seen=seen: self._follow(wish, seen, until), until)  # type: ignore[misc]
            request = self._get(wish, until)
            action = request.get("next_action")
            if request["state"] in FINAL or _stuck(request):
                self._catch_up(wish, seen, until)
                return self._close(wish, request, until)
            if action and action["kind"] == "choose_payment":
                payments += 1
                if payments > _PAYMENT_TRIES:
                    return self._close(wish, request, until)
            if action:
                self._answer(wish, request, until)
            elif time.monotonic() > until:
                raise CommandError(self._late(request))

    def _submit(self, wish: Wish, until: float) -> None:
        body = json.dumps(wish.body, ensure_ascii=False).encode()
        reply = self._retry(lambda: self._client.ask("POST", "/v1/requests", body, Idempotency_Key=wish.key), until)
        wish.id = reply.json()["id"]
        self._record.save()
        self._here.out.print(f"\n[bold]{wish.service}[/]  {wish.id}")

    def _follow(self, wish: Wish, seen: str, until: float) -> str:
        """Print events until one asks for the citizen, ends the request or shows it stuck; the last event's id."""
        for event in self._client.stream(wish.id, after=seen, until=until):
            seen = event.id or seen
            timeline.print_event(self._here.out, event.data)
            if _is_turning_point(event):
                break
        return seen

    def _catch_up(self, wish: Wish, seen: str, until: float) -> None:
        """Print what happened between the last event that was seen and the look at the request."""
        reply = self._retry(lambda: self._client.ask("GET", f"/v1/requests/{wish.id}/events"), until)
        for event in reply.json()["items"]:
            if event["id"] > seen:
                timeline.print_event(self._here.out, event)

    def _get(self, wish: Wish, until: float) -> dict[str, Any]:
        reply = self._retry(lambda: self._client.ask("GET", f"/v1/requests/{wish.id}"), until)
        request = reply.json()
        assert isinstance(request, dict)
        return request

    def _answer(self, wish: Wish, request: dict[str, Any], until: float) -> None:
        action = request["next_action"]
        if action["kind"] == "confirm_otp":
            answer = self._one_time_password(wish, request)
        else:
            payment = wish.body["payment"]
            answer = {"method": payment["method"], "payer": payment["payer"]}
        key = self._record.action_key(wish, f"{action['id']}{'-resend' if 'resend' in answer else ''}")
        path = f"/v1/requests/{wish.id}/actions/{action['id']}"
        body = json.dumps(answer).encode()
        try:
            self._retry(lambda: self._client.ask("POST", path, body, Idempotency_Key=key, Prefer="wait=0"), until)
        except CommandError as refusal:
            # the answer of a run that was killed may have arrived: the request itself tells what became of it
            self._here.out.print(f"  {refusal}", style="yellow", markup=False)

    def _one_time_password(self, wish: Wish, request: dict[str, Any]) -> dict[str, Any]:
        """The SMS as it stands in the wallet sandbox's outbox, or the wish for another one."""
        method = wish.body["payment"]["method"]
        wrong = (request.get("reason") or {}).get("code") in ("otp_wrong", "otp_expired")
        deadline = time.monotonic() + _OTP_SECONDS
        while not wrong and time.monotonic() < deadline:
            with _OPENER.open(f"{self._stage.sandbox(method).control}messages", timeout=5) as answer:
                messages = json.load(answer)
            mine = [m for m in messages if _same_number(m["mobile"], wish.body["payment"]["payer"]["mobile"])]
            if mine:
                self._here.say(
                    f"  [cyan]✉[/] رسالة قصيرة إلى الدافع: الرمز {mine[-1]['otp']}",
                    f"  [cyan]✉[/] SMS to the payer: the code is {mine[-1]['otp']}",
                )
                return {"otp": mine[-1]["otp"]}
            time.sleep(0.1)
        return {"resend": True}

    def _close(self, wish: Wish, request: dict[str, Any], until: float) -> bool:
        if request["state"] == "completed" and request["documents"]:
            for document in request["documents"]:
                path = self._save(wish, document, until)
                wish.documents.append(path.name)
                self._here.out.print(f"  [green]✓[/] {path}  [dim]{document['digest'][:23]}…[/]")
            wish.closed = "document"
        else:
            self._explain(request)
            wish.closed = "left"
        self._record.save()
        return wish.closed == "document"

    def _save(self, wish: Wish, document: dict[str, Any], until: float) -> Path:
        reply = self._retry(lambda: self._client.ask("GET", document["href"]), until)
        found = f"sha256:{hashlib.sha256(reply.content).hexdigest()}"
        if found != document["digest"]:
            raise CommandError(f"{document['href']} brought other bytes than its digest says.")
        folder = self._stage.folder / "documents"
        folder.mkdir(exist_ok=True)
        ending = document["media_type"].partition("/")[2].partition(";")[0]
        path = folder / f"{wish.service}-{wish.id[-12:]}-{document['number']}.{ending}"
        path.write_bytes(reply.content)
        return path

    def _explain(self, request: dict[str, Any]) -> None:
        """Why there is no document, in both languages."""
        self._here.out.print(f"  [magenta]![/] {state_in_both(request['state'])}")
        reason = request.get("reason") or {}
        for language in ("ar", "en"):
            words = (reason.get("citizen") or {}).get(language)
            if words:
                self._here.out.print(f"    {words}", markup=False)
        if reason:
            self._here.out.print(f"    [{reason['code']}]", style="dim", markup=False)

    def _late(self, request: dict[str, Any]) -> str:
        return self._here.text(
            f"لم يُحسم الطلب خلال {_PATIENCE_SECONDS:.0f} ثانية؛ حالته: {request['state']}. أعد الأمر لمتابعته.",
            f"The request is not decided after {_PATIENCE_SECONDS:.0f} seconds; it is {request['state']}. "
            "Run the command again to go on with it.",
        )

    def _retry(self, act: Callable[[], T], until: float) -> T:
        """Do it; when the gateway is gone, mend the stage and do it again."""
        while True:
            try:
                return act()
            except Unreachable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
                self._stage.mend()
            except Refused as refusal:
                if refusal.code not in _COME_AGAIN or time.monotonic() > until:
                    raise
                time.sleep(0.5)


def _stuck(request: dict[str, Any]) -> bool:
    """People must decide now: it is parked, or money is in doubt at a wallet that cannot be asked."""
    money = (request.get("payment") or {}).get("state")
    return request["state"] == "parked" or (request["state"] == "in_doubt" and money == "in_doubt")


def _is_turning_point(event: Event) -> bool:
    return event.data.get("state") in FINAL | {"awaiting_citizen", "parked", "in_doubt"}


def _same_number(one: str, other: str) -> bool:
    return one[-9:] == other[-9:]
