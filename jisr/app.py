"""The one wiring place: builds the gateway from settings and runs it, as server and worker in one, or as a worker."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.kit.contract import Connector, Ports
from connectors.registry import Package, find_packages, open_connector
from gateway.accept import Acceptor
from gateway.actions import Actions
from gateway.api.app import build_app
from gateway.api.services import Services
from gateway.asking_sooner import AskSooner
from gateway.availability import Availability
from gateway.callbacks.desk import CallbackDesk
from gateway.callbacks.judge import Judge
from gateway.callbacks.receive import Receiver
from gateway.catalogue import Catalogue, Service
from gateway.centres import load_centres
from gateway.dead_letters.desk import DeadLetters, known_of
from gateway.decisions.desk import DecisionDesk
from gateway.dispatch import Dispatcher
from gateway.documents.attachments import Attachments
from gateway.keeping import Keeping
from gateway.lanes.bulkhead import Lanes
from gateway.lanes.calendar import CalendarFile
from gateway.lanes.outlook import Outlooks
from gateway.logs import log
from gateway.reconciliation.closing import Closer
from gateway.reconciliation.reconciler import Reconciler
from gateway.reconciliation.sources import StatementSource, statement_sources
from gateway.recorder import Recorder
from gateway.recoveries import Recoveries
from gateway.restoring.mode import RestoreMode
from gateway.security.keyring import Keyring
from gateway.settings import Settings, SettingsError
from gateway.steps import POST, Route
from gateway.store.attachments import Room
from gateway.store.clock import Clock, process_clock
from gateway.store.engine import Store, open_store
from gateway.store.schedule.fence import FencedStore
from gateway.store.tokens import StoreTokens
from gateway.stranded import Stranded
from gateway.testing import ConnectorsApart, name_apart, route_name
from gateway.upkeep import Upkeep
from gateway.validation import Validator
from gateway.waiters import Waiters
from gateway.watch import Watch
from gateway.webhooks.address import Guard
from gateway.webhooks.desk import WebhookDesk
from gateway.webhooks.post import Post
from gateway.webhooks.sender import Sender
from jisr import admin
from jisr.admin_socket import AdminSocket
from jisr.http_server import HttpServer
from mappings.money import format_amount
from scheduler.worker import Worker

_ALLOCATIONS_PER_ROUND = 10_000


@dataclass(frozen=True, slots=True)
class Gateway:
    """The built parts that a process runs."""

    store: Store
    services: Services
    worker: Worker
    waiters: Waiters
    reconciler: Reconciler
    mode: RestoreMode


@contextlib.asynccontextmanager
async def gateway(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """The gateway over an open store; connectors and store are closed at the end.

    Raises SettingsError, StoreError, ManifestError, SettingError, CalendarError, CatalogueError or KeyringError, each
    one sentence.
    """
    clock = clock or process_clock()
    catalogue = Catalogue.load(settings.service_folders)
    packages = find_packages(settings.connector_paths)
    keyring = Keyring.load(settings.keyring_path)
    store = await open_store(settings.database_url, keyring, clock, migrates=settings.migrate_at_start)
    connectors: dict[str, Connector] = {}
    tests: dict[str, Connector] = {}
    try:
        tokens = StoreTokens(store, clock)
        used = {name for service in catalogue for name in _connectors_of(service)} | {POST}
        for name, package in packages.items():
            if name in settings.connectors:
                ports = Ports(settings.connector(name), tokens, clock.utcnow)
                connectors[name] = open_connector(package, ports, lazily=name not in used)
                if (apart := _test_settings(settings, package)) is not None:
                    own = replace(package, name=name_apart(name))
                    tests[name] = open_connector(own, Ports(apart, tokens, clock.utcnow), lazily=name not in used)
        wallets = {
            name: package.manifest.payer_operator
            for name, package in packages.items()
            if package.manifest.payer_operator
        }
        statements = statement_sources([packages[name] for name in connectors], settings)
        calendar = CalendarFile(
            settings.calendar_file, {name: each.manifest.operations for name, each in packages.items()}
        )
        letters, mode = DeadLetters(store, known_of(catalogue, packages)), RestoreMode()
        await mode.learn(store)
        yield _build(
            settings, clock, catalogue, keyring, store, connectors, tests, wallets, statements, calendar, letters, mode
        )
    finally:
        for connector in (*connectors.values(), *tests.values()):
            await connector.close()
        await store.close()


def _build(
    settings: Settings,
    clock: Clock,
    catalogue: Catalogue,
    keyring: Keyring,
    store: Store,
    connectors: Mapping[str, Connector],
    tests: Mapping[str, Connector],
    wallets: Mapping[str, str],
    statements: Sequence[StatementSource],
    calendar: CalendarFile,
    letters: DeadLetters,
    mode: RestoreMode,
) -> Gateway:
    routes = _routes(catalogue, connectors)
    centres = load_centres(settings.centres_file)
    offered = Catalogue(route.service for route in routes.values())
    everyone = {**connectors, **{connector.name: connector for connector in tests.values()}}
    if tests:
        apart = _routes(Catalogue(offered), ConnectorsApart(tests))
        routes |= {route_name(name, test=True): route for name, route in apart.items()}
    policy, watch, waiters, recoveries = settings.dispatch, Watch(), Waiters(), Recoveries()
    worker = f"g{store.generation}"
    lanes = Lanes(everyone.values(), policy, clock.utcnow, clock.monotonic, calendar.read())
    recorder = Recorder(store, offered, waiters, watch, clock)
    attachments = Attachments(store, Room(settings.unused_attachments, settings.unused_attachment_bytes))
    dispatcher = Dispatcher(store, routes, lanes, policy, clock, recorder, worker, attachments, mode)
    outlooks = Outlooks(store, lanes, policy, clock)
    availability = Availability(everyone, lanes, outlooks, clock)
    acceptor = Acceptor(store, routes, lanes, dispatcher, waiters, availability, keyring, clock, settings, mode)
    actions = Actions(
        store, offered, routes, lanes, dispatcher, waiters, watch, acceptor, wallets, clock, settings, attachments
    )
    judge = Judge(store, everyone, routes, recorder, policy, settings.callbacks, dispatcher.wake, worker)
    sending = any(connector.callbacks for connector in everyone.values())
    desk = CallbackDesk(store, judge, watch, poll_seconds=policy.poll_seconds, awake=sending)
    fenced = FencedStore(store)  # for what the timetable runs
    closer = Closer(fenced, everyone, routes, recorder, policy, dispatcher.wake, worker)
    reconciler = Reconciler(fenced, statements, closer, clock, settings.statements_folder)
    decisions = DecisionDesk(store, routes, recorder, settings, letters.known, watch, dispatcher.wake, worker)
    guard = Guard(settings.webhooks)
    post = Post(guard, settings.webhooks, clock)
    sender = Sender(store, post, settings.webhooks, clock.monotonic, worker, poll_seconds=policy.poll_seconds)
    services = Services(
        store=store,
        catalogue=offered,
        validator=Validator(offered, wallets, list(centres)),
        centres=centres,
        acceptor=acceptor,
        actions=actions,
        watch=watch,
        lanes=lanes,
        outlooks=outlooks,
        availability=availability,
        settings=settings,
        clock=clock,
        connectors=connectors,
        callbacks=Receiver(store, everyone, keyring, clock, settings.callbacks, desk.wake),
        attachments=attachments,
        reconciler=reconciler,
        decisions=decisions,
        webhooks=WebhookDesk(store, guard, settings.webhooks),
        recoveries=recoveries,
        sooner=AskSooner(store, dispatcher.wake, clock.monotonic),
        dead_letters=letters,
        mode=mode,
        stranded=Stranded(store, offered, lanes, clock, settings.stranded),
    )
    told = (dispatcher.judge, recoveries, clock, dispatcher.hand.requests)
    upkeep = Upkeep(fenced, everyone, policy, watch, dispatcher.wake, worker, calendar, lanes, mode, *told)
    keeping = Keeping(fenced, settings)
    crew = Worker(store, worker, dispatcher, upkeep, settings, desk, keeping, reconciler, sender)
    return Gateway(store, services, crew, waiters, reconciler, mode)


def _connectors_of(service: Service) -> set[str]:
    """The connectors of its steps and of the ways to pay for it."""
    steps = {str(step.connector) for step in service.steps if step.connector}
    return steps | (set(service.fee.methods) if service.fee else set())


def _routes(catalogue: Catalogue, connectors: Mapping[str, Connector]) -> dict[str, Route]:
    """The routes of the services whose connectors are set up. Raises SettingsError for an unknown operation."""
    routes = {}
    for service in (_deliverable(each, connectors) for each in catalogue):
        missing = sorted(_connectors_of(service) - set(connectors)) or ([] if service.delivery else [POST])
        if missing:
            log.warning("service_not_offered", service=service.id, names=", ".join(missing), reason="connector not set")
            continue
        for step in service.steps:
            if step.connector and step.operation not in connectors[step.connector].operations:
                raise SettingsError(
                    f"The service {service.id} names the operation {step.operation!r}, "
                    f"which the connector {step.connector} does not have."
                )
        routes[service.id] = Route(service, connectors)
        _check_fee(routes[service.id])
    return routes


def _check_fee(route: Route) -> None:
    """Raises SettingsError for a fee that one of its ways to pay cannot say."""
    fee = route.service.fee
    if fee is None or fee.money is None:
        return
    unable = [method for method in fee.methods if method not in route.payable(fee.money)]
    if unable:
        raise SettingsError(
            f"The service {route.service.id} costs {format_amount(fee.money)} {fee.money.denomination}, which "
            f"{', '.join(unable)} cannot be told exactly; change [fee] amount, or leave it out of [fee] methods."
        )


def _test_settings(settings: Settings, package: Package) -> dict[str, Any] | None:
    """The settings of its test system. Raises SettingsError for a secret that is the live one."""
    apart = settings.test_connector(package.name)
    live = settings.connector(package.name)
    for name, setting in package.settings.items():
        if apart and setting.secret and name in apart and apart[name] == live.get(name):
            raise SettingsError(
                f"connectors.{package.name}.test.{name} is the live secret; a live key must not reach a test system."
            )
    return apart


def _deliverable(service: Service, connectors: Mapping[str, Connector]) -> Service:
    """The service without the post, where the post is not set up; its other ways stay, and it may have none left."""
    if POST not in service.delivery or POST in connectors:
        return service
    ways = tuple(way for way in service.delivery if way != POST)
    if ways:
        log.warning("delivery_not_offered", service=service.id, names=POST, reason="connector not set")
    return replace(service, delivery=ways)


async def run_server(settings: Settings, listener: socket.socket) -> None:
    """Serve the API on `listener`, and work, until SIGTERM or SIGINT; then finish or give back."""
    _allow_many_sockets()
    async with gateway(settings) as built:
        desk = admin.Desk(built.store, settings, built.reconciler, built.mode, built.worker, built.services.stranded)
        async with AdminSocket(settings.admin_socket_path, lambda name, given: admin.run(desk, name, given)):
            app = build_app(built.services)
            server = HttpServer(app, listener)
            await built.worker.start()
            _settle_memory()
            stop = _stop_signal()
            serving = asyncio.get_running_loop().create_task(server.run_until_stopped())
            log.info(
                "serving",
                host=settings.host,
                port=settings.port,
                pid=os.getpid(),
                database=built.store.dialect,
                generation=built.store.generation,
            )
            await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping", seconds=settings.shutdown_seconds)
            app.state["streams"].close()
            server.stop()
            await built.worker.stop(settings.shutdown_seconds)
            built.waiters.let_go()
            await serving
            await built.worker.give_back(settings.shutdown_seconds)


async def run_worker(settings: Settings) -> None:
    """Work beside the servers until SIGTERM or SIGINT."""
    _allow_many_sockets()
    async with gateway(settings) as built:
        await built.worker.start()
        _settle_memory()
        log.info("working", pid=os.getpid(), database=built.store.dialect, generation=built.store.generation)
        await _stop_signal()
        log.info("stopping", seconds=settings.shutdown_seconds)
        await built.worker.stop(settings.shutdown_seconds)
        await built.worker.give_back(settings.shutdown_seconds)


def _allow_many_sockets() -> None:
    """Raise the limit of open files to what the system allows: a request in flight needs two sockets."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _settle_memory() -> None:
    """Keep what was built at the start out of the collector's rounds, and make them rarer: few cycles are left."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_ROUND, 10, 10)


def _stop_signal() -> asyncio.Future[None]:
    """Done at the first SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def ask() -> None:
        if not stop.done():
            stop.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return stop
