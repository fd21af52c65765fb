"""CPU of the compiled mapping language against the `jmespath` interpreter, on the packages' own mapping documents.

Both sides render the same sections for the same samples of every package through the same `Template`, which builds the
result and measures it (the limits of size). Both call the same functions of ours (dates, names, money): the library
gets them as its `custom_functions`. Only the leaves differ: closures, in which a call's constants are prepared at load,
or the library as it is used (`jmespath.compile` once at load, then `search` for each document). Counting the steps of
lists within a leaf is a cost of our side alone. The figure is the sum over all samples: a section weighs what it costs.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import jmespath
from jmespath.visitor import Options

from bench.measure import NO_DATABASE, Goal, Measurement, Place
from connectors.kit.errors import ConnectorError
from connectors.kit.mapping_tools.workbench import Workbench, answer_of
from connectors.kit.package import Package
from connectors.registry import find_packages
from mappings.errors import MappingError
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
    bench = Workbench(package.folder)
    for sample in bench.samples():
        if sample.json("outcome.json") == {"error": "mapping_failed"}:
            continue  # the sample shows a request that cannot be rendered
        document = sample.json("canonical.json")
        yield package.name, sample.operation, "request", bench.context(document)
        answer = answer_of(sample)
        if answer is None:
            continue
        with suppress(ConnectorError):  # a page of HTML, a damaged message: no section reads it
            said = bench.heard(sample.operation, answer)
            if said.fault is None:
                context = {**bench.context(document), **bench.answer_context(document, said, answer)}
                yield package.name, sample.operation, "answer", context


def renderings(package: Package) -> list[Rendering]:
    """Those that come to an end on both sides.

    Some samples show what a mapping refuses; and the interpreter evaluates both branches of an `if`, ours only one.
    """
    sides = [_sections(package, read) for read in (Expression, Interpreted)]
    return [
        each for each in _contexts(package) if all(_ends(sections[each[1], each[2]], each[3]) for sections in sides)
    ]


def _ends(template: Template, context: dict[str, Any]) -> bool:
    try:
        template(context)
    except MappingError:
        return False
    return True


def _cpu_ms(renderings: list[tuple[Template, dict[str, Any]]]) -> float:
    begun = time.process_time()
    for _ in range(ROUNDS):
        for template, context in renderings:
            template(context)
    return (time.process_time() - begun) * 1000 / ROUNDS


def _measure(place: Place) -> dict[str, float]:
    packages = find_packages()
    contexts = [rendering for package in packages.values() for rendering in renderings(package)]
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
