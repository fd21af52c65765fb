"""What an institution says by itself, as sandbox.toml declares it: messages, and rows in its daily files."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

Expression = str  #: JMESPath, as in mapping documents.


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Callback(_Strict, frozen=True):
    """What is sent by itself after a call; the manifest's callback says how it is signed."""

    after: Annotated[
        str | tuple[str, ...], Meta(description="The operation after whose act it is sent; several are a list.")
    ]
    body: Annotated[
        Mapping[str, Any], Meta(description="The JSON object that is sent; sees what the operation's rules see.")
    ]
    seconds: Annotated[float, Meta(ge=0, description="So long after the answer.")] = 0.0
    if_: Annotated[
        Expression | None,
        Meta(description="Sent when this gives something; left out: when the act was done. Sees `code` too."),
    ] = field(default=None, name="if")
    modes: Annotated[
        Expression | None,
        Meta(description="How it is sent, for this person: a list of early, twice, never, out_of_order, unsigned, …"),
    ] = None
    sends: Annotated[
        str | None, Meta(description="The manifest's callback; the name of this table unless it is said.")
    ] = None

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations whose acts it reports."""
        return (self.after,) if isinstance(self.after, str) else self.after


class Statement(_Strict, frozen=True):
    """The book of a daily file: what is listed in it after a call. The manifest's statement says how it is written."""

    after: Annotated[str | tuple[str, ...], Meta(description="The operation after which a row may be entered.")]
    row: Annotated[
        Mapping[str, Expression],
        Meta(description="The cells by what they are (`our_reference`, `amount` …); `at` is written by the clock."),
    ]
    if_: Annotated[
        Expression | None,
        Meta(description="Entered when this gives something; left out: when the act was done. Sees `code`, `count` …"),
    ] = field(default=None, name="if")
    key: Annotated[Expression | None, Meta(description="Entered once for each value of this.")] = None

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that enter rows."""
        return (self.after,) if isinstance(self.after, str) else self.after
