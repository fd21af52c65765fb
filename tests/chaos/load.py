"""The channel and its citizens: requests under keys, again and again until they are acknowledged, and payments."""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from connectors.kit.conformance.sandbox_process import SandboxFailed
from tests.chaos.records import Acknowledged
from tests.chaos.stage import Stage
from tests.gateways import APPLICANT, CERTIFICATE, VEHICLE

#: How patient a client is with one call; the impatient ones lose answers that were on their way.
PATIENCE_SECONDS = (0.3, 1.0, 3.0, 6.0)
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
RESTS = frozenset({"completed", "refused", "cancelled", "expired", "parked"})
MOST_ACTIONS = 12
MOST_WAITING = 400  #: Clients at once; who comes later waits outside.
FAMILY: Mapping[str, Any] = {
    "service": "takamol.family-update",
    "applicant": APPLICANT,
    "input": {
        "card_number": "6377000000004821",
        "change": "add_member",
        "member_national_number": "99230009981",
        "member_name": "كريم خليل الخطيب",
        "member_relation": "son",
        "extract_number": "40771",
        "extract_date": "2026-02-20",
        "extract_governorate": "damascus",
    },
}
SERVICES: tuple[tuple[Mapping[str, Any], float], ...] = ((VEHICLE, 0.5), (FAMILY, 0.25), (CERTIFICATE, 0.25))
#: People of whom the institutions say no, or not yet; all others are served at once.
PERSONS: Mapping[str, tuple[str, ...]] = {
    "education.secondary-certificate-copy": ("99000000020", "99000000001", "99000000031"),
    "transport.vehicle-statement": ("99000000040", "99000000042"),
    "takamol.family-update": ("99000000060",),
}
WALLET = "syriatel_cash"


@dataclass(slots=True)
class Load:
    """Everybody who calls; `acknowledged` is what they were told."""

    stage: Stage
    rate: float  #: New requests a second.
    chance: random.Random
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  #: Answers that no retry can explain.
    lost_answers: int = 0
    last_asked_at: float = 0.0  #: When the call was begun whose acknowledgement came last.
    _citizens: set[asyncio.Task[None]] = field(default_factory=set)
    _submitting: set[str] = field(default_factory=set)
    _number: int = 0

    @property
    def waiting(self) -> int:
        """Requests that were not acknowledged yet."""
        return len(self._submitting)

    async def arrive(self) -> None:
        """Let citizens come until cancelled."""
        while True:
            await asyncio.sleep(self.chance.expovariate(self.rate))
            if self.waiting < MOST_WAITING:
                self._number += 1
                key = f"chaos-{self._number}"
                self._submitting.add(key)
                citizen = asyncio.create_task(self._citizen(key, random.Random(self.chance.getrandbits(64))))
                self._citizens.add(citizen)
                citizen.add_done_callback(self._gone)

    def _gone(self, citizen: asyncio.Task[None]) -> None:
        self._citizens.discard(citizen)
        if not citizen.cancelled() and (error := citizen.exception()) is not None:
            self.refused.append(f"a client itself failed: {error!r}")

    async def end(self) -> None:
        """Send everybody home."""
        for citizen in tuple(self._citizens):
            citizen.cancel()
        await asyncio.gather(*self._citizens, return_exceptions=True)

    async def _citizen(self, key: str, chance: random.Random) -> None:
        body = _body(chance)
        try:
            request_id = await self._submit(key, body, chance)
        finally:
            self._submitting.discard(key)
        if chance.random() < 0.1:
            await self._submit(key, body, chance)  # a client that does not trust the answer
        if "payment" in body and request_id:
            await self._pay(key, request_id, body["payment"], chance)

    async def _submit(self, key: str, body: Mapping[str, Any], chance: random.Random) -> str:
        """POST until it is acknowledged; the request's id."""
        headers = {"Idempotency-Key": key}
        if chance.random() < 0.3:
            headers["Prefer"] = f"wait={chance.choice((1, 2, 5))}"
        pause = 0.2
        while True:
            begun = time.monotonic()
            status, said = await self._call("POST", "/v1/requests", chance, body, headers)
            if status in (200, 201, 202):
                self.last_asked_at = begun
                self.acknowledged.append(Acknowledged(key, str(said["id"])))
                return str(said["id"])
            if status and status not in AGAIN:
                self.refused.append(f"{key}: HTTP {status} {said.get('code', '')}")
                return ""
            await asyncio.sleep(pause * chance.uniform(0.5, 1.5))
            pause = min(1.5, pause * 1.5)

    async def _pay(self, key: str, request_id: str, payment: Mapping[str, Any], chance: random.Random) -> None:
        """Follow it, and give what only the payer can give, until it rests."""
        pause, answered = 0.3, 0
        while True:
            status, request = await self._call("GET", f"/v1/requests/{request_id}", chance)
            if status == 200 and request["state"] in RESTS:
                return
            action: Mapping[str, Any] = (request.get("next_action") if status == 200 else None) or {}
            given = await self._given(action, payment, request) if action else None
            if answered >= MOST_ACTIONS:
                self.refused.append(f"{key}: asked for more than {MOST_ACTIONS} actions")
                return
            if given is not None:
                answered += 1
                pause = 0.3
                await self._act(f"{key}-{action['id']}-{answered}", request_id, action["id"], given, chance)
            await asyncio.sleep(pause * chance.uniform(0.7, 1.3))
            pause = min(4.0, pause * 1.4)

    async def _given(
        self, action: Mapping[str, Any], payment: Mapping[str, Any], request: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        if action["kind"] == "choose_payment":
            return payment
        wallet, stem = self.stage.sandboxes[WALLET], str(request["id"]).replace("-", "")
        try:
            sent = await asyncio.to_thread(wallet.control, "GET", "messages")
        except SandboxFailed:
            return None
        mine = [row["otp"] for row in sent if str(row["transaction_id"]).startswith(stem)]
        return {"otp": str(mine[-1])} if mine else {"resend": True}

    async def _act(
        self, key: str, request_id: str, action: str, given: Mapping[str, Any], chance: random.Random
    ) -> None:
        """POST under one key until there is an answer, whatever it is."""
        path, headers = f"/v1/requests/{request_id}/actions/{action}", {"Idempotency-Key": key}
        for _ in range(20):
            status, _said = await self._call("POST", path, chance, given, headers)
            if status and status not in AGAIN - {409}:
                return
            await asyncio.sleep(chance.uniform(0.1, 0.6))

    async def _call(
        self,
        method: str,
        path: str,
        chance: random.Random,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        """One call to one of the servers; status 0 when no answer came."""
        node = chance.choice(self.stage.servers)
        patience = chance.choice(PATIENCE_SECONDS)
        wait = int((headers or {}).get("Prefer", "wait=0").removeprefix("wait="))
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
            async with self.stage.session.request(
                method,
                f"{node.url}{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.stage.key}", **(headers or {})},
                timeout=aiohttp.ClientTimeout(total=patience + wait),
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        self.lost_answers += method == "POST"
        return 0, {}


def _body(chance: random.Random) -> dict[str, Any]:
    """A request of somebody for something."""
    (body,) = chance.choices([each for each, _ in SERVICES], [weight for _, weight in SERVICES])
    known = PERSONS[body["service"]]
    number = chance.choice(known) if chance.random() < 0.08 else f"991{chance.randrange(10**8):08}"
    return {**body, "applicant": {**APPLICANT, "national_number": number}}
