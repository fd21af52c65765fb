"""Binary content that is taken out of a message while it is written, to be sent beside it.

Its place holds a mark that is valid base64, so that the schema can judge the message as it stands.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mappings.upload import Upload

Content = bytes | Upload


class Taken:
    """What was taken out of one message, in order."""

    def __init__(self) -> None:
        self.contents: list[Content] = []
        self._mark = secrets.token_hex(8)
        #: The marks, with the number of their content.
        self.marks = re.compile(f"{self._mark}([0-9]{{8}})".encode())

    def place(self, content: Any) -> str:
        """Take this content; the mark that stands in its place. Raises ValueError."""
        if isinstance(content, bytearray | memoryview):
            content = bytes(content)
        if not isinstance(content, bytes | Upload):
            raise ValueError("binary content is expected")  # noqa: TRY004  # a mapping's fault
        self.contents.append(content)
        return f"{self._mark}{len(self.contents) - 1:08d}"


#: The message that is being written, where its content is taken out.
TAKING: ContextVar[Taken | None] = ContextVar("taking", default=None)


@contextmanager
def taking_out() -> Iterator[Taken]:
    """While it lasts, base64Binary that is written leaves a mark."""
    taken = Taken()
    token = TAKING.set(taken)
    try:
        yield taken
    finally:
        TAKING.reset(token)
