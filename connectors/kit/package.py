"""A connector package in memory: manifest, codes and mapping documents, checked against one another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.codebook import CodeBook, load_codebook
from connectors.kit.contract import Status
from connectors.kit.hooks import HOOKS_FILE
from connectors.kit.manifest import DeclaredOperation, Manifest, ManifestError, Setting, load_manifest
from connectors.kit.paths import links_that_escape
from connectors.kit.rest import path_places
from mappings.documents import Place, place_of
from mappings.errors import MappingError
from mappings.language import Compiler, Template, read_document

REQUEST_KEYS = {"rest": {"path", "query", "headers", "body"}, "soap": {"header", "body"}}
ANSWER_KEYS = {
    "code",
    "message",
    "reference",
    "next_inquiry_seconds",
    "data",
    "documents",
    "same",
    "document_required",
    "next_action",
    "quote",
}
TOKEN_KEYS = {"code", "message", "token", "expires_in_seconds"}


@dataclass(frozen=True, slots=True)
class OperationMapping:
    """The mapping document of one operation."""

    file: str
    request: Template  #: Gives the sections `path`, `query`, `headers`, `body`.
    answer: Template  #: Gives code, message, reference, data, documents, next_inquiry_seconds, token …
    same: tuple[tuple[Template, Template], ...]
    document_required: frozenset[Status]


@dataclass(frozen=True, slots=True)
class Package:
    """One checked package."""

    name: str
    folder: Path
    manifest: Manifest
    codes: CodeBook
    mappings: Mapping[str, OperationMapping]
    callbacks: Mapping[str, OperationMapping]

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings that the connector needs; `manifest.checked_settings` checks values."""
        return self.manifest.settings


def load_package(folder: Path, *, hooks: bool = False) -> Package:
    """The package in `folder`; its WSDL is read when it is opened. Raises ManifestError with file and key.

    `hooks` says that it may have Python of its own, because it comes with the program.
    """
    if not hooks and (folder / HOOKS_FILE).exists():
        file = f"{folder.name}/{HOOKS_FILE}"
        raise ManifestError(file, "", "a package outside the program is data and has no Python of its own")
    for link in links_that_escape(folder):
        raise ManifestError(f"{folder.name}/{link}", "", "the link leads out of the package's folder")
    manifest = load_manifest(folder)
    codes = load_codebook(folder, manifest)
    try:
        mappings, callbacks = _mappings(folder, manifest, codes)
    except MappingError as error:
        raise ManifestError(error.file, error.key, error.problem, error.line or None) from error
    return Package(manifest.name, folder, manifest, codes, mappings, callbacks)


def _mappings(
    folder: Path, manifest: Manifest, codes: CodeBook
) -> tuple[dict[str, OperationMapping], dict[str, OperationMapping]]:
    parts_file = folder / "mapping" / "_parts.yaml"
    parts = read_document(parts_file, f"{folder.name}/mapping/_parts.yaml") if parts_file.exists() else {}
    compiler = Compiler(codes.tables, parts)
    for file in sorted((folder / "mapping").glob("*.yaml")):
        if file.stem.removesuffix(".cases") not in {"_parts", *manifest.operations, *manifest.callbacks}:
            raise ManifestError(f"{folder.name}/mapping/{file.name}", "", "the manifest has no such operation")
    operations = {
        name: _operation(folder, manifest, name, operation, compiler) for name, operation in manifest.operations.items()
    }
    return operations, {name: _callback(folder, name, compiler) for name in manifest.callbacks}


def _operation(
    folder: Path, manifest: Manifest, name: str, operation: DeclaredOperation, compiler: Compiler
) -> OperationMapping:
    file = f"{folder.name}/mapping/{name}.yaml"
    tree = read_document(folder / "mapping" / f"{name}.yaml", file)
    _known(tree, {"request", "answer"}, file, "")
    request = compiler.with_parts(tree.get("request", {}), file, "request")
    _known(request, REQUEST_KEYS[manifest.kind], file, "request.")
    if manifest.kind == "rest":
        _check_places(operation, request, file)
    return _with_answer(tree, request, TOKEN_KEYS if operation.role == "token" else ANSWER_KEYS, file, compiler)


def _callback(folder: Path, name: str, compiler: Compiler) -> OperationMapping:
    file = f"{folder.name}/mapping/{name}.yaml"
    tree = read_document(folder / "mapping" / f"{name}.yaml", file)
    _known(tree, {"answer"}, file, "")
    return _with_answer(tree, {}, ANSWER_KEYS, file, compiler)


def _with_answer(
    tree: Mapping[str, Any], request: Any, keys: set[str], file: str, compiler: Compiler
) -> OperationMapping:
    answer = compiler.with_parts(tree.get("answer"), file, "answer")
    _known(answer, keys, file, "answer.")
    if "code" not in answer:
        line = place_of(tree, "answer", Place(file, 0)).line
        raise MappingError(file, "answer.code", "the expression for the institution's code is missing", line)
    same = answer.pop("same", [])
    required = answer.pop("document_required", [])
    return OperationMapping(
        file,
        compiler.template(request, file, "request"),
        compiler.template(answer, file, "answer"),
        _pairs(same, file, compiler),
        _statuses(required, file),
    )


def _known(tree: Mapping[str, Any], keys: set[str], file: str, prefix: str) -> None:
    for key in tree:
        if key not in keys:
            here = place_of(tree, key, Place(file, 0))
            known = ", ".join(sorted(keys))
            raise MappingError(here.file, f"{prefix}{key}", f"unknown key (known: {known})", here.line)


def _check_places(operation: DeclaredOperation, request: Mapping[str, Any], file: str) -> None:
    wanted, given = path_places(operation.method_and_path()[1]), set(request.get("path") or {})
    if wanted != given:
        line = place_of(request, "path", Place(file, 0)).line
        names = ", ".join(sorted(wanted)) or "none"
        raise MappingError(file, "request.path", f"it fills the braces of the wire: {names}", line)


def _pairs(same: Any, file: str, compiler: Compiler) -> tuple[tuple[Template, Template], ...]:
    if not isinstance(same, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in same):
        raise MappingError(file, "answer.same", "a list of pairs of expressions is expected")
    return tuple(
        (compiler.template(left, file, f"answer.same[{n}][0]"), compiler.template(right, file, f"answer.same[{n}][1]"))
        for n, (left, right) in enumerate(same)
    )


def _statuses(required: Any, file: str) -> frozenset[Status]:
    try:
        return frozenset(Status(name) for name in required)
    except (TypeError, ValueError) as error:
        raise MappingError(file, "answer.document_required", "a list of statuses is expected") from error
