"""CPU of the compiled mapping language against the `jmespath` interpreter, on the packages' own mapping documents.

Both sides render the same sections for the same samples through the same `Template`; only the leaves differ: closures,
or the library as it is used (`jmespath.compile` once at load, then `search` for each document).
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jmespath
from jmespath.visitor import Options

from bench.measure import NO_DATABASE, Goal, Measurement, Place
from connectors.kit.contract import Exchange, Ports
from connectors.kit.http import HttpAnswer
from connectors.kit.package import Package
from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.tokens import LocalTokens
from connectors.kit.wire import RestWire, SoapWire
from connectors.registry import find_packages
from mappings.expression import Expression
from mappings.functions import MappingFunctions
from mappings.language import Compiler, Template, read_document

ROUNDS = 40
Rendering = tuple[str, str, str, dict[str, Any]]  #: Package, operation, section, context.


class Interpreted:
    """A leaf that the library's interpreter evaluates."""

    grows = False
    fields = frozenset[str]()
    names: tuple[str, ...] = ()

    def __init__(self, text: str, functions: MappingFunctions) -> None:
        search, options = jmespath.compile(text).search, Options(custom_functions=functions)
        self.evaluate: Callable[[Any], Any] = lambda context: search(context, options)


def _sections(package: Package, read: Any) -> dict[tuple[str, str], Template]:
    """The request and the answer of every operation, compiled with this kind of leaf."""
    folder = package.folder / "mapping"
    parts = folder / "_parts.yaml"
    compiler = Compiler(package.codes.tables, read_document(parts, parts.name) if parts.exists() else {}, read)
    found = {}
    for operation in package.manifest.operations:
        document = read_document(folder / f"{operation}.yaml", operation)
        for section in ("request", "answer"):
            tree = compiler.with_parts(document.get(section, {}), operation, section)
            tree.pop("same", None)
            tree.pop("document_required", None)
            found[operation, section] = compiler.template(tree, operation, section)
    return found


def _contexts(package: Package) -> Iterator[Rendering]:
    """What the sections read in each sample: the canonical document, and the answer as the wire's reader gives it."""
    ports = Ports(sandbox_settings(package.folder, 9), LocalTokens(), lambda: datetime.now(UTC))
    wire = (SoapWire if package.manifest.kind == "soap" else RestWire)(package, ports)
    for file in sorted((package.folder / "samples").glob("*/*/canonical.json")):
        operation = file.parent.parent.name
        if json.loads((file.parent / "outcome.json").read_text("utf-8")) == {"error": "mapping_failed"}:
            continue  # the sample shows a request that cannot be rendered
        document = json.loads(file.read_text("utf-8"))
        context = {"secrets": {}, **document, "settings": ports.settings, "token": "token"}
        yield package.name, operation, "request", context
        answer = _answer(file.parent)
        if answer is not None:
            said = wire.read(operation, answer)
            if said.fault is None:
                seen = {"status": answer.status, "headers": dict(answer.headers)}
                yield package.name, operation, "answer", {**context, "answer": said.body, "http": seen}


def _answer(sample: Path) -> HttpAnswer | None:
    if (xml := sample / "response.xml").exists():
        raw, media = xml.read_bytes(), "text/xml"
        status = 500 if b"Fault>" in raw else 200
    elif (file := sample / "response.json").exists():
        response = json.loads(file.read_text("utf-8"))
        raw, media, status = json.dumps(response["body"]).encode(), "application/json", response["status"]
    else:
        return None
    return HttpAnswer(status, {"content-type": media}, raw, media, "", Exchange(b"", raw, status, media, 0))


def _cpu_ms(renderings: list[tuple[Template, dict[str, Any]]]) -> float:
    begun = time.process_time()
    for _ in range(ROUNDS):
        for template, context in renderings:
            template(context)
    return (time.process_time() - begun) * 1000 / ROUNDS


def _measure(place: Place) -> dict[str, float]:
    packages = find_packages()
    contexts = [rendering for package in packages.values() for rendering in _contexts(package)]
    sides = {}
    for name, read in (("compiled", Expression), ("interpreter", Interpreted)):
        sections = {package.name: _sections(package, read) for package in packages.values()}
        sides[name] = [(sections[package][operation, section], seen) for package, operation, section, seen in contexts]
    for (compiled, seen), (interpreted, _) in zip(sides["compiled"], sides["interpreter"], strict=True):
        assert compiled(seen) == interpreted(seen), "the two sides must say the same"
    spent = {name: _cpu_ms(sides[name]) for name in sorted(sides, reverse=bool(place.run % 2))}
    return {
        "mapping_vs_interpreter": spent["compiled"] / spent["interpreter"],
        "mapping_cpu_us_per_section": spent["compiled"] * 1000 / len(contexts),
    }


async def run(place: Place) -> dict[str, float]:
    """One pair, the odd runs in the other order."""
    return await asyncio.to_thread(_measure, place)


MEASUREMENTS = [
    Measurement("mapping_vs_interpreter", "ratio", Goal(0.1, at_least=False), run, (NO_DATABASE,)),
    Measurement("mapping_cpu_us_per_section", "us", None, run, (NO_DATABASE,)),
]
