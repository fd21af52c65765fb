"""What an institution's codes mean: the `codes.toml` of a connector package."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec import Struct

from connectors.kit.contract import Status
from connectors.kit.manifest import Manifest, ManifestError
from connectors.kit.manifest.places import line_of, read_toml
from mappings.codes import CodeTable

Raised = Literal["faulted", "throttled", "closed", "token_rejected"]


class Meaning(Struct, frozen=True, forbid_unknown_fields=True):
    """What one code means: a status (and the canonical code), or an error to raise."""

    status: Status | None = None
    code: str = ""
    error: Raised | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    codes: Mapping[str, Mapping[str, Meaning]] = {}
    faults: Mapping[str, Mapping[str, Meaning]] = {}
    tables: Mapping[str, Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class CodeBook:
    """The meanings of codes and faults per operation, and the connector's own code tables."""

    codes: Mapping[str, Mapping[str, Meaning]]
    faults: Mapping[str, Mapping[str, Meaning]]
    tables: Mapping[str, CodeTable]

    def code(self, operation: str, institution_code: str) -> Meaning | None:
        """What an answer's code means for that operation; None when it is not listed, which is never final."""
        return _look_up(self.codes, operation, institution_code)

    def fault(self, operation: str, institution_code: str) -> Meaning | None:
        """What a SOAP Fault's code means for that operation; None when it is not listed."""
        return _look_up(self.faults, operation, institution_code)

    def canonical_codes(self) -> frozenset[str]:
        """Every canonical code that an outcome of this connector may carry; the error catalogue has a row for each."""
        return frozenset(meaning.code for meaning in self._meanings() if meaning.code)

    def _meanings(self) -> Iterator[Meaning]:
        for table in (*self.codes.values(), *self.faults.values()):
            yield from table.values()


def _look_up(tables: Mapping[str, Mapping[str, Meaning]], operation: str, code: str) -> Meaning | None:
    return tables.get(operation, {}).get(code) or tables.get("*", {}).get(code)


def load_codebook(folder: Path, manifest: Manifest) -> CodeBook:
    """The `codes.toml` in `folder`. Raises ManifestError."""
    file = f"{folder.name}/codes.toml"
    read, text = read_toml(folder / "codes.toml", file, _File)
    try:
        _check_all(read, manifest, file)
        tables = {name: CodeTable.of(name, _rows(table)) for name, table in read.tables.items()}
    except ManifestError as error:
        raise ManifestError(file, error.key, error.problem, line_of(text, error.key)) from error
    except ValueError as error:
        raise ManifestError(file, "", str(error)) from error
    return CodeBook(read.codes, read.faults, tables)


def _check_all(read: _File, manifest: Manifest, file: str) -> None:
    for kind, by_operation in (("codes", read.codes), ("faults", read.faults)):
        for operation, meanings in by_operation.items():
            if operation not in {"*", *manifest.operations, *manifest.callbacks}:
                raise ManifestError(file, f"{kind}.{operation}", "the manifest has no such operation")
            for code, meaning in meanings.items():
                _check(meaning, file, f"{kind}.{operation}.{code}")


def _rows(table: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {value: {"code": code} for value, code in table.items()}


def _check(meaning: Meaning, file: str, key: str) -> None:
    if (meaning.status is None) == (meaning.error is None):
        raise ManifestError(file, key, "either a status or an error is expected")
    if meaning.status in {Status.REFUSED, Status.IN_DOUBT} and not meaning.code:
        raise ManifestError(file, key, f"{meaning.status} needs a canonical code")
