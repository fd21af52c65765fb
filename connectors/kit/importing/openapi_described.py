"""One operation as an OpenAPI document has it, where its parts stand, and why one cannot be imported."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.sample_values.json_validity import resolve

Steps = tuple[str | int, ...]


class UnsupportedError(Exception):
    """Why an operation, or a part of it, is left out; completes "POST /x is left out: …"."""

    def __init__(self, en: str, ar: str, steps: Steps = ()) -> None:
        super().__init__(en)
        self.en = en
        self.ar = ar
        self.steps = steps  #: Where it stands in the document; empty: at the operation.


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as the document has it."""

    method: str
    path: str
    home: Steps  #: Where its path's item stands.
    operation: Mapping[str, Any]
    shared: Sequence[Any] = ()  #: The parameters of its path.

    @property
    def name(self) -> str:
        """As it is called in sentences."""
        return f"{self.method} {self.path}"

    def steps(self, *further: str | int) -> Steps:
        """Where a part of it stands."""
        return (*self.home, self.method.lower(), *further)

    def parameters(self) -> Iterator[tuple[Steps, Any]]:
        """Those of its path, then its own, which count for more; with where each stands."""
        for number, given in enumerate(self.shared):
            yield (*self.home, "parameters", number), given
        for number, given in enumerate(self.operation.get("parameters") or ()):
            yield self.steps("parameters", number), given


def resolved(document: Mapping[str, Any], tree: Any, steps: Steps = ()) -> Mapping[str, Any]:
    """What a part of the document means, over its references. Raises UnsupportedError and NoSample."""
    for _ in range(20):
        if not isinstance(tree, Mapping):
            break
        reference = tree.get("$ref")
        if not isinstance(reference, str):
            return tree
        tree = resolve(document, reference)
    raise UnsupportedError("a reference in it leads to nothing", "فيها مرجع لا يؤدي إلى شيء", steps)
