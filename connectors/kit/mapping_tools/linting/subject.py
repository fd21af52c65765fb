"""What the rules look at: the package, its mapping documents, and the fields of its contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.kit.importing.fields import Field
from connectors.kit.importing.openapi_import import draft_openapi
from connectors.kit.importing.refusal import ContractRefused, Report
from connectors.kit.importing.wsdl_import import draft_wsdl
from connectors.kit.mapping_tools.linting.finding import Finding
from connectors.kit.mapping_tools.workbench import Workbench
from mappings.documents import Place
from mappings.reading import Leaf, leaves


@dataclass(frozen=True, slots=True)
class Contract:
    """The fields of one operation as the contract has them."""

    sections: Mapping[str, Field]
    answer: Field


@dataclass(frozen=True, slots=True)
class Subject:
    """One package under the rules."""

    bench: Workbench
    parts: Mapping[str, Any]
    documents: Mapping[str, Mapping[str, Any]]  #: Operation (or callback) -> its mapping document.
    contracts: Mapping[str, Contract]  #: Of the operations that the contract describes; empty without a contract.
    notes: tuple[Finding, ...]  #: What kept the contract from being read.
    catalogue: frozenset[str] | None  #: Codes of the error catalogue, where known.

    def file(self, operation: str) -> Place:
        """The mapping document of an operation."""
        return Place(f"{self.bench.folder.name}/mapping/{operation}.yaml", 0)

    def leaves(self, operation: str, section: str) -> Iterator[Leaf]:
        """The expressions of a section, their keys below it."""
        tree = self.documents[operation].get(section)
        found = leaves(tree if tree is not None else {}, self.parts, self.file(operation))
        return (leaf for leaf in found if leaf.key[:1] != ("document_required",))  # statuses, no expressions

    def every_leaf(self) -> Iterator[Leaf]:
        """The expressions of all sections."""
        for operation in self.documents:
            for section in ("request", "answer"):
                yield from self.leaves(operation, section)


def subject_of(bench: Workbench, catalogue: frozenset[str] | None) -> Subject:
    """The subject of a package. Raises MappingError."""
    names = [*bench.operations, *bench.package.manifest.callbacks]
    contracts, notes = _contracts(bench)
    return Subject(bench, bench.tree("_parts"), {name: bench.tree(name) for name in names}, contracts, notes, catalogue)


def _contracts(bench: Workbench) -> tuple[dict[str, Contract], tuple[Finding, ...]]:
    manifest, folder = bench.package.manifest, bench.folder
    try:
        if manifest.soap is not None:
            drafted = draft_wsdl(folder.name, str(folder / manifest.soap.wsdl), Report(), port=manifest.soap.port)
        elif manifest.rest is not None and manifest.rest.openapi:
            drafted = draft_openapi(folder.name, str(folder / manifest.rest.openapi), Report())
        else:
            return {}, ()
    except ContractRefused as error:
        place = Place(f"{folder.name}/manifest.toml", 0)
        ar, en = f"لا يُقرأ العقد: {error}", f"The contract cannot be read: {error}"
        return {}, (Finding("contract", "doubtful", place, manifest.kind, ar, en),)
    by_wire = {draft.wire: Contract(draft.sections, draft.answer) for draft in drafted.drafts}
    operations = manifest.operations.items()
    return {name: by_wire[declared.wire] for name, declared in operations if declared.wire in by_wire}, ()
