"""The rows of a statement, one at a time: decoded, split, and refused where they are no text or no CSV."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from connectors.kit.manifest.statements import DeclaredStatement
from connectors.kit.statements.refusal import StatementRefused
from mappings.arabic import fold_digits

_BOM = b"\xef\xbb\xbf"
#: In bytes. A file without line ends is refused before it fills the memory.
_LONGEST_LINE = 16_384


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty."""

    line: int  #: On which it ends, from 1.
    cells: list[str]  #: Without blanks around them, digits as 0-9.
    said: list[str]  #: As they stood.


def rows_of(file: BinaryIO, form: DeclaredStatement) -> Iterator[Row]:
    """The rows from the file's beginning. Raises StatementRefused."""
    file.seek(0)
    reader = csv.reader(_lines(file, form), delimiter=form.separator, strict=True)
    while True:
        try:
            said = next(reader, None)
        except csv.Error as error:
            raise StatementRefused("not_csv", reader.line_num) from error
        if said is None:
            return
        cells = [fold_digits(cell.strip()) for cell in said]
        if any(cells):
            yield Row(reader.line_num, cells, said)


def _lines(file: BinaryIO, form: DeclaredStatement) -> Iterator[str]:
    file.seek(0)
    number = 0
    while raw := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(raw) > _LONGEST_LINE:
            raise StatementRefused("line_too_long", number, limit=_LONGEST_LINE)
        if number == 1 and form.encoding == "utf-8":
            raw = raw.removeprefix(_BOM)
        try:
            line = raw.decode(form.encoding)
        except UnicodeDecodeError as error:
            raise StatementRefused("encoding_wrong", number, encoding=form.encoding) from error
        if "\0" in line:
            raise StatementRefused("encoding_wrong", number, encoding=form.encoding)
        yield line
