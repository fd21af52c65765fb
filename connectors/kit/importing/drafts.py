"""An operation on its way into a package, whatever contract it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.importing.fields import Field
from connectors.kit.importing.guesses import Guess


@dataclass(slots=True)
class Draft:
    """One operation with everything that is written about it."""

    name: str
    wire: str
    guess: Guess
    documentation: str
    sections: dict[str, Field]  #: path, query, headers, body
    place: str  #: `file:line` of the operation in the contract.
    answer: Field
    given: Mapping[str, Any]  #: The sample request in canonical form.
    whole: Mapping[str, Any]  #: The sample request as it stands on the wire, for a mapping that passes it through.
    seen: set[int]  #: The fields that the sample request has.
    response: bytes  #: The sample answer: the envelope, or the JSON text.
    response_seen: set[int]
    status: int = 200
    fault: bytes = b""  #: A second answer, that no code table lists.
    fault_status: int = 500
    codes: dict[str, str] = field(default_factory=dict)  #: The institution's code in the sample -> status.
    other_codes: list[str] = field(default_factory=list)  #: Codes that the contract names beside it.
    check: Callable[[bytes], str | None] | None = (
        None  #: Why a rendered request is not valid, where the kit does not see it.
    )
    mtom: str = ""  #: Why its request goes as MTOM; "" when it does not.
    lists: Mapping[str, str] = field(default_factory=dict)  #: Query parameters that are lists: how each is written.
    mode: int = 0  #: How much the mapping writes out; see writing.MODES.
