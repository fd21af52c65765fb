"""Says for each field of both directions where it comes from, by which rule, and what stood there, masked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.errors import ConnectorError
from connectors.kit.mapping_tools.called_back import MESSAGE, callback_context, callback_sample
from connectors.kit.mapping_tools.workbench import Sample, Workbench, answer_of
from mappings.compiled.logic import is_false
from mappings.documents import Place
from mappings.errors import MappingError
from mappings.expression import Expression
from mappings.functions import MappingFunctions
from mappings.reading import Leaf, Path, leaves

#: The parts of an answer section that are no fields of the outcome.
_CHECKS = frozenset({"same", "document_required"})
_SHOWN_LETTERS = 2
_LONGEST_MASK = 10
_LONG = 200


@dataclass(frozen=True, slots=True)
class Explained:
    """One field."""

    direction: str  #: request | answer
    canonical: tuple[str, ...]  #: Paths in the canonical document, or of the outcome.
    wire: tuple[str, ...]  #: Paths of the wire.
    rule: str  #: The expression.
    place: Place
    raw: tuple[str, ...]  #: What the rule read, masked; one for each path read.
    result: str  #: What it gave, masked; empty when nothing, or when a `$when` above is false.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """An operation on one sample."""

    operation: str
    case: str
    fields: tuple[Explained, ...]
    code: str  #: The institution's code in the answer; empty without an answer.
    meaning: str  #: What codes.toml makes of it.


def explain(bench: Workbench, operation: str, case: str = "") -> Explanation:
    """The explanation of one sample (`succeeded` unless named). Raises ToolError and MappingError."""
    if operation in bench.package.manifest.callbacks:
        return _explained_callback(bench, operation, case)
    bench.operation(operation)
    sample = bench.sample(operation, case)
    document = sample.json("canonical.json")
    tree, parts = bench.tree(operation), bench.tree("_parts")
    file = Place(bench.package.mappings[operation].file, 0)
    asked = bench.context(document)
    fields = list(_request(bench, tree.get("request"), parts, file, asked))
    heard = _heard(bench, sample, document)
    if heard is None:
        return Explanation(operation, sample.case, tuple(fields), "", "")
    context, code, meaning = heard
    fields += _answer(bench, tree.get("answer"), parts, file, context)
    return Explanation(operation, sample.case, tuple(fields), code, meaning)


def _explained_callback(bench: Workbench, name: str, case: str) -> Explanation:
    sample = callback_sample(bench, name, case)
    context = callback_context(bench, name, sample.json(MESSAGE))
    file = Place(bench.package.callbacks[name].file, 0)
    fields = _answer(bench, bench.tree(name).get("answer"), bench.tree("_parts"), file, context)
    found = bench.package.callbacks[name].answer(context) or {}
    code = str(found.get("code", ""))
    return Explanation(name, sample.case, tuple(fields), code, _meaning(bench.package.codes.code(name, code)))


def _request(
    bench: Workbench, tree: Any, parts: Mapping[str, Any], file: Place, context: Mapping[str, Any]
) -> Iterator[Explained]:
    for leaf in leaves(tree or {}, parts, file):
        yield _explained(bench, "request", leaf, leaf.reads, [leaf.key], context)


def _answer(
    bench: Workbench, tree: Any, parts: Mapping[str, Any], file: Place, context: Mapping[str, Any]
) -> Iterator[Explained]:
    for leaf in leaves(tree or {}, parts, file):
        if leaf.key[:1] and leaf.key[0] in _CHECKS:
            continue
        yield _explained(bench, "answer", leaf, [leaf.key], leaf.reads, context)


def _explained(
    bench: Workbench,
    direction: str,
    leaf: Leaf,
    canonical: Sequence[Path],
    wire: Sequence[Path],
    context: Mapping[str, Any],
) -> Explained:
    result, problem = "", ""
    if not leaf.rows:
        functions = MappingFunctions(bench.package.codes.tables)
        try:
            if all(not is_false(Expression(text, functions)(context)) for text in leaf.conditions):
                result = mask(Expression(leaf.text, functions)(context))
        except ValueError as error:
            problem = str(error)
    read = canonical if direction == "request" else wire
    rule = leaf.text if leaf.kind == "value" else f"${leaf.kind}: {leaf.text}"
    secret = {name for name, setting in bench.package.settings.items() if setting.secret}
    raw = tuple("***" if _is_secret(path, secret) else mask(_found(context, path)) for path in read)
    if any(_is_secret(path, secret) for path in read) and result:
        result = "***"
    return Explained(direction, _texts(canonical), _texts(wire), rule, leaf.place, raw, result, problem)


def _is_secret(path: Path, secret: set[str]) -> bool:
    return path[:1] in {("secrets",), ("token",)} or (path[:1] == ("settings",) and bool(secret & set(path)))


def _texts(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(".".join(path).replace(".*", "[*]") for path in paths)


def _found(context: Any, path: Path) -> Any:
    """What stands at a path; of lists the first."""
    for name in path:
        if name == "*":
            context = context[0] if isinstance(context, list) and context else None
        else:
            context = context.get(name) if isinstance(context, Mapping) else None
    return context


def _heard(bench: Workbench, sample: Sample, document: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, str] | None:
    """What the answer section reads, the institution's code and its meaning."""
    answer = answer_of(sample)
    if answer is None:
        return None
    operation = sample.operation
    try:
        said = bench.heard(operation, answer)
    except ConnectorError as error:
        return {}, "", f"{error.code}: {error}"
    context = bench.answer_context(document, said, answer)
    if said.fault is not None:
        return {}, said.fault.code, _meaning(bench.package.codes.fault(operation, said.fault.code))
    try:
        found = bench.package.mappings[operation].answer(context) or {}
    except MappingError as error:  # a sample of what the institution must not send: each field says its own problem
        return context, "", str(error)
    code = str(found.get("code", ""))
    return context, code, _meaning(bench.package.codes.code(operation, code))


def _meaning(meaning: Any) -> str:
    if meaning is None:
        return "unlisted: never final"
    return " ".join(part for part in (meaning.error or meaning.status, meaning.code) if part)


def mask(value: Any) -> str:
    """What kind of value it is, without saying it: the first letters and how long it is."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes():
            return f"<{len(value)} bytes>"
        case list():
            return f"[{len(value)}]"
        case dict():
            return f"{{{', '.join(value)}}}"
    return _masked(str(value))


def _masked(text: str) -> str:
    if len(text) > _LONG:
        return f"{text[:_SHOWN_LETTERS]}… ({len(text)})"
    shown = text[:_SHOWN_LETTERS] if len(text) > 2 * _SHOWN_LETTERS else ""
    return shown + "*" * min(len(text) - len(shown), _LONGEST_MASK)
