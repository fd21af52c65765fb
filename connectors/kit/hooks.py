"""Python of a package, for what data cannot say: the exception, and only for packages that come with the program.

A package's `hooks.py` has a class `Hooks(PackageHooks)`; it is made once per opened connector. It computes and does
nothing else: no network, no files, no clock. Every other rule of the connector stays in manifest, mapping and codes.
"""

import importlib.util
from pathlib import Path
from typing import Protocol

from connectors.kit.http import HttpRequest
from connectors.kit.manifest import ManifestError

__all__ = ["HOOKS_FILE", "Hooks", "HttpRequest", "PackageHooks", "load_hooks"]

HOOKS_FILE = "hooks.py"


class Hooks(Protocol):
    """The points at which a package's own code is asked."""

    def before_send(self, operation: str, request: HttpRequest) -> HttpRequest:
        """The request as it is sent; what proves the sender (headers, signatures) is added to what this gives.

        `request.evidence` is what is kept of it, with secrets masked; who changes the body keeps it true. Whatever is
        raised ends the call as MappingFailed: nothing was sent.
        """

    def after_receive(self, operation: str, answer: bytes) -> bytes:
        """The body of the answer as it is read; evidence keeps the bytes that came.

        Whatever is raised ends the call as Unreadable. It must refuse what it does not understand: an answer that
        becomes readable by guessing may end an act that is not done.
        """


class PackageHooks:
    """Changes nothing; packages override what they need."""

    def before_send(self, operation: str, request: HttpRequest) -> HttpRequest:  # noqa: ARG002  # for those who override
        """See Hooks."""
        return request

    def after_receive(self, operation: str, answer: bytes) -> bytes:  # noqa: ARG002  # for those who override
        """See Hooks."""
        return answer


def load_hooks(folder: Path) -> Hooks | None:
    """The package's own hooks; None when it has none. Raises ManifestError with what is wrong in the file."""
    path, file = folder / HOOKS_FILE, f"{folder.name}/{HOOKS_FILE}"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"connectors_{folder.name}_hooks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ManifestError(file, "", f"it cannot be loaded ({type(error).__name__}: {error})") from error
    made = getattr(module, "Hooks", None)
    if not isinstance(made, type) or not issubclass(made, PackageHooks):
        raise ManifestError(file, "Hooks", "the file has a class Hooks(PackageHooks)")
    return made()
