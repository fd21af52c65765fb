"""Mapping documents to start from: every field with its type, cardinality and documentation as a comment beside it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.kit.importing.fields import Field
from connectors.kit.importing.hints import hint

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_EXPRESSION = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_WORDS_OF_YAML = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_NOTE_LETTERS = 300
_ONE_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")


@dataclass(slots=True)
class AnswerExpressions:
    """The expressions of an answer that were guessed."""

    code: str
    code_note: str
    message: str = ""
    reference: str = ""
    data: list[str] = field(default_factory=list)  #: Lines below `data:`.
    documents: list[str] = field(default_factory=list)  #: Lines below `documents:`.


@dataclass(frozen=True, slots=True)
class Scope:
    """What is written out: all fields, or only those that the sample has."""

    seen: set[int]
    everything: bool
    inquiry: bool = False  #: The operation asks about an earlier act.

    def wants(self, one: Field) -> bool:
        """Whether the field gets a line of its own."""
        return self.everything or id(one) in self.seen


def request_lines(sections: Mapping[str, Field], scope: Scope, note: str) -> list[str]:
    """The `request:` part; `sections` are path, query, headers and body."""
    lines = [f"# {note}"] if note else []
    lines.append("request:")
    written = False
    for name, root in sections.items():
        if root.whole:
            lines.append(f"  {name}: {text(path('input', root.name) if root.name else 'input')}  # {comment(root)}")
            written = True
            continue
        inner = _children(root, path("input", root.name) if root.name else "input", "    ", scope)
        if any(not line.lstrip().startswith("#") for line in inner):
            lines += [f"  {name}:", *inner]
            written = True
        else:
            lines += inner
    if not written:
        lines.append("  body: {}")
    return lines


def _children(parent: Field, base: str, indent: str, scope: Scope) -> list[str]:
    lines: list[str] = []
    hidden = 0
    for child in parent.children:
        if not scope.wants(child):
            hidden += 1
            continue
        lines += _field(child, path(base, child.name), indent, scope)
    if hidden:
        lines.append(f"{indent}# … and {hidden} optional fields more: see the contract")
    return lines


def _field(one: Field, source: str, indent: str, scope: Scope) -> list[str]:
    key, note = yaml_key(one.key), comment(one)
    if one.source:
        return [f"{indent}{key}: {text(one.source)}  # {note}"]
    if one.whole or not one.children:
        of_a_list = source.startswith("item.")  # a child's name is not the applicant's
        suggestion = "" if of_a_list else hint(one, inquiry=scope.inquiry)
        perhaps = f" (perhaps {suggestion})" if suggestion else ""
        return [f"{indent}{key}: {text(source)}  # {note}{perhaps}"]
    if one.repeats:
        inner = _children(one, "item", f"{indent}    ", scope)
        return [f"{indent}{key}:  # {note}", f"{indent}  $each: {text(source)}", f"{indent}  $item:", *inner]
    return [f"{indent}{key}:  # {note}", *_children(one, source, f"{indent}  ", scope)]


def data_lines(
    root: Field, scope: Scope, skip: Iterable[Field], indent: str = "    ", base: str = "answer"
) -> list[str]:
    """The lines below `data:`: every field of an answer under its canonical name."""
    skipped = {id(one) for one in skip}
    lines: list[str] = []
    for child in root.children:
        if not scope.wants(child) or id(child) in skipped or child.form in {"bytes", "any"}:
            continue
        lines += _datum(child, path(base, child.key), indent, scope, skip)
    return lines


def _datum(one: Field, source: str, indent: str, scope: Scope, skip: Iterable[Field]) -> list[str]:
    key, note = yaml_key(one.name), comment(one)
    if one.whole:
        return [f"{indent}# {key}: {source}  ({note})"]
    if not one.children:
        return [f"{indent}{key}: {text(source)}  # {note}"]
    if one.repeats:
        inner = data_lines(one, scope, skip, f"{indent}    ", "item")
        return (
            [f"{indent}{key}:  # {note}", f"{indent}  $each: {text(source)}", f"{indent}  $item:", *inner]
            if inner
            else []
        )
    inner = data_lines(one, scope, skip, f"{indent}  ", source)
    return [f"{indent}{key}:  # {note}", *inner] if inner else []


def document_lines(root: Field, scope: Scope) -> list[str]:
    """The lines below `documents:`: one for each single field with bytes."""
    lines: list[str] = []
    for source, one in _binaries(root, "answer", scope):
        lines += [
            f"    - $when: {text(source)}  # {comment(one)}",
            f"      name: {text(repr(one.name))}",
            f"      media_type: {text(repr(_media_type(one)))}",
            f"      content: {text(source)}",
        ]
    return lines


def _media_type(one: Field) -> str:
    return one.media if _ONE_TYPE.fullmatch(one.media) else "application/octet-stream"


def _binaries(root: Field, base: str, scope: Scope) -> Iterable[tuple[str, Field]]:
    for child in root.children:
        if child.repeats or child.whole or not scope.wants(child):
            continue
        source = path(base, child.key)
        if child.form == "bytes":
            yield source, child
        yield from _binaries(child, source, scope)


def answer_lines(made: AnswerExpressions) -> list[str]:
    """The `answer:` part."""
    lines = ["answer:", f"  code: {text(made.code)}  # {made.code_note}"]
    lines += [f"  message: {text(made.message)}"] if made.message else []
    lines += [f"  reference: {text(made.reference)}"] if made.reference else []
    lines += ["  data:", *made.data] if any(not line.lstrip().startswith("#") for line in made.data) else made.data
    return lines + (["  documents:", *made.documents] if made.documents else [])


def path(base: str, key: str) -> str:
    """A JMESPath step."""
    return f"{base}.{key}" if _PLAIN.fullmatch(key) else f"{base}.{json.dumps(key, ensure_ascii=False)}"


def text(expression: str) -> str:
    """An expression as a YAML leaf."""
    plain = _PLAIN_EXPRESSION.fullmatch(expression) and expression.lower() not in _WORDS_OF_YAML
    return expression if plain else json.dumps(expression, ensure_ascii=False)


def yaml_key(key: str) -> str:
    """A key as YAML writes it."""
    plain = _PLAIN.fullmatch(key) and key.lower() not in _WORDS_OF_YAML
    return key if plain else json.dumps(key, ensure_ascii=False)


def comment(one: Field) -> str:
    """What stands behind the hash: one line of printable text."""
    return "".join(letter if letter.isprintable() else " " for letter in one.note)[:_NOTE_LETTERS]
