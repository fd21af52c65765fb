"""This file reads the services: a service is a TOML file, so that a new one needs no code.

A folder may hold any number of files; one file is one service. Every key is checked: what is unknown, missing or of the
wrong kind is one sentence that names file and key.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from gateway.code_tables import CodeTableFault, resolve
from mappings.money import Money, parse_amount

STEP_KINDS = ("check", "quote", "pay", "submit", "await", "deliver")
ASSURANCE = ("low", "substantial", "high")
DELIVERY = ("electronic", "centre", "post")
#: Steps that the gateway takes by itself; every other kind names one operation of one connector.
_OWN_STEPS = frozenset({"pay", "deliver"})
_REQUIRED = frozenset({"id", "institution", "name", "turnaround_hours", "steps", "input"})
_OPTIONAL = frozenset({"required_documents", "minimum_assurance", "pay_within_hours", "fee", "delivery", "result"})


class CatalogueError(Exception):
    """A service file is wrong; the message is one sentence with the file and the key."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a service: one operation of one connector, or `pay` and `deliver`, which are the gateway's own."""

    kind: str
    connector: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """What the citizen pays, and by which payment connectors."""

    money: Money
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
        raw = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{file}: cannot be read as TOML: {error}.") from error
    try:
        return _service(raw)
    except _Wrong as wrong:
        raise CatalogueError(f"{file}: {wrong}.") from wrong


class _Wrong(Exception):
    """What is wrong, without the file's name."""


def _service(raw: Mapping[str, Any]) -> Service:
    _check_keys(raw, _REQUIRED, _OPTIONAL, "")
    service_id = _string(raw, "id")
    steps = _steps(raw["steps"])
    fee = _fee(raw["fee"]) if "fee" in raw else None
    if (fee is None) == any(step.kind == "pay" for step in steps):
        raise _Wrong("a service with a [fee] has exactly one step of kind pay, and one without has none")
    schema, labels = _fields(raw["input"], "input")
    result, result_labels = _fields(raw["result"], "result") if "result" in raw else (None, {})
    return Service(
        id=service_id,
        institution=_string(raw, "institution"),
        name=_both_languages(raw["name"], "name"),
        turnaround_hours=_positive(raw, "turnaround_hours"),
        required_documents=_strings(raw.get("required_documents", []), "required_documents"),
        minimum_assurance=_one_of(raw.get("minimum_assurance", "low"), ASSURANCE, "minimum_assurance"),
        pay_within_hours=_positive(raw, "pay_within_hours") if "pay_within_hours" in raw else 24,
        fee=fee,
        delivery=tuple(_one_of(way, DELIVERY, "delivery") for way in raw.get("delivery", ["electronic"])),
        steps=steps,
        schema=schema,
        labels=labels,
        result=result,
        result_labels=result_labels,
    )


def _steps(raw: object) -> tuple[Step, ...]:
    if not isinstance(raw, list) or not raw:
        raise _Wrong("steps must be a list of [[steps]] with at least one")
    steps = tuple(_step(item, f"steps[{number}]") for number, item in enumerate(raw, 1))
    if sum(step.kind == "pay" for step in steps) > 1:
        raise _Wrong("steps has more than one step of kind pay")
    return steps


def _step(raw: object, where: str) -> Step:
    table = _table(raw, where)
    kind = _one_of(table.get("kind"), STEP_KINDS, f"{where}.kind")
    if kind in _OWN_STEPS:
        _check_keys(table, frozenset({"kind"}), frozenset(), f"{where}.")
        return Step(kind)
    _check_keys(table, frozenset({"kind", "connector", "operation"}), frozenset(), f"{where}.")
    return Step(kind, _string(table, "connector", where), _string(table, "operation", where))


def _fee(raw: object) -> Fee:
    table = _table(raw, "fee")
    required = frozenset({"amount", "currency", "denomination", "methods"})
    _check_keys(table, required, frozenset({"example"}), "fee.")
    try:
        money = parse_amount(
            _string(table, "amount", "fee"), _string(table, "currency", "fee"), _string(table, "denomination", "fee")
        )
    except ValueError as error:
        raise _Wrong(f"fee.amount is not an amount: {error}") from error
    if money.amount_minor <= 0:
        raise _Wrong("fee.amount must be more than zero")
    methods = _strings(table["methods"], "fee.methods")
    if not methods:
        raise _Wrong("fee.methods must name at least one payment connector")
    if not isinstance(table.get("example", False), bool):
        raise _Wrong("fee.example must be true or false")
    return Fee(money, methods, table.get("example", False))


def _fields(raw: object, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of `key`, code tables put in and bilingual titles and hints taken out, and those by field."""
    table = _table(raw, key)
    if table.get("type") != "object" or table.get("additionalProperties") is not False:
        raise _Wrong(f'{key} must have type = "object" and additionalProperties = false')
    properties = _table(table.get("properties", {}), f"{key}.properties")
    schema = {**table, "properties": {}}
    labels: dict[str, Any] = {}
    for name, raw_property in properties.items():
        where = f"{key}.properties.{name}"
        declared = dict(_table(raw_property, where))
        label: dict[str, Any] = _both_languages(declared.pop("title", None), f"{where}.title")
        title = label["en"]
        if "hint" in declared:
            label["hint"] = _both_languages(declared.pop("hint"), f"{where}.hint")
        try:
            resolved, values = resolve(declared)
        except CodeTableFault as error:
            raise _Wrong(f"{where}: {error}") from error
        schema["properties"][name] = {"title": title, **resolved}
        labels[name] = {**label, "values": values} if values else label
    for name in _strings(table.get("required", []), f"{key}.required"):
        if name not in properties:
            raise _Wrong(f"{key}.required names {name!r}, which is not in {key}.properties")
    try:
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft202012Validator(schema)
    except ValueError as error:
        raise _Wrong(f"{key} is not a valid JSON Schema: {str(error).splitlines()[0]}") from error
    return schema, labels


def _check_keys(raw: Mapping[str, Any], required: frozenset[str], optional: frozenset[str], prefix: str) -> None:
    if unknown := set(raw) - required - optional:
        raise _Wrong(f"the key {prefix}{min(unknown)} is not known")
    if missing := required - set(raw):
        raise _Wrong(f"the key {prefix}{min(missing)} is missing")


def _table(raw: object, where: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise _Wrong(f"{where} must be a table")
    return raw


def _string(table: Mapping[str, Any], key: str, where: str = "") -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(f"{where}{'.' if where else ''}{key} must be text")
    return value


def _strings(raw: object, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(item, str) and item for item in raw):
        raise _Wrong(f"{where} must be a list of texts")
    return tuple(raw)


def _positive(table: Mapping[str, Any], key: str) -> int:
    value = table[key]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _Wrong(f"{key} must be a whole number above zero")
    return value


def _one_of(value: object, allowed: tuple[str, ...], where: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _Wrong(f"{where} must be one of {', '.join(allowed)}")
    return value


def _both_languages(raw: object, where: str) -> dict[str, str]:
    match raw:
        case {"ar": str(ar), "en": str(en), **rest} if not rest and ar.strip() and en.strip():
            return {"ar": ar, "en": en}
    raise _Wrong(f"{where} must have the texts ar and en")
