"""The yardstick, a process of its own: `zeep.AsyncClient` as its documentation shows it, looping over one operation."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BINDING = "{urn:moe.gov.sy:certificates:v1}CertificatesSoap"


def cpu_ms_per_call(**plan: Any) -> float:
    """CPU per call of `count` calls with `in_flight` under way, after `warm_up` calls.

    `plan` is wsdl, url, username, password, operation, arguments, status (the answer's good one) and these three.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare_zeep"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bare zeep failed: {done.stderr[-2000:]}")
    return float(done.stdout)


async def _measure(plan: Mapping[str, Any]) -> float:
    from zeep import AsyncClient
    from zeep.proxy import AsyncServiceProxy
    from zeep.wsse.username import UsernameToken

    client = AsyncClient(plan["wsdl"], wsse=UsernameToken(plan["username"], plan["password"], use_digest=True))
    # `create_service`, which would take the address, gives a proxy that does not await
    service = AsyncServiceProxy(client, client.wsdl.bindings[BINDING], address=plan["url"])
    call = service[plan["operation"]]

    async def loop(count: int) -> None:
        left = iter(range(count))

        async def caller() -> None:
            for _ in left:
                answer = await call(**plan["arguments"])
                if answer.Result.Status != plan["status"]:
                    raise RuntimeError(f"the sandbox answered {answer.Result.Status}")

        await asyncio.gather(*(caller() for _ in range(plan["in_flight"])))

    await loop(plan["warm_up"])
    before = time.process_time()
    await loop(plan["count"])
    spent = time.process_time() - before
    await client.transport.aclose()
    return spent * 1000 / float(plan["count"])


def main() -> None:
    """Read the plan from standard input, print milliseconds."""
    print(asyncio.run(_measure(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
