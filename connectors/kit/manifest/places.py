"""Finds the line of a key in a TOML file, and turns msgspec's refusals into sentences that name file, line and key."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from connectors.kit.manifest.choices import allowed_values, known_keys
from connectors.kit.manifest.errors import ManifestError

T = TypeVar("T")

_MAX_BYTES = 256 * 1024  #: A table that people write is never larger.
_HEADER = re.compile(r"\s*\[\[?\s*(?P<key>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_PAIR = re.compile(
    r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_STEP = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def read_toml(path: Path, file: str, form: type[T]) -> tuple[T, str]:
    """The file in its form, and its text. Raises ManifestError with line and key; `file` is how people call it."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ManifestError(file, "", f"it is larger than {_MAX_BYTES // 1024} KiB")
        text = path.read_text("utf-8")
        tree = tomllib.loads(text)
    except OSError as error:
        raise ManifestError(file, "", f"it cannot be read: {(error.strerror or 'unknown').lower()}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(file, "", "it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, str(error), text) from error
    except RecursionError as error:
        raise ManifestError(file, "", "it is nested too deeply") from error
    try:
        return msgspec.convert(tree, form), text
    except msgspec.ValidationError as error:
        key, problem = _explained(str(error), tree, form)
        raise ManifestError(file, key, problem, line_of(text, key)) from error


def line_of(text: str, key: str) -> int | None:
    """The line of the key, else that of the nearest table around it or of its first neighbour, else the first line.

    None for no key."""
    wanted = tuple(_plain(key))
    best, line = 0, 1 if wanted else None
    beside = 0
    for number, path in _lines(text):
        shared = 0
        while shared < min(len(path), len(wanted)) and path[shared] == wanted[shared]:
            shared += 1
        if shared == len(path) and shared > best:
            best, line = shared, number
        elif shared > max(best, beside):
            beside, line = shared, number
    return line


def placed(error: ManifestError, folder: Path) -> ManifestError:
    """The same error with its line, when it is about a key of one of the package's TOML files and has none yet."""
    file = folder / error.file.partition("/")[2]
    if error.line is not None or not error.key or file.suffix != ".toml" or not file.is_file():
        return error
    return ManifestError(error.file, error.key, error.problem, line_of(file.read_text("utf-8"), error.key))


def _not_toml(file: str, message: str, text: str) -> ManifestError:
    match = _AT_LINE.search(message)
    said = _AT_LINE.sub("", message).removesuffix(" (at end of document)")
    line = int(match[1]) if match else len(text.splitlines()) or 1
    return ManifestError(file, "", f"not TOML: {said[:1].lower()}{said[1:]}", line)


def _plain(key: str) -> list[str]:
    return list(_steps(key)) if '"' in key else key.replace("[", ".").replace("]", "").split(".") if key else []


def _steps(key: str) -> Iterator[str]:
    for match in _STEP.finditer(key):
        yield next(group for group in match.groups() if group is not None)


def _lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line numbers with the paths of the tables and keys that begin there; list items count from 0."""
    table: tuple[str, ...] = ()
    items: dict[tuple[str, ...], int] = {}
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if (header := _HEADER.fullmatch(line)) and not _PAIR.match(line):
            table = tuple(_steps(header["key"]))
            if line.lstrip().startswith("[["):
                items[table] = items.get(table, -1) + 1
                if items[table] == 0:
                    yield number, table
            table = _within_items(table, items)
            yield number, table
        elif pair := _PAIR.match(line):
            yield number, (*table, *_steps(pair["key"]))
            closing = next((mark for mark in ('"""', "'''") if line.count(mark) == 1), "")


def _within_items(table: tuple[str, ...], items: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    result: list[str] = []
    for length in range(1, len(table) + 1):
        result.append(table[length - 1])
        if table[:length] in items:
            result.append(str(items[table[:length]]))
    return tuple(result)


def _explained(message: str, tree: Any, form: type[Any]) -> tuple[str, str]:
    """The key and the problem of msgspec's message, with the names of the tables that it leaves out."""
    problem, _, path = message.partition(" - at `$")
    key = _named(path.strip("`.").removeprefix("."), message, tree, form)
    if match := _UNKNOWN.fullmatch(problem):
        return _joined(key, match[1]), f"unknown key{_listed('known', known_keys(form, tuple(_plain(key))))}"
    if match := _MISSING.fullmatch(problem):
        return _joined(key, match[1]), "the key is missing"
    allowed = _listed("allowed", allowed_values(form, tuple(_plain(key)))) if problem.startswith("Invalid enum") else ""
    return key, f"{problem[:1].lower()}{problem[1:]}{allowed}"


def _listed(word: str, names: Sequence[str]) -> str:
    return f" ({word}: {', '.join(names)})" if names else ""


def _joined(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key


def _named(path: str, message: str, tree: Any, form: type[Any]) -> str:
    """`operations[...].effect` with the operation's name: each is tried alone until one is refused alike."""
    before, mark, after = path.partition("[...]")
    if not mark:
        return path
    steps = list(_steps(before.replace("[", ".").replace("]", "")))
    for name in _at(tree, steps):
        alone = _only(tree, steps, name)
        try:
            msgspec.convert(alone, form)
        except msgspec.ValidationError as error:
            if str(error) == message:
                word = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
                return _named(f"{before}.{word}{after}", message, alone, form)
    return path


def _at(tree: Any, steps: list[str]) -> Mapping[str, Any]:
    for step in steps:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    return tree if isinstance(tree, dict) else {}


def _only(tree: Any, steps: list[str], name: str) -> Any:
    """A copy in which the table at `steps` has only this key."""
    if not steps:
        return {name: tree[name]}
    if isinstance(tree, list):
        index = int(steps[0])
        return [*tree[:index], _only(tree[index], steps[1:], name), *tree[index + 1 :]]
    return {**tree, steps[0]: _only(tree[steps[0]], steps[1:], name)}
