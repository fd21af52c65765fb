"""An office with one act of each effect that changes something, as services of one step."""

from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from connectors.kit.contract import Effect, Operation
from gateway import settings as settings_module
from gateway.catalogue import Service, Step
from gateway.steps import Route

POLICY = replace(
    settings_module.load(environment={}).dispatch, inquiry_seconds=(5.0, 15.0, 60.0, 120.0, 300.0), absences_needed=2
)
LEASE_MS = int(POLICY.lease_seconds * 1000)
EFFECTS = {"submit": Effect.INQUIRABLE, "stamp": Effect.NONE, "renew": Effect.IDEMPOTENT}
OFFICE: Any = SimpleNamespace(
    name="office",
    version="1",
    operations={
        **{
            name: Operation(name, "submit", effect, inquire="look" if effect is Effect.INQUIRABLE else None)
            for name, effect in EFFECTS.items()
        },
        "look": Operation("look", "inquire", Effect.SAFE),
    },
)
NAME = {"ar": "", "en": ""}
SERVICES = {
    name: Service(f"office.{name}", "office", NAME, 1, (), "low", 2, None, (), (Step("submit", "office", name),), {})
    for name in EFFECTS
}
ROUTES = {service.id: Route(service, {"office": OFFICE}) for service in SERVICES.values()}
LANES = {f"office.{name}": 1 for name in OFFICE.operations}
