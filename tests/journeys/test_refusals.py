"""Whatever an institution refuses reaches the channel with the catalogue's three texts, in both languages."""

import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.server import find_folder
from gateway.catalogue import Catalogue, Service
from gateway.settings import BUILTIN_SERVICES
from jisr.demo_all import example_of
from tests.gateways import STEADY, GatewayProcess
from tests.journeys.house import House, with_person

#: Whom Higher Education does not know, it names by the document that is asked for; the persons' file tells one of them.
BY_DOCUMENT = {"graduate_unknown": {"graduate_unknown", "commitment_unknown", "scholar_unknown"}}

#: What the citizen is asked about, and the request goes on.
ASKED = {"price_changed"}

SERVICES = {service.id: service for service in Catalogue.load([BUILTIN_SERVICES])}


def refusals(service: Service) -> Iterator[tuple[str, str]]:
    """The test persons whom the institution refuses before anything is paid, and with which code."""
    first = next(step for step in service.steps if step.connector)
    file = find_folder(str(first.connector)) / "persons.toml"
    persons = tomllib.loads(file.read_text("utf-8"))["persons"] if file.is_file() else {}
    for number, person in persons.items():
        outcomes = person.get("expect", {}).get(first.operation, [""])
        status, _, code = outcomes[0].partition(":")
        if status == "refused" and len(number) == 11 and number.isdigit():
            yield number, code


def late_refusals(service: Service) -> Iterator[tuple[str, str]]:
    """Those whom it refuses only after the check, or by an inquiry or callback, when the fee is paid already."""
    early = {number for number, _ in refusals(service)}
    for connector in dict.fromkeys(str(step.connector) for step in service.steps if step.connector):
        operations = load_manifest(find_folder(connector)).operations
        acts = {str(step.operation) for step in service.steps if step.connector == connector and step.kind != "await"}
        used = acts | {str(operations[name].inquire) for name in acts if name in operations}
        persons = tomllib.loads((find_folder(connector) / "persons.toml").read_text("utf-8"))["persons"]
        for number, person in persons.items():
            expected = person.get("expect", {})
            last = [outcomes[-1] for name, outcomes in expected.items() if name in used and acts & set(expected)]
            codes = [each.partition(":")[2] for each in last if each.startswith("refused:")]
            if codes and codes[-1] not in ASKED and number not in early and len(number) == 11 and number.isdigit():
                yield number, codes[-1]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, sandbox_processes) -> Iterator[GatewayProcess]:
    """One gateway in front of every institution."""
    names = {str(step.connector) for service in SERVICES.values() for step in service.steps if step.connector}
    names |= {"post", *(method for service in SERVICES.values() if service.fee for method in service.fee.methods)}
    reached = {name: sandbox_processes(name).settings for name in sorted(names)}
    for name in names:
        sandbox_processes(name).reset()
    folder: Path = tmp_path_factory.mktemp("refusals")
    running = GatewayProcess(folder, f"sqlite:///{folder / 'jisr.db'}", reached, {**STEADY, "lanes": {}})
    running.install()
    running.start()
    yield running
    running.stop()


LATE = [(service.id, number, code) for service in SERVICES.values() for number, code in late_refusals(service)]


def test_refusals_after_the_check_are_told_in_the_same_way(gateway, sandbox_processes):
    house = House(gateway, sandbox_processes)
    with ThreadPoolExecutor(8) as several:
        ended = several.map(lambda one: house.walk(with_person(one[0], one[1])), LATE)
        for (service, number, code), refused in zip(LATE, ended, strict=True):
            about = f"{service} {number}"
            assert refused["state"] == "refused", about
            assert refused["reason"]["code"] in BY_DOCUMENT.get(code, {code}), about
            require_words(refused["reason"])


def require_words(reason) -> None:
    """Three readers, two languages."""
    for reader in ("citizen", "clerk", "technician"):
        assert set(reason[reader]) == {"ar", "en"}, reason["code"]
        assert all(reason[reader].values()), reason["code"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_refusal_is_told_to_citizen_clerk_and_technician(gateway, service):
    told = {}
    for number, code in refusals(SERVICES[service]):
        body = gateway.with_uploads(SERVICES[service], example_of(SERVICES[service]))
        body["applicant"] = {**body["applicant"], "national_number": number}
        made = gateway.submit(body, f"r-{service}-{number}", wait=10).json()
        refused = gateway.until_state(made["id"], "refused")
        assert refused["reason"]["code"] in BY_DOCUMENT.get(code, {code})
        assert (refused["payment"] or {"state": "cancelled"})["state"] == "cancelled"
        told[refused["reason"]["code"]] = refused["reason"]
    for reason in told.values():
        require_words(reason)
