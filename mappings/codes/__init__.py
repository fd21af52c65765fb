"""Code tables: canonical values with their official codes and names, looked up both ways."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


class UnknownCode(LookupError):
    """The table has no such value or code."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table: canonical value -> columns. The column `code` is the official one."""

    name: str
    rows: Mapping[str, Mapping[str, str]]
    _reverse: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, name: str, rows: Mapping[str, Mapping[str, str]]) -> "CodeTable":
        """A table; raises ValueError when a column repeats a code, since that could not be looked up back."""
        reverse: dict[str, dict[str, str]] = {}
        for value, columns in rows.items():
            for column, code in columns.items():
                if reverse.setdefault(column, {}).setdefault(code, value) != value:
                    raise ValueError(f"table {name}: {column} {code!r} stands twice")
        return cls(name, rows, reverse)

    def __iter__(self) -> Iterator[str]:
        """The canonical values, in the table's order."""
        return iter(self.rows)

    def __contains__(self, value: object) -> bool:
        return value in self.rows

    def code(self, value: str, column: str = "code") -> str:
        """The code of a canonical value. Raises UnknownCode."""
        try:
            return self.rows[value][column]
        except KeyError:
            raise UnknownCode(f"table {self.name} has no {column} for {value!r}") from None

    def value(self, code: str, column: str = "code") -> str:
        """The canonical value of a code. Raises UnknownCode."""
        try:
            return self._reverse[column][code]
        except KeyError:
            raise UnknownCode(f"table {self.name} has no value with {column} {code!r}") from None

    def name_of(self, value: str, language: str) -> str:
        """The name of a canonical value in `ar` or `en`. Raises UnknownCode."""
        return self.code(value, language)


@cache
def table(name: str) -> CodeTable:
    """The table in `<name>.toml` beside this file. Raises UnknownCode when there is none."""
    if name not in table_names():
        raise UnknownCode(f"there is no code table {name!r}")
    return CodeTable.of(name, tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")))


@cache
def table_names() -> frozenset[str]:
    """The names of the tables beside this file; `currencies` has another form and belongs to `mappings.money`."""
    return frozenset(file.stem for file in _FOLDER.glob("*.toml")) - {"currencies"}
