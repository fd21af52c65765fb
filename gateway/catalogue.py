"""This file reads the services: a service is a TOML file, so that a new one needs no code.

A folder may hold any number of files; one file is one service. Every key is checked: what is unknown, missing or of the
wrong kind is one sentence that names file, line and key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.places import line_of, read_toml
from gateway.service_actions import CitizenAction, actions_of
from gateway.service_values import Wrong, both_languages, check_keys, form, one_of, positive, string, strings, table_of
from mappings.money import Money, parse_amount

STEP_KINDS = ("check", "quote", "pay", "submit", "await", "deliver")
ASSURANCE = ("low", "substantial", "high")
DELIVERY = ("electronic", "centre", "post")
#: Steps that the gateway takes by itself; every other kind names one operation of one connector.
_OWN_STEPS = frozenset({"pay", "deliver"})
_REQUIRED = frozenset({"id", "institution", "name", "turnaround_hours", "steps", "input"})
_OPTIONAL = frozenset(
    {"required_documents", "minimum_assurance", "pay_within_hours", "fee", "delivery", "result", "actions"}
)


class CatalogueError(Exception):
    """A service file is wrong; the message is one sentence with file, line and key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a service: one operation of one connector, or `pay` and `deliver`, which are the gateway's own."""

    kind: str
    connector: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """What the citizen pays, and by which payment connectors."""

    money: Money | None  #: None: the quote of the step `quote` says it.
    methods: tuple[str, ...]
    example: bool  #: The amount is an example, not a tariff.


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the catalogue."""

    id: str
    institution: str
    name: Mapping[str, str]  #: {"ar", "en"}
    turnaround_hours: int
    required_documents: tuple[str, ...]
    minimum_assurance: str
    pay_within_hours: int
    fee: Fee | None
    delivery: tuple[str, ...]  #: The ways in which the result can reach the citizen.
    steps: tuple[Step, ...]
    schema: dict[str, Any]  #: JSON Schema 2020-12 of `input`, self-contained.
    labels: Mapping[str, Any] = field(default_factory=dict)  #: Input field -> {"ar", "en", "hint"?, "values"?}.
    actions: Mapping[str, CitizenAction] = field(default_factory=dict)  #: What an institution may ask for, by kind.
    result: dict[str, Any] | None = None  #: JSON Schema of the result, where that is data and not (only) documents.
    result_labels: Mapping[str, Any] = field(default_factory=dict)  #: As `labels`, of the result's fields.

    def result_of(self, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The result's fields among what the steps brought (step kind -> its data); of a name the last step's."""
        known = {name: value for data in steps.values() for name, value in data.items()}
        return {name: known[name] for name in (self.result or {}).get("properties", {}) if known.get(name) is not None}


class Catalogue:
    """All services, by id."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {service.id: service for service in sorted(services, key=lambda service: service.id)}

    @classmethod
    def load(cls, folders: Iterable[Path | str]) -> "Catalogue":
        """The services of every `*.toml` in the folders. Raises CatalogueError."""
        services: dict[str, Service] = {}
        for folder in folders:
            if not Path(folder).is_dir():
                raise CatalogueError(f"The services folder {folder} does not exist.")
            for file in sorted(Path(folder).glob("*.toml")):
                service = read_service(file)
                if service.id in services:
                    raise CatalogueError(f"{file}: the service {service.id} stands in another file already.")
                services[service.id] = service
        return cls(services.values())

    def get(self, service_id: str) -> Service | None:
        """The service of an id, or None."""
        return self._services.get(service_id)

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())

    def __len__(self) -> int:
        return len(self._services)


def read_service(file: Path) -> Service:
    """The service that one file describes. Raises CatalogueError."""
    try:
        raw, text = read_toml(file, str(file), dict[str, Any])
    except ManifestError as error:
        raise CatalogueError(f"{error}.") from error
    try:
        return _service(raw)
    except Wrong as wrong:
        line = line_of(text, wrong.key)
        raise CatalogueError(f"{file}{'' if line is None else f':{line}'}: {wrong}.") from wrong


def _service(raw: Mapping[str, Any]) -> Service:
    check_keys(raw, _REQUIRED, _OPTIONAL, "")
    service_id = string(raw, "id")
    steps = _steps(raw["steps"])
    fee = _fee(raw["fee"]) if "fee" in raw else None
    if (fee is None) == any(step.kind == "pay" for step in steps):
        raise Wrong("a service with a [fee] has exactly one step of kind pay, and one without has none", "steps")
    _check_quote(fee, [step.kind for step in steps])
    delivery = tuple(one_of(way, DELIVERY, "delivery") for way in raw.get("delivery", ["electronic"]))
    if set(delivery) - {"electronic"} and steps[-1].kind != "deliver":
        raise Wrong("delivery by post or at a centre needs a last step of kind deliver", "delivery")
    schema, labels = form(raw["input"], "input")
    result, result_labels = form(raw["result"], "result") if "result" in raw else (None, {})
    return Service(
        id=service_id,
        institution=string(raw, "institution"),
        name=both_languages(raw["name"], "name"),
        turnaround_hours=positive(raw, "turnaround_hours"),
        required_documents=strings(raw.get("required_documents", []), "required_documents"),
        minimum_assurance=one_of(raw.get("minimum_assurance", "low"), ASSURANCE, "minimum_assurance"),
        pay_within_hours=positive(raw, "pay_within_hours") if "pay_within_hours" in raw else 24,
        fee=fee,
        delivery=delivery,
        steps=steps,
        schema=schema,
        labels=labels,
        result=result,
        result_labels=result_labels,
        actions=actions_of(raw.get("actions", {}), [step.kind for step in steps]),
    )


def _steps(raw: object) -> tuple[Step, ...]:
    if not isinstance(raw, list) or not raw:
        raise Wrong("steps must be a list of [[steps]] with at least one", "steps")
    steps = tuple(_step(item, f"steps[{number}]") for number, item in enumerate(raw))
    if sum(step.kind == "pay" for step in steps) > 1:
        raise Wrong("steps has more than one step of kind pay", "steps")
    return steps


def _step(raw: object, where: str) -> Step:
    table = table_of(raw, where)
    kind = one_of(table.get("kind"), STEP_KINDS, f"{where}.kind")
    if kind in _OWN_STEPS:
        check_keys(table, frozenset({"kind"}), frozenset(), f"{where}.")
        return Step(kind)
    check_keys(table, frozenset({"kind", "connector", "operation"}), frozenset(), f"{where}.")
    return Step(kind, string(table, "connector", where), string(table, "operation", where))


def _fee(raw: object) -> Fee:
    table = table_of(raw, "fee")
    quoted = table.get("quoted", False)
    if not isinstance(quoted, bool):
        raise Wrong("it must be true or false", "fee.quoted")
    required = frozenset({"methods"} if quoted else {"amount", "currency", "denomination", "methods"})
    check_keys(table, required, frozenset({"example", "quoted"}), "fee.")
    methods = strings(table["methods"], "fee.methods")
    if not methods:
        raise Wrong("it must name at least one payment connector", "fee.methods")
    if not isinstance(table.get("example", False), bool):
        raise Wrong("it must be true or false", "fee.example")
    return Fee(None if quoted else _amount(table), methods, table.get("example", False))


def _amount(table: Mapping[str, Any]) -> Money:
    try:
        money = parse_amount(
            string(table, "amount", "fee"), string(table, "currency", "fee"), string(table, "denomination", "fee")
        )
    except ValueError as error:
        raise Wrong(f"it is not an amount: {error}", "fee.amount") from error
    if money.amount_minor <= 0:
        raise Wrong("it must be more than zero", "fee.amount")
    return money


def _check_quote(fee: Fee | None, kinds: Sequence[str]) -> None:
    """A fee that is quoted needs a step that asks for it, before it is paid."""
    if fee is not None and fee.money is None and "quote" not in kinds[: kinds.index("pay")]:
        raise Wrong("it needs a step of kind quote before pay", "fee.quoted")
