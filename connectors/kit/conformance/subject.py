"""The package that is examined: its folder, its declarations, its samples and its test persons."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from connectors.kit.conformance.case import Failure, Place
from connectors.kit.conformance.places import place_of
from connectors.kit.contract import Call, Operation, Ports
from connectors.kit.manifest import ManifestError, OAuth2, SettingError, TokenOperation
from connectors.kit.package import Package, load_package
from connectors.kit.sandbox.institution import Person, Persons, sandbox_settings
from connectors.kit.tokens import LocalTokens
from connectors.registry import open_connector
from mappings.sentences import arabic_of

#: The sample from which every live call of an operation is made.
SUCCEEDED = "succeeded"


def in_one_word(status: str, code: str) -> str:
    """An outcome in one word: `succeeded`, `refused:not_the_owner`, `pending:received`."""
    return status if status in ("succeeded", "absent") or not code else f"{status}:{code}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of samples/<operation>/<case>/."""

    operation: str
    case: str
    folder: Path

    def json(self, name: str) -> Any:
        """One of its JSON files. Raises Failure that names file and line."""
        file = self.folder / name
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise Failure(
                f"ينقص العينة {self.operation}/{self.case} الملف {name}؛ أضفه.",
                f"The sample {self.operation}/{self.case} lacks {name}; add it.",
                Place(file),
            ) from error
        except ValueError as error:
            raise Failure(
                f"الملف {name} في العينة {self.operation}/{self.case} ليس JSON صحيحاً: {error}",
                f"{name} of the sample {self.operation}/{self.case} is not JSON: {error}",
                Place(file, getattr(error, "lineno", None)),
            ) from error

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.folder / name).is_file()

    def call(self) -> Call:
        """The call that its canonical.json describes."""
        document = self.json("canonical.json")
        try:
            secrets = document.pop("secrets", {})
            return Call(document["operation_id"], document, secrets)
        except (AttributeError, KeyError, TypeError) as error:
            raise Failure(
                f"الملف canonical.json في العينة {self.operation}/{self.case} ليس وثيقة موحدة: ينقصه operation_id.",
                f"canonical.json of the sample {self.operation}/{self.case} is no canonical document: "
                "it lacks operation_id.",
                Place(self.folder / "canonical.json"),
            ) from error


@dataclass(frozen=True, slots=True)
class Subject:
    """One package under examination."""

    package: Package
    operations: Mapping[str, Operation]  #: Those that are called for their own sake: all but the token's.
    samples: tuple[Sample, ...]
    persons: tuple[Person, ...]
    catalogue: frozenset[str] | None = field(default=None, repr=False)  #: Codes of the error catalogue, where known.

    @property
    def name(self) -> str:
        """The package's name."""
        return self.package.name

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.package.folder

    @property
    def kind(self) -> str:
        """`soap` or `rest`."""
        return self.package.manifest.kind

    @property
    def token_path(self) -> str:
        """Where it fetches its token; empty when it has none."""
        match self.package.manifest.authentication:
            case TokenOperation(operation=name):
                return self.package.manifest.operations[name].method_and_path()[1]
            case OAuth2(token_path=path):
                return path
        return ""

    def samples_of(self, operation: str) -> list[Sample]:
        """The samples of one operation, in order."""
        return [sample for sample in self.samples if sample.operation == operation]

    @property
    def callback_samples(self) -> list[Sample]:
        """The samples of the messages that the institution sends by itself."""
        return [sample for sample in self.samples if sample.operation in self.package.manifest.callbacks]

    def sample(self, operation: str, case: str = SUCCEEDED) -> Sample:
        """One sample. Raises Failure when it is not there."""
        for sample in self.samples_of(operation):
            if sample.case == case:
                return sample
        folder = self.folder / "samples" / operation / case
        raise Failure(
            f"العملية {operation} بلا عينة {case}؛ أضف المجلد samples/{operation}/{case}‎ وفيه canonical.json "
            "والطلب والجواب وoutcome.json.",
            f"The operation {operation} has no sample {case}; add samples/{operation}/{case}/ with canonical.json, "
            "request, response and outcome.json.",
            Place(folder),
        )

    def good(self, operation: str) -> str:
        """What a call that goes well comes to, in one word: as the sample `succeeded` says, perhaps `pending`."""
        outcome = self.sample(operation).json("outcome.json")
        return in_one_word(str(outcome.get("status", "")), str(outcome.get("code", "")))

    def document(self, operation: str) -> dict[str, Any]:
        """The canonical document of the operation's sample `succeeded`, with an operation id of its own."""
        document = dict(self.sample(operation).call().document)
        document["operation_id"] = str(uuid4())
        return document

    def with_person(self, document: Mapping[str, Any], key: str) -> dict[str, Any]:
        """The document with a test person in it: by mobile number, or the applicant by national number."""
        number = key.replace("x", "0")
        if number.startswith("963"):
            mobile = {"mobile": f"+{number}"}
            return {**document, "payer": mobile, "applicant": {**document["applicant"], **mobile}}
        return {**document, "applicant": {**document["applicant"], "national_number": number}}

    def codes(self) -> Mapping[str, Any]:
        """codes.toml as it stands in the file."""
        return tomllib.loads((self.folder / "codes.toml").read_text(encoding="utf-8"))

    def at(self, file: str, key: str = "") -> Place:
        """A place in one of the package's files."""
        return place_of(self.folder / file, key)


def open_subject(folder: Path, *, catalogue: frozenset[str] | None = None) -> Subject:
    """The package in `folder`, opened once. Raises Failure that names file and line when it cannot be used."""
    folder = folder.resolve()
    try:
        package = load_package(folder)
        open_connector(package, Ports(sandbox_settings(folder, 9), LocalTokens(), lambda: datetime.now(UTC)))
    except ManifestError as error:
        raise unloadable(folder, error) from error
    except (OSError, SettingError) as error:
        raise Failure(
            f"لا تصلح إعدادات sandbox.toml: {arabic_of(error)}؛ ضع في [settings] كل إعداد يطلبه manifest.toml.",
            f"The settings of sandbox.toml do not fit: {error}; put every setting that manifest.toml asks for "
            "into [settings].",
            place_of(folder / "sandbox.toml", "settings"),
        ) from error
    operations = {
        name: declared.as_operation(name)
        for name, declared in package.manifest.operations.items()
        if declared.role != "token"
    }
    return Subject(package, operations, _samples(folder), _persons(folder), catalogue)


def unloadable(folder: Path, error: ManifestError) -> Failure:
    """The sentence for a package that cannot be loaded."""
    file = folder.parent / error.file
    place = Place(file, error.line) if error.line else place_of(file if file.exists() else folder, error.key)
    return Failure(f"لا يمكن تحميل الحزمة. {arabic_of(error)}", f"The package cannot be loaded. {error}", place)


def _samples(folder: Path) -> tuple[Sample, ...]:
    folders = sorted(path for path in (folder / "samples").glob("*/*") if path.is_dir())
    return tuple(Sample(path.parent.name, path.name, path) for path in folders)


def _persons(folder: Path) -> tuple[Person, ...]:
    file = folder / "persons.toml"
    if not file.is_file():
        return ()
    try:
        return Persons.load(file).listed
    except ManifestError as error:
        raise Failure(f"لا يصلح persons.toml. {arabic_of(error)}", str(error), Place(file, error.line)) from error
