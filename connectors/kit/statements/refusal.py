"""Why a file is not taken in: one code, the line, and the facts that a sentence about it needs."""

from typing import Any


class StatementRefused(Exception):
    """Nothing of the file is believed. `code` names the reason, `line` (from 1) the place, 0 where there is none."""

    def __init__(self, code: str, line: int = 0, **facts: Any) -> None:
        """`facts` are headings, counts and totals; never what a cell says of a person."""
        super().__init__(code)
        self.code, self.line, self.facts = code, line, facts
