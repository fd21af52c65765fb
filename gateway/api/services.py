"""This file names what the API is given: the parts of the gateway that its handlers call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.kit.contract import Connector
from gateway.accept import Acceptor
from gateway.actions import Actions
from gateway.asking_sooner import AskSooner
from gateway.callbacks.receive import Receiver
from gateway.catalogue import Catalogue, Service
from gateway.centres import Centre
from gateway.dead_letters.desk import DeadLetters
from gateway.decisions.desk import DecisionDesk
from gateway.documents.attachments import Attachments
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.outlook import Outlooks
from gateway.reconciliation.reconciler import Reconciler
from gateway.recoveries import Recoveries
from gateway.restoring.mode import RestoreMode
from gateway.security.principals import Principal
from gateway.settings import Settings
from gateway.store.clock import Clock
from gateway.store.engine import Store
from gateway.stranded import Stranded
from gateway.validation import Validator
from gateway.watch import Watch
from gateway.webhooks.desk import WebhookDesk


class Availability(Protocol):
    """Says whether the institutions of a service can be reached now."""

    async def of(self, service: Service, principal: Principal) -> dict[str, Any]:
        """The state and one sentence in both languages, and when a request made now is expected to be sent."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the API speaks to; jisr/app.py builds it."""

    store: Store
    catalogue: Catalogue
    validator: Validator
    centres: Mapping[str, Centre]
    acceptor: Acceptor
    actions: Actions
    watch: Watch
    lanes: Lanes
    outlooks: Outlooks
    availability: Availability
    settings: Settings
    clock: Clock
    connectors: Mapping[str, Connector]
    callbacks: Receiver
    attachments: Attachments
    reconciler: Reconciler
    decisions: DecisionDesk
    webhooks: WebhookDesk
    recoveries: Recoveries
    sooner: AskSooner
    dead_letters: DeadLetters
    mode: RestoreMode
    stranded: Stranded
