"""This file tells Prometheus where the requests stand; read from the store at the scrape, at most once a second."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.api.requests import services_of
from gateway.api.services import Services
from gateway.lanes.bulkhead import Lane
from gateway.reconciliation.breaks import Kind as Break
from gateway.recoveries import Recoveries
from gateway.store.callbacks import CallbackFigures, callback_figures
from gateway.store.decisions.records import DecisionFigures, decision_figures
from gateway.store.queries import Figures, figures
from gateway.store.reconciliation.casework import BreakFigures, break_figures
from gateway.store.webhooks.log import WebhookFigures, webhook_figures
from gateway.stranded import Stranding
from mappings.status import Request as State

BELIEVED_SECONDS = 1.0


class _Snapshot(Collector):
    """One reading of the store and the lanes as metric families."""

    def __init__(
        self,
        read: Figures,
        messages: CallbackFigures,
        webhooks: WebhookFigures,
        decisions: DecisionFigures,
        breaks: BreakFigures,
        lanes: Iterable[Lane],
        recoveries: Recoveries,
        *,
        restoring: bool,
    ) -> None:
        self._recoveries = recoveries
        self._read, self._messages, self._webhooks, self._lanes = read, messages, webhooks, list(lanes)
        self._decisions, self._breaks, self._restoring = decisions, breaks, restoring

    def collect(self) -> Iterator[Metric]:
        """The families; a state without requests is told as zero, so that an alarm on it can be written."""
        read = self._read
        states = {state.value: read.requests.get(state.value, 0) for state in State}
        ages = {state.value: read.oldest.get(state.value, 0) / 1000 for state in State}
        yield _gauge("jisr_requests", "Requests by state.", "state", states)
        yield _gauge("jisr_test_requests", "Requests of test channels by state.", "state", read.tests)
        yield _gauge("jisr_oldest_seconds", "Longest stay in the state of any request in it.", "state", ages)
        yield _single("jisr_requests_in_doubt", "Requests in doubt.", states[State.IN_DOUBT.value])
        yield _single("jisr_requests_parked", "Requests that wait for people.", states[State.PARKED.value])
        yield _gauge("jisr_payments", "Fee orders by state.", "state", read.intents)
        tried = GaugeMetricFamily(
            "jisr_attempts_last_hour",
            "Exchanges begun within the last hour by outcome.",
            labels=("connector", "operation", "outcome"),
        )
        for labels, count in sorted(read.attempts.items()):
            tried.add_metric(labels, count)
        yield tried
        yield _gauge("jisr_lane_places", "Places of a lane.", "lane", {lane.name: lane.places for lane in self._lanes})
        busy = {lane.name: lane.in_flight for lane in self._lanes}
        yield _gauge("jisr_lane_in_flight", "Exchanges in flight in this process.", "lane", busy)
        opened = {lane.name: float(lane.is_open_circuit) for lane in self._lanes}
        yield _gauge("jisr_lane_breaker_open", "1: the breaker keeps calls back, but for probes.", "lane", opened)
        closed = {lane.name: float(not lane.window.open) for lane in self._lanes}
        yield _gauge("jisr_lane_closed", "1: outside opening hours, or in a planned outage.", "lane", closed)
        waiting = {lane.name: read.waiting.get(lane.name, 0) for lane in self._lanes} | read.waiting
        yield _gauge("jisr_lane_waiting", "Jobs that nobody holds, due or not.", "lane", waiting)
        proposed = self._decisions
        yield _single("jisr_decisions_open", "Proposals that wait for a second operator.", proposed.open)
        yield _single("jisr_decisions_oldest_seconds", "How long the oldest of them waits.", proposed.oldest_ms / 1000)
        words = "Decisions that somebody who knows better contradicted later."
        yield _single("jisr_decisions_contradicted", words, proposed.contradicted)
        yield _single("jisr_restore_mode", "1: a backup was restored, and new requests are held.", self._restoring)
        yield from self._recovered()
        yield from self._callbacks()
        yield from self._told()
        yield from self._left_over()

    def _left_over(self) -> Iterator[Metric]:
        """Breaks; a type without any is told as zero."""
        stands = GaugeMetricFamily(
            "jisr_breaks_open", "Breaks of reconciliation that are not closed.", labels=("source", "type")
        )
        for labels, count in sorted(self._breaks.open.items()):
            stands.add_metric(labels, count)
        yield stands
        ages = {kind.value: self._breaks.oldest_ms.get(kind.value, 0) / 1000 for kind in Break}
        yield _gauge("jisr_breaks_oldest_seconds", "How long the oldest break of that type stands.", "type", ages)

    def _recovered(self) -> Iterator[Metric]:
        found = self._recoveries
        yield _single("jisr_recovered_jobs", "Jobs of dead workers that this process freed.", found.jobs)
        words = "From a dead worker's last sign of life until this process freed its jobs: the last time."
        yield _single("jisr_recovery_seconds", words, found.last_seconds)
        yield _single("jisr_recovery_longest_seconds", "The longest of them.", found.longest_seconds)

    def _told(self) -> Iterator[Metric]:
        read = self._webhooks
        tried = GaugeMetricFamily(
            "jisr_webhook_tries_last_hour",
            "Tries to deliver events within the last hour by outcome.",
            labels=("channel", "outcome"),
        )
        for labels, count in sorted(read.tries.items()):
            tried.add_metric(labels, count)
        yield tried
        yield _gauge("jisr_webhooks_waiting", "Events that are not delivered yet.", "channel", read.waiting)
        ages = {channel: age / 1000 for channel, age in read.oldest_ms.items()}
        yield _gauge("jisr_webhooks_oldest_seconds", "How long the oldest of them waits.", "channel", ages)
        yield _single("jisr_webhooks_failing", "Addresses that fail again and again or are gone.", read.failing)
        yield _gauge("jisr_webhooks_resting", "Addresses that are switched off.", "reason", read.resting)

    def _callbacks(self) -> Iterator[Metric]:
        read = self._messages
        judged = GaugeMetricFamily(
            "jisr_callbacks_last_hour",
            "Messages of institutions judged within the last hour.",
            labels=("institution", "verdict"),
        )
        for labels, count in sorted(read.judged.items()):
            judged.add_metric(labels, count)
        yield judged
        words = "Messages of institutions that wait for a verdict."
        yield _gauge("jisr_callbacks_waiting", words, "institution", read.waiting)
        yield _single("jisr_callbacks_oldest_seconds", "How long the oldest of them waits.", read.oldest_ms / 1000)


def _gauge(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _single(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


class _Stuck(Collector):
    """Requests that stand in a state for too long."""

    def __init__(self, found: Iterable[Stranding], now: int) -> None:
        self._found, self._now = list(found), now

    def collect(self) -> Iterator[Metric]:
        """How many, and since when the oldest stands."""
        labels = ("state", "institution")
        count = GaugeMetricFamily("jisr_stranded", "Requests that stand in a state for too long.", labels=labels)
        age = GaugeMetricFamily("jisr_stranded_oldest_seconds", "How long the oldest of them stands.", labels=labels)
        for each in self._found:
            count.add_metric((each.state, each.institution), each.count)
            age.add_metric((each.state, each.institution), max(0, self._now - each.oldest) / 1000)
        yield count
        yield age


class Scrapes:
    """The text of the last scrape, read again after BELIEVED_SECONDS; scrapes at once share one reading."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._last: tuple[float, bytes] | None = None

    async def text(self, services: Services) -> bytes:
        """The exposition."""
        async with self._lock:
            now = services.clock.monotonic()
            if self._last is None or now - self._last[0] >= BELIEVED_SECONDS:
                registry = CollectorRegistry(auto_describe=False)
                read = await services.store.read(figures)
                messages = await services.store.read(callback_figures)
                webhooks = await services.store.read(webhook_figures)
                decisions = await services.store.read(decision_figures)
                breaks = await services.store.read(break_figures)
                lanes, recoveries, restoring = services.lanes.snapshot(), services.recoveries, services.mode.on
                snapshot = _Snapshot(
                    read, messages, webhooks, decisions, breaks, lanes, recoveries, restoring=restoring
                )
                registry.register(snapshot)
                registry.register(_Stuck(await services.stranded.now(), services.clock.now_ms()))
                self._last = (now, generate_latest(registry))
            return self._last[1]


@get("/metrics")
async def metrics(request: Request[Any, Any, Any]) -> ASGIResponse:
    """The figures in Prometheus' text format."""
    scrapes: Scrapes = request.app.state["scrapes"]
    text = await scrapes.text(services_of(request))
    return ASGIResponse(body=text, media_type=CONTENT_TYPE_LATEST, headers={"cache-control": "no-store"})
