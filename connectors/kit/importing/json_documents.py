"""Reads an OpenAPI document and everything that it refers to, and puts it into one JSON document."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from connectors.kit.importing.refusal import ContractRefused, Progress, Words
from connectors.kit.importing.sources import OutsideError, Source
from connectors.kit.lines import Lines

_MOST_NODES = 1_500_000
_DEEPEST = 200
_INLINE = frozenset({"example", "default", "enum", "const"})
#: Below these, keys are names: a property or a response may be called default.
_NAMING = frozenset({"properties", "patternProperties", "responses", "schemas", "parameters", "headers", "$defs"})
#: Where the other documents stand in the one.
EXTRA = "x-documents"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML whose dates stay text, as JSON has them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_document(content: bytes, shown: str) -> Any:
    """JSON or YAML as plain values. Raises ContractRefused."""
    if content[:2] in {b"\x1f\x8b", b"PK"}:
        raise ContractRefused(f"{shown} is compressed: unpack it first.", f"{shown} مضغوط: فُكّ ضغطه أولاً.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractRefused(f"{shown} is not UTF-8.", f"ترميز {shown} ليس UTF-8.") from error
    start = text.lstrip()[:200].lower()
    if start.startswith(("<html", "<!doctype html")):
        raise ContractRefused(
            f"{shown} is an HTML page, not a contract: perhaps a login page or a proxy answered.",
            f"{shown} صفحة HTML وليست عقداً: لعل صفحة دخول أو وكيلاً أجاب.",
        )
    tree = _json(text, shown) if start.startswith(("{", "[")) else None
    return _plain(_yaml(text, shown) if tree is None else tree, shown)


def _json(text: str, shown: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:  # a flow mapping of YAML begins like JSON
            return _yaml(text, shown)
        except ContractRefused:
            raise ContractRefused(
                f"{shown}, line {error.lineno}: it is not JSON ({error.msg}).",
                f"{shown}، السطر {error.lineno}: ليس JSON ({error.msg}).",
            ) from error
    except RecursionError as error:
        raise _too_deep(shown) from error


def _yaml(text: str, shown: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 1
        raise ContractRefused(
            f"{shown}, line {line}: it is neither JSON nor YAML ({error.problem}).",
            f"{shown}، السطر {line}: ليس JSON ولا YAML ({error.problem}).",
        ) from error
    except RecursionError as error:
        raise _too_deep(shown) from error
    except (yaml.YAMLError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ContractRefused(
            f"{shown} is neither JSON nor YAML ({said}).", f"{shown} ليس JSON ولا YAML ({said})."
        ) from error


def _too_deep(shown: str) -> ContractRefused:
    return ContractRefused(f"{shown} is nested too deeply.", f"تداخل {shown} أعمق من المسموح.")


def _plain(tree: Any, shown: str) -> Any:
    """A copy whose keys are text; aliases that multiply are met by the limit on nodes."""
    count = 0

    def copy(value: Any, level: int) -> Any:
        nonlocal count
        count += 1
        if count > _MOST_NODES or level > _DEEPEST:
            raise (
                _too_deep(shown)
                if level > _DEEPEST
                else ContractRefused(
                    f"{shown} has more than {_MOST_NODES} values.", f"في {shown} أكثر من {_MOST_NODES} قيمة."
                )
            )
        if isinstance(value, Mapping):
            return {str(key): copy(inner, level + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple | set):
            return [copy(inner, level + 1) for inner in value]
        if isinstance(value, dt.date | bytes):
            return str(value)
        return value

    return copy(tree, 0)


class Bundle:
    """The document, with those that it refers to below `x-documents`."""

    def __init__(self, source: Source, progress: Progress) -> None:
        """Raises ContractRefused."""
        self._source = source
        self._progress = progress
        self._names: dict[str, str] = {}
        self._extra: dict[str, Any] = {}
        self._lines: dict[str, tuple[str, Lines]] = {}
        self.shown = source.shown(source.start)
        content = source.read(source.start)
        progress(Words(f"Reading {self.shown} ({len(content) // 1024} KiB)", f"قراءة {self.shown}"))
        self._lines[""] = self.shown, Lines(content)
        tree = parse_document(content, self.shown)
        if not isinstance(tree, dict):
            raise ContractRefused(
                f"{self.shown} is not an OpenAPI document: it is no object.",
                f"{self.shown} ليس وثيقة OpenAPI: ليس كائناً.",
            )
        self.document: dict[str, Any] = self._linked(tree, source.start, content, "")
        if self._extra:
            self.document[EXTRA] = self._extra

    def place(self, steps: Sequence[str | int]) -> str:
        """`file:line` of what stands at these steps of the one document, or of the nearest thing around it."""
        inner = steps[0] == EXTRA and len(steps) > 1 if steps else False
        shown, lines = self._lines[str(steps[1]) if inner else ""]
        line = lines.of(steps[2:] if inner else steps)
        return shown if line is None else f"{shown}:{line}"

    def _linked(self, tree: Any, address: str, content: bytes, prefix: str, *, names: bool = False) -> Any:
        """With its references rewritten; `names`: its keys are names of somebody's choice, not words of OpenAPI."""
        if isinstance(tree, list):
            return [self._linked(item, address, content, prefix) for item in tree]
        if not isinstance(tree, dict):
            return tree
        result = {
            key: value
            if key in _INLINE and not names
            else self._linked(value, address, content, prefix, names=key in _NAMING and not names)
            for key, value in tree.items()
        }
        reference = result.get("$ref")
        if isinstance(reference, str):
            result["$ref"] = self._reference(reference, address, content, prefix)
        return result

    def _reference(self, reference: str, address: str, content: bytes, prefix: str) -> str:
        path, _, fragment = reference.partition("#")
        if not path:
            return f"#{prefix}{fragment}" if fragment.startswith("/") or not fragment else reference
        try:
            target = self._source.follow(address, path)
            name = self._document(target)
        except OutsideError as problem:
            line = content[: max(content.find(reference.encode()), 0)].count(b"\n") + 1
            shown = self._source.shown(address)
            raise ContractRefused(
                f"{shown}, line {line}: it refers to {reference[:200]}, {problem.en}.",
                f"{shown}، السطر {line}: يشير إلى {reference[:200]}، {problem.ar}.",
            ) from problem
        return f"#/{EXTRA}/{name}{fragment}" if name else f"#{fragment}"

    def _document(self, address: str) -> str:
        if address == self._source.start:
            return ""
        if address not in self._names:
            name = self._names[address] = f"d{len(self._names) + 1}"
            content = self._source.read(address)
            shown = self._source.shown(address)
            self._progress(Words(f"Reading {shown}", f"قراءة {shown}"))
            self._lines[name] = shown, Lines(content)
            self._extra[name] = {}  # while it is being read, so that a circle ends
            self._extra[name] = self._linked(parse_document(content, shown), address, content, f"/{EXTRA}/{name}")
        return self._names[address]
