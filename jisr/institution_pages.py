"""Renders what the tree holds of services, connectors and test persons: pages that follow the data."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.kit.manifest import Manifest
from connectors.registry import Package, find_packages
from gateway.catalogue import Catalogue, Service
from gateway.settings import BUILTIN_SERVICES
from jisr.wires import wire_of
from mappings.money import format_amount


def services(mark: str) -> str:
    """docs/reference/services.md."""
    catalogue, packages = Catalogue.load((BUILTIN_SERVICES,)), find_packages()
    text = f"""{mark}
# Services

The services that come with the program, from `config/services/`. Fees are examples unless a page of the institution
says otherwise. [A service file](service-file.md) explains every key; `GET /v1/services` tells the same to channels.

| service | Arabic | English | institution | wire | fee | usual hours | delivery |
|---|---|---|---|---|---|---|---|
"""
    for service in catalogue:
        package = packages.get(service.institution)
        wire = wire_of(package) if package else ""
        cells = (f"[`{service.id}`](#{_anchor(service.id)})", service.name["ar"], service.name["en"])
        text += f"| {' | '.join((*cells, service.institution, wire, _fee(service), str(service.turnaround_hours)))} "
        text += f"| {', '.join(service.delivery)} |\n"
    return text + "".join(_service(service) for service in catalogue)


def connectors(mark: str) -> str:
    """docs/reference/connectors.md."""
    packages = find_packages()
    text = f"""{mark}
# Connectors

The institutions and payment providers that come with the program, from their manifests. Each folder's README.md tells
the wire's quirks. [The package](connector-package.md) explains the files, [manifest.toml](manifest.md) the keys.

| connector | Arabic | English | wire | operations | callbacks |
|---|---|---|---|---|---|
"""
    for name, package in packages.items():
        manifest = package.manifest
        callbacks = ", ".join(f"`{callback}`" for callback in manifest.callbacks)
        operations = ", ".join(f"`{operation}`" for operation in manifest.operations)
        cells = (f"[`{name}`](#{_anchor(name)})", manifest.title.ar, manifest.title.en, wire_of(package), operations)
        text += f"| {' | '.join((*cells, callbacks))} |\n"
    return text + "".join(_connector(package) for package in packages.values())


def test_persons(mark: str) -> str:
    """docs/reference/test-persons.md."""
    text = f"""{mark}
# Test persons

Whom a sandbox treats in a way of its own, by national number (a wallet and the post: by mobile number). All are
invented: no governorate has the number 99. Everybody else succeeds. `x` stands for any digit; what an operation makes
of the person is `status` or `status:code`, one after the other when it is called again.
"""
    for name, package in find_packages().items():
        rows = list(_persons(package.folder))
        if rows:
            text += f"\n## {package.manifest.title.en} · {package.manifest.title.ar} (`{name}`)\n\n"
            text += "| number | Arabic | English | what comes of it |\n|---|---|---|---|\n" + "".join(rows)
    return text


def _service(service: Service) -> str:
    steps = " → ".join(
        f"{step.kind} (`{step.connector}.{step.operation}`)" if step.connector else step.kind for step in service.steps
    )
    text = f"\n## `{service.id}`\n\n{service.name['ar']} · {service.name['en']}\n\n- Steps: {steps}\n"
    if service.fee is not None:
        text += f"- Fee: {_fee(service)}, paid by {', '.join(f'`{method}`' for method in service.fee.methods)}\n"
    if service.required_documents:
        text += f"- The applicant brings: {', '.join(f'`{kind}`' for kind in service.required_documents)}\n"
    text += f"- Assurance of the applicant's login: {service.minimum_assurance} or more\n"
    for kind, action in service.actions.items():
        text += f"- The institution may ask: `{kind}`. {_cell(action.text['ar'])} · {_cell(action.text['en'])}\n"
    if service.result is not None:
        text += f"- The result has, as data: {', '.join(f'`{name}`' for name in service.result['properties'])}\n"
    text += f"- [An example request](../../config/services/{service.id}.example.json)\n"
    if people := _people(service):
        text += f"- [Test persons](test-persons.md): {'; '.join(people)}\n"
    required = set(service.schema.get("required", ()))
    rows = [
        f"| `{name}`{'' if name in required else ' (optional)'} | {label['ar']} | {label['en']} "
        f"| {_written(service, name)} |\n"
        for name, label in service.labels.items()
    ]
    return text + ("\n| field | Arabic | English | written |\n|---|---|---|---|\n" + "".join(rows) if rows else "")


def _written(service: Service, name: str) -> str:
    """How a value is written: the words that there are, or the hint."""
    words = service.schema["properties"][name].get("enum") or service.labels[name].get("values") or ()
    if words:
        return ", ".join(f"`{word}`" for word in words)
    hint = service.labels[name].get("hint")
    return f"{_cell(hint['ar'])} · {_cell(hint['en'])}" if hint else ""


def _people(service: Service) -> list[str]:
    """The institution's test persons with whom this service goes another way."""
    operations = {step.operation for step in service.steps if step.connector == service.institution}
    operations |= {action.operation for action in service.actions.values() if action.operation}
    package = find_packages().get(service.institution)
    persons = _listed(package.folder) if package is not None else {}
    return [
        f"`{number}` {_cell(person['en'])}"
        for number, person in persons.items()
        if operations & set(person.get("expect", {}))
    ]


def _connector(package: Package) -> str:
    manifest = package.manifest
    text = f"\n## `{package.name}`\n\n{manifest.title.ar} · {manifest.title.en}: {wire_of(package)}\n\n"
    text += "| operation | on the wire | role | effect | seconds | inquired by |\n|---|---|---|---|---|---|\n"
    for name, operation in manifest.operations.items():
        cells = (f"`{name}`", f"`{operation.wire}`", operation.role, operation.effect.value)
        more = (f"{operation.deadline_seconds:g}", f"`{operation.inquire}`" if operation.inquire else "")
        text += f"| {' | '.join((*cells, *more))} |\n"
    return text + _settings(manifest)


def _settings(manifest: Manifest) -> str:
    text = "\n| setting | kind | secret | what |\n|---|---|---|---|\n"
    for name, setting in manifest.settings.items():
        secret = "yes" if setting.secret else ""
        text += f"| `{name}` | {setting.type} | {secret} | {_cell(setting.description)} |\n"
    return text


def _listed(folder: Path) -> Mapping[str, dict[str, Any]]:
    file = folder / "persons.toml"
    persons: Mapping[str, dict[str, Any]] = {}
    return tomllib.loads(file.read_text(encoding="utf-8")).get("persons", {}) if file.is_file() else persons


def _persons(folder: Path) -> Iterator[str]:
    for number, person in _listed(folder).items():
        yield f"| `{number}` | {_cell(person['ar'])} | {_cell(person['en'])} | {_expected(person)} |\n"


def _expected(person: dict[str, Any]) -> str:
    expected = person.get("expect", {})
    return "; ".join(f"`{name}`: {', then '.join(outcomes)}" for name, outcomes in expected.items()) or "-"


def _fee(service: Service) -> str:
    if service.fee is None:
        return "free"
    if service.fee.money is None:
        return "quoted by the institution"
    example = " (example)" if service.fee.example else ""
    return f"{format_amount(service.fee.money)} {service.fee.money.denomination}{example}"


def _anchor(heading: str) -> str:
    """As a forge makes it of a heading in code marks."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
