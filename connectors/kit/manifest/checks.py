"""What must be so between the parts of a manifest, beyond the form of each."""

from collections.abc import Iterator
from pathlib import Path

from connectors.kit.contract import Effect
from connectors.kit.manifest.authentication import (
    NEEDED_SETTINGS,
    ONLY_REST,
    ONLY_SOAP,
    RIVALS,
    ApiKey,
    MessageSignature,
    NoAuthentication,
    TokenOperation,
    X509Signature,
)
from connectors.kit.manifest.callbacks import DeclaredCallback
from connectors.kit.manifest.forms import NAME, OPERATION, READING_ROLES, DeclaredOperation, Manifest
from connectors.kit.manifest.settings import Setting
from connectors.kit.manifest.statement_checks import statement_problems
from connectors.kit.paths import PathEscapes, inside
from mappings.expression import Expression
from mappings.functions import MappingFunctions
from mappings.money import denominations

Problem = tuple[str, str]  #: Key and problem.


def problems(manifest: Manifest, folder: Path) -> Iterator[Problem]:
    """Everything that is wrong, in the order of the file."""
    if manifest.name != folder.name or not NAME.fullmatch(manifest.name):
        yield "name", f"it is the folder's name, {folder.name}, in lower case letters, digits and underscores"
    yield from _settings(manifest)
    yield from _authentication(manifest)
    yield from _wire(manifest, folder)
    if not manifest.operations:
        yield "operations", "a connector has at least one operation"
    for name, operation in manifest.operations.items():
        for key, problem in _operation(manifest, name, operation):
            yield f"operations.{name}.{key}", problem
    yield from _beside(manifest)
    if manifest.hours is not None:
        try:
            manifest.hours.opening_hours()
        except ValueError as error:
            yield ("hours.zone" if "zone" in str(error) else "hours.week"), str(error)


def _beside(manifest: Manifest) -> Iterator[Problem]:
    """Of what the institution says by itself: callbacks and statements."""
    for name, callback in manifest.callbacks.items():
        for key, problem in _callback(manifest, name, callback):
            yield f"callbacks.{name}{key}", problem
    for name, statement in manifest.statements.items():
        for key, problem in statement_problems(manifest, name, statement):
            yield f"statements.{name}{key}", problem


def _settings(manifest: Manifest) -> Iterator[Problem]:
    if "base_url" not in manifest.settings or manifest.settings["base_url"].type != "url":
        yield "settings.base_url", "every connector has this setting, of type url"
    for name, setting in manifest.settings.items():
        if setting.secret and setting.default is not None:
            yield f"settings.{name}.default", "a secret has no default: a package is no place for it"
        if setting.optional and setting.default is not None:
            yield f"settings.{name}.optional", "a setting with a default need not be optional"
        if setting.default is not None:
            try:
                setting.checked(name, setting.default)
            except ValueError as error:
                yield f"settings.{name}.default", str(error)
    trust = manifest.http.trust
    if trust and not _is(manifest.settings.get(trust), "pem"):
        yield "http.trust", f"it names a setting of type pem, and {trust} is none"


def _is(setting: Setting | None, kind: str) -> bool:
    return setting is not None and setting.type == kind


def _authentication(manifest: Manifest) -> Iterator[Problem]:
    proofs = manifest.proofs
    kinds = [type(proof) for proof in proofs]
    if not proofs or len(set(kinds)) != len(kinds) or (NoAuthentication in kinds and len(kinds) > 1):
        yield "authentication", "each kind stands at most once, and none stands alone"
    for row in RIVALS:
        if len(set(row) & set(kinds)) > 1:
            yield "authentication", f"{' and '.join(_tag(kind) for kind in row)} cannot be combined"
    for kind in kinds:
        yield from _kind(manifest, kind)
    for proof in proofs:
        if isinstance(proof, ApiKey) and proof.query and proof.header != "X-API-Key":
            yield "authentication.query", "the key stands in a header or in the query, not in both"
        if isinstance(proof, MessageSignature):
            yield from _signature(manifest, proof)
        verifies = isinstance(proof, X509Signature) and proof.verify_answers
        if verifies and not _is(manifest.settings.get("institution_certificate"), "pem"):
            yield "settings.institution_certificate", "verify_answers needs this setting, of type pem"
    wanted = {proof.operation for proof in proofs if isinstance(proof, TokenOperation)}
    if {name for name, operation in manifest.operations.items() if operation.role == "token"} != wanted:
        yield "authentication.operation", "kind token_operation names the one operation with role token"


def _kind(manifest: Manifest, kind: type) -> Iterator[Problem]:
    if kind in ONLY_SOAP and manifest.kind != "soap":
        yield "authentication.kind", f"{_tag(kind)} is for connectors of kind soap"
    if kind in ONLY_REST and manifest.kind != "rest":
        yield "authentication.kind", "tokens are for connectors of kind rest"
    yield from _needed_settings(manifest, kind)


def _needed_settings(manifest: Manifest, kind: type) -> Iterator[Problem]:
    for name, (wanted, secret) in NEEDED_SETTINGS.get(kind, {}).items():
        setting = manifest.settings.get(name)
        if setting is None:
            yield f"settings.{name}", f"the kind of authentication, {_tag(kind)}, needs this setting"
        elif setting.type != wanted or setting.optional:
            yield f"settings.{name}.type", f"{_tag(kind)} needs it of type {wanted}, and not optional"
        elif secret and not setting.secret:
            yield f"settings.{name}.secret", "it is a secret: write secret = true"


def _signature(manifest: Manifest, proof: MessageSignature) -> Iterator[Problem]:
    if not {"body", "body_sha256"} & set(proof.signed):
        yield "authentication.signed", "the signature covers the body: body or body_sha256 is among the parts"
    if (proof.key_id_header or "key_id" in proof.signed) and not _is(manifest.settings.get("key_id"), "text"):
        yield "settings.key_id", "the signature needs this setting, of type text"


def _tag(kind: type) -> str:
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]  # every kind is a tagged Struct


def _wire(manifest: Manifest, folder: Path) -> Iterator[Problem]:
    if (manifest.kind == "soap") != (manifest.soap is not None):
        yield "soap", "this table stands in the manifests of kind soap, and only there"
    if manifest.rest is not None and manifest.kind != "rest":
        yield "rest", "this table stands in the manifests of kind rest, and only there"
    for key, relative in (
        ("soap.wsdl", manifest.soap.wsdl if manifest.soap else ""),
        ("rest.openapi", manifest.rest.openapi if manifest.rest else ""),
    ):
        try:
            if relative and not inside(folder, relative).is_file():
                yield key, f"there is no file {relative} in the package"
        except PathEscapes as error:
            yield key, str(error)


def _operation(manifest: Manifest, name: str, operation: DeclaredOperation) -> Iterator[Problem]:
    if not OPERATION.fullmatch(name):
        yield "name", "an operation's name has lower case letters, digits and hyphens"
    inquiry = manifest.operations.get(operation.inquire) if operation.inquire else None
    if operation.effect is Effect.INQUIRABLE and operation.inquire is None:
        yield "inquire", "an inquirable operation names the operation that inquires"
    if operation.inquire is not None and (inquiry is None or inquiry.role not in {"inquire", "inquire_refund"}):
        yield "inquire", f"there is no operation {operation.inquire} with role inquire"
    yield from _pays_in(operation)
    reads = operation.role in READING_ROLES
    if reads and operation.effect is not Effect.SAFE:
        yield "effect", f"an operation with role {operation.role} only reads, so its effect is safe"
    if not reads and operation.effect is Effect.SAFE:
        yield "effect", f"an operation with role {operation.role} changes something, so its effect is not safe"
    if operation.hours == "always" and manifest.hours is None:
        yield "hours", "the manifest has no table hours, so every operation always works"
    yield from _operation_on_the_wire(manifest, operation)


def _operation_on_the_wire(manifest: Manifest, operation: DeclaredOperation) -> Iterator[Problem]:
    if operation.mtom is not None and manifest.kind != "soap":
        yield "mtom", "only messages of connectors of kind soap go as MTOM"
    if operation.mtom and manifest.signs_requests:
        yield "mtom", "a signature covers the whole message, so its attachments cannot go beside it: leave mtom out"
    if operation.lists and manifest.kind != "rest":
        yield "lists", "lists are for connectors of kind rest"
    if manifest.kind == "rest":
        try:
            operation.method_and_path()
        except ValueError as error:
            yield "wire", str(error)


def _pays_in(operation: DeclaredOperation) -> Iterator[Problem]:
    if operation.pays_in is None:
        return
    if operation.role != "initiate":
        yield "pays_in", "only an operation with role initiate takes an amount from a payer"
    if operation.pays_in.denomination not in denominations():
        yield "pays_in.denomination", f"there is no such denomination; there are {', '.join(denominations())}"


def _callback(manifest: Manifest, name: str, callback: DeclaredCallback) -> Iterator[Problem]:
    if not OPERATION.fullmatch(name) or name in manifest.operations:
        yield "", "a callback's name has lower case letters, digits and hyphens, and no operation has it"
    try:
        Expression(callback.operation_id, MappingFunctions({}))
    except ValueError as error:
        yield ".operation_id", str(error)
    signature = callback.signature
    if signature is None:
        return
    setting = manifest.settings.get(signature.key)
    if setting is None or setting.type != "text" or not setting.secret:
        yield ".signature.key", f"it names a secret setting of type text, and {signature.key} is none"
    if not {"body", "body_sha256"} & set(signature.signed):
        yield ".signature.signed", "the signature covers the body: body or body_sha256 is among the parts"
