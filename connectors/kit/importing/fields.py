"""The fields of a message as an author sees them: names, kind, cardinality and documentation, whatever the wire."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_DOCUMENTATION_LETTERS = 160


@dataclass(slots=True, eq=False)
class Field:
    """One field; the message itself is the root."""

    key: str  #: As it stands on the wire; `@name` for an attribute, `#text` for the text beside attributes.
    name: str  #: In the canonical document: snake_case, unique among its neighbours.
    kind: str  #: In words for people: "xsd:date", "integer", "object".
    form: str = "text"  #: text | integer | boolean | decimal | bytes | object | any
    least: int = 1
    most: int | None = 1  #: None: without limit.
    facets: str = ""
    documentation: str = ""
    children: list["Field"] = field(default_factory=list)
    media: str = ""  #: The media types that the schema says its bytes have (`xmime:expectedContentTypes`).
    patterns: tuple[str, ...] = ()  #: Regular expressions that are all found in its text.
    source: str = ""  #: The expression that it certainly is; empty: a field of the input.
    whole: bool = False  #: Mapped as one value, because it is recursive, free-form or empty.

    @property
    def repeats(self) -> bool:
        """Whether it is a list."""
        return self.most != 1

    @property
    def note(self) -> str:
        """What stands beside it as a comment."""
        most = "∞" if self.most is None else str(self.most)
        cardinality = "required" if (self.least, self.most) == (1, 1) else f"{self.least}..{most}"
        parts = [self.kind, cardinality, self.facets]
        text = ", ".join(part for part in parts if part)
        documentation = " ".join(self.documentation.split())[:_DOCUMENTATION_LETTERS]
        return f"{text}: {documentation}" if documentation else text

    def walk(self) -> Iterator["Field"]:
        """It and everything below."""
        yield self
        for child in self.children:
            yield from child.walk()


def words_of(name: str) -> list[str]:
    """`GetVehicleStatusV2` -> get, vehicle, status, v, 2."""
    return [word.lower() for word in _WORD.findall(name)]


def snake(name: str) -> str:
    """A key of the canonical document."""
    text = "_".join(words_of(name)) or "value"
    return f"n_{text}" if text[0].isdigit() else text


def kebab(name: str, taken: set[str]) -> str:
    """An operation's name: lower-case ASCII letters, digits and hyphens, at most 41, and not yet taken."""
    ascii_words = [
        "".join(letter for letter in word if letter.isascii() and letter.isalnum()) for word in words_of(name)
    ]
    text = "-".join(word for word in ascii_words if word) or "operation"
    text = (text if text[0].isalpha() else f"op-{text}")[:38].strip("-")
    found, number = text, 1
    while found in taken:
        number += 1
        found = f"{text[:36]}-{number}"
    taken.add(found)
    return found


def unique_names(fields: list[Field]) -> None:
    """Gives neighbours whose names collide different ones."""
    seen: set[str] = set()
    for one in fields:
        base, number = one.name, 1
        while one.name in seen:
            number += 1
            one.name = f"{base}_{number}"
        seen.add(one.name)
