"""The HTTP status that goes with a SOAP answer (SOAP 1.1, 6.2)."""

import re

#: The Fault of the envelope, not an element whose name ends so.
_FAULT = re.compile(rb"<(?:[\w.-]+:)?Fault[\s>/]")


def status_of(envelope: bytes) -> int:
    """500 for a Fault, else 200."""
    return 500 if _FAULT.search(envelope) else 200
