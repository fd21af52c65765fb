"""The content of an upload that a connector hands on as it is."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that stand elsewhere: they are read piece by piece while they are sent, and are never in memory whole."""

    size: int
    sha256: str  #: In hex; whoever made this has held the bytes against it.
    pieces: Callable[[], AsyncIterator[bytes]]  #: From the beginning, each time it is called.
