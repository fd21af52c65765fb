"""CPU per request of the whole gateway process against CPU per call of a bare zeep client, on the same operation."""

import asyncio
import json
from collections.abc import Callable

from bench.bare_zeep import cpu_ms_per_call
from bench.load import Closed, Load, Side, load
from bench.measure import Goal, Measurement, Place
from bench.scene import BODY, Scene, cpu_seconds, scene
from tests.gateways import APPLICANT, CERTIFICATE

IN_FLIGHT = 32
WARM_UP = 200
REQUESTS = 800
ZEEP_WARM_UP = 50
ZEEP_CALLS = 300
FOUND = "10"

#: The arguments of the same call as zeep takes them: what the mapping makes of `BODY`.
ARGUMENTS = {
    "Applicant": {
        "NationalNumber": APPLICANT["national_number"],
        "Name": {part.capitalize(): text for part, text in APPLICANT["name"].items()},
    },
    "Record": {
        "SecondaryCertificate": {
            "DocumentKind": "CERTIFICATE",
            "Year": CERTIFICATE["input"]["year"],
            "Branch": "SCIENTIFIC",
            "Governorate": "01",
            "ExamNumber": CERTIFICATE["input"]["exam_number"],
        }
    },
}


def gateway_side(stage: Scene) -> Side:
    """One request, waited for: 201 says that it was finished."""
    headers = {
        "Authorization": f"Bearer {stage.gateway.key}",
        "Content-Type": "application/json",
        "Prefer": "wait=10",
    }
    url = f"{stage.gateway.url}/v1/requests"
    return Side(url, headers, [json.dumps(BODY, ensure_ascii=False)], status=201, keyed=True)


def _gateway_ms(stage: Scene, generator: Load) -> float:
    side = gateway_side(stage)
    generator.run(Closed(side, WARM_UP, IN_FLIGHT))
    before = cpu_seconds(stage.gateway_pid)
    generator.run(Closed(side, REQUESTS, IN_FLIGHT))
    return (cpu_seconds(stage.gateway_pid) - before) * 1000 / REQUESTS


def _zeep_ms(stage: Scene) -> float:
    settings = stage.sandbox.settings
    return cpu_ms_per_call(
        wsdl=str(stage.package / "wsdl" / "education.wsdl"),
        url=f"{settings['base_url']}/certificates/v1",
        username=settings["username"],
        password=settings["password"],
        operation="CheckRecord",
        arguments=ARGUMENTS,
        status=FOUND,
        in_flight=IN_FLIGHT,
        warm_up=ZEEP_WARM_UP,
        count=ZEEP_CALLS,
    )


def _measure(place: Place) -> dict[str, float]:
    with scene(place, lane=IN_FLIGHT) as stage, load() as generator:
        sides: dict[str, Callable[[], float]] = {
            "gateway": lambda: _gateway_ms(stage, generator),
            "zeep": lambda: _zeep_ms(stage),
        }
        order = sorted(sides, reverse=bool(place.run % 2))
        spent = {name: sides[name]() for name in order}
    return {
        "gateway_cpu_vs_bare_zeep": spent["gateway"] / spent["zeep"],
        "gateway_cpu_ms_per_request": spent["gateway"],
        "bare_zeep_cpu_ms_per_call": spent["zeep"],
    }


async def run(place: Place) -> dict[str, float]:
    """One pair, the odd runs in the other order."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("gateway_cpu_vs_bare_zeep", "ratio", Goal(0.3, at_least=False), run),
    Measurement("gateway_cpu_ms_per_request", "ms", None, run),
    Measurement("bare_zeep_cpu_ms_per_call", "ms", None, run),
]
