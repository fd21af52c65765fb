"""All services at once: 200 requests of each, in turn, through one gateway to every institution's sandbox.

A request's time runs from its POST to its result, with the citizen's code and whatever an institution makes it wait.
"""

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from bench.measure import Measurement, Place
from bench.scene import cpu_seconds
from connectors.registry import find_packages
from gateway.catalogue import Catalogue, Service
from gateway.settings import BUILTIN_SERVICES
from gateway.steps import POST
from jisr.demo_all import example_of
from jisr.demo_citizen import answer_to, file_for, files_of, uploads_in, with_digests
from mappings.status import FINAL
from tests.gateways import GatewayProcess
from tests.sandboxes import SandboxProcess, start_sandbox, stop_sandbox

REQUESTS = 200
IN_FLIGHT = 32
SERVICES = list(Catalogue.load((BUILTIN_SERVICES,)))
INSTITUTIONS = sorted({service.institution for service in SERVICES})
_TIMEOUT = aiohttp.ClientTimeout(total=120)


class Citizens:
    """Make requests and answer what is asked of them."""

    def __init__(
        self, gateway: GatewayProcess, sandboxes: Mapping[str, SandboxProcess], http: aiohttp.ClientSession
    ) -> None:
        self._gateway, self._sandboxes, self._http = gateway, sandboxes, http
        self._codes: dict[str, str] = {}
        self._reading: set[str] = set()
        self._keys = itertools.count()
        self._stem = os.urandom(8).hex()

    async def bring(self, body: Mapping[str, Any]) -> float:
        """One request to its result; milliseconds. Raises RuntimeError when it ends otherwise."""
        begun = time.perf_counter()
        request = await self._post("/v1/requests", body)
        while request["state"] not in FINAL:
            href = request["links"]["self"]
            action = request["next_action"]
            if action is not None:
                request = await self._post(f"{href}/actions/{action['id']}", await self._answer(request, body))
            elif (request["reason"] or {}).get("code") == "waiting_at_centre":
                request = await self._post(f"{href}/handed-over", {})
            elif request["state"] == "parked":
                break
            else:
                await asyncio.sleep(0.02)
                request = await self._get(f"{self._gateway.url}{href}")
        if request["state"] != "completed":
            raise RuntimeError(f"{request['service']} ended {request['state']}: {request['reason']}")
        return (time.perf_counter() - begun) * 1000

    async def _answer(self, request: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        action = request["next_action"]
        if action["kind"] == "confirm_otp":
            return {"otp": await self._code(body["payment"]["method"], request["id"].replace("-", ""))}
        uploads = {name: await self.upload(file_for(name)) for name in uploads_in(action["schema"])}
        return answer_to(action["schema"]) | uploads

    async def upload(self, content: bytes) -> str:
        """The digest under which the gateway has it."""
        headers = {"Authorization": f"Bearer {self._gateway.key}"}
        async with self._http.post(f"{self._gateway.url}/v1/attachments", data=content, headers=headers) as answer:
            return str((await answer.json(content_type=None))["digest"])

    async def _code(self, wallet: str, stem: str) -> str:
        """The wallet's messages are read for all who wait at once: there are thousands in the end."""
        while (code := self._codes.get(f"{stem}-p1")) is None:
            await asyncio.sleep(0.02)
            if wallet not in self._reading:
                self._reading.add(wallet)
                try:
                    for message in await self._get(f"{self._sandboxes[wallet].url}/_sandbox/messages"):
                        self._codes[message["transaction_id"]] = message["otp"]
                finally:
                    self._reading.discard(wallet)
        return code

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self._gateway.key}",
            "Content-Type": "application/json",
            "Prefer": "wait=10",
            "Idempotency-Key": f"{self._stem}-{next(self._keys)}",
        }
        raw = json.dumps(body, ensure_ascii=False).encode()
        while True:
            async with self._http.post(f"{self._gateway.url}{path}", data=raw, headers=headers) as answer:
                told: dict[str, Any] = await answer.json(content_type=None)
            if told.get("code") == "overloaded":  # a code is never kept: the same call again, as the answer says
                await asyncio.sleep(0.05)
            elif answer.status >= 400:
                raise RuntimeError(f"HTTP {answer.status}: {told}")
            else:
                return told

    async def _get(self, url: str) -> Any:
        async with self._http.get(url, headers={"Authorization": f"Bearer {self._gateway.key}"}) as answer:
            return await answer.json(content_type=None)


@contextlib.asynccontextmanager
async def _scene(place: Place) -> AsyncIterator[tuple[GatewayProcess, Citizens]]:
    names = {str(step.connector) for service in SERVICES for step in service.steps if step.connector}
    names |= {method for service in SERVICES if service.fee for method in service.fee.methods}
    names |= {POST} & set(find_packages())
    sandboxes: dict[str, SandboxProcess] = {}
    try:
        for name in sorted(names):
            sandboxes[name] = start_sandbox(name)
        home = place.folder / "gateway"
        home.mkdir()
        reached = {name: sandbox.settings for name, sandbox in sandboxes.items()}
        dispatch = {"inquiry_wish_max_seconds": 1, "inquiry_seconds": [1] * 30}
        gateway = GatewayProcess(home, place.url, reached, dispatch)
        await asyncio.to_thread(gateway.install)
        await asyncio.to_thread(gateway.start)
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as http:
                yield gateway, Citizens(gateway, sandboxes, http)
        finally:
            gateway.kill()
    finally:
        for sandbox in sandboxes.values():
            stop_sandbox(sandbox)


async def run(place: Place) -> dict[str, float]:
    """All requests, so many under way at a time; each service's turn comes as often as any other's."""
    async with _scene(place) as (gateway, citizens):
        bodies = [(service, await _complete(citizens, service)) for service in SERVICES]
        for _, body in bodies:
            await citizens.bring(body)  # everything is read and connected
        left = iter([each for _ in range(REQUESTS) for each in bodies])
        times: dict[str, list[float]] = defaultdict(list)

        async def citizen() -> None:
            for service, body in left:
                times[service.institution].append(await citizens.bring(body))

        assert gateway.process is not None
        spent, begun = cpu_seconds(gateway.process.pid), time.perf_counter()
        await asyncio.gather(*(citizen() for _ in range(IN_FLIGHT)))
        seconds, spent = time.perf_counter() - begun, cpu_seconds(gateway.process.pid) - spent
    return _figures(times, seconds, spent)


async def _complete(citizens: Citizens, service: Service) -> dict[str, Any]:
    """The service's example, with the uploads that it needs; they are uploaded once, and no part of the figure."""
    body = example_of(service)
    return with_digests(body, {place: await citizens.upload(file) for place, file in files_of(service, body).items()})


def _figures(times: Mapping[str, list[float]], seconds: float, spent: float) -> dict[str, float]:
    count = sum(len(mine) for mine in times.values())
    told = {"mixed_services_per_second": count / seconds, "mixed_services_cpu_ms_per_request": spent * 1000 / count}
    for institution, mine in times.items():
        mine.sort()
        told[f"mixed_services_p50_ms_{institution}"] = mine[len(mine) // 2]
        told[f"mixed_services_p99_ms_{institution}"] = mine[len(mine) * 99 // 100]
    return told


def _measurement(name: str, unit: str) -> Measurement:
    return Measurement(f"mixed_services_{name}", unit, None, run, long=True)


MEASUREMENTS = [
    _measurement("per_second", "requests/s"),
    _measurement("cpu_ms_per_request", "ms"),
    *(_measurement(f"{share}_ms_{name}", "ms") for name in INSTITUTIONS for share in ("p50", "p99")),
]
