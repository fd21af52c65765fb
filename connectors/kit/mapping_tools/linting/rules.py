"""All rules, in the order in which an author reads them."""

from connectors.kit.mapping_tools.linting.books import books
from connectors.kit.mapping_tools.linting.finding import Finding
from connectors.kit.mapping_tools.linting.reads import reads
from connectors.kit.mapping_tools.linting.requests import requests
from connectors.kit.mapping_tools.linting.subject import subject_of
from connectors.kit.mapping_tools.linting.values import values
from connectors.kit.mapping_tools.workbench import Workbench


def lint(bench: Workbench, catalogue: frozenset[str] | None = None) -> list[Finding]:
    """What is wrong or doubtful, without repeats (a part is used by several operations). Raises MappingError."""
    subject = subject_of(bench, catalogue)
    found = [*subject.notes]
    for rule in (requests, reads, values, books):
        found += rule(subject)
    first = {(one.rule, one.place, one.key.rpartition(".")[2], one.en): one for one in reversed(found)}
    return sorted(first.values(), key=lambda finding: (finding.severity != "wrong", finding.place, finding.key))
