"""XOP (W3C, 2005): binary content that stands in an attachment, where the message has `xop:Include`."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from connectors.kit.related import Attached
from connectors.kit.xsd_codec.simple import CID
from connectors.kit.xsd_codec.taken import Taken
from mappings.upload import Upload

XOP = "http://www.w3.org/2004/08/xop/include"
_INCLUDE = f"{{{XOP}}}Include"
_JUDGED = "AAAA"  #: What the schema sees of an attachment: base64 that is not empty.


@dataclass(slots=True)
class Includes:
    """The includes of one message: taken out before the schema judges it, since it declares the content itself."""

    parts: Mapping[str, bytes]
    _places: list[tuple[Any, str]] = field(default_factory=list)

    @classmethod
    def take(cls, root: Any, parts: Mapping[str, bytes]) -> "Includes":
        """Take the includes out of a message with attachments. Raises ValueError for one that refers to nothing."""
        includes = cls(parts)
        for node in list(root.iter(_INCLUDE)):
            place = node.getparent()
            href = node.get("href", "")
            name = unquote(href.removeprefix(CID))
            if not href.startswith(CID) or name not in parts:
                raise ValueError("the message refers to an attachment that did not come")
            if len(place) != 1 or (place.text or "").strip() or (node.tail or "").strip():
                raise ValueError("an attachment stands beside other content")
            place.remove(node)
            place.text = _JUDGED
            includes._places.append((place, name))
        return includes

    def mark(self) -> None:
        """Say in each place which attachment it has, for the readers of binary content."""
        for place, name in self._places:
            place.text = f"{CID}{name}"

    def fill(self) -> None:
        """Put the contents into their places, as base64: the message that XOP stands for."""
        for place, name in self._places:
            place.text = base64.b64encode(self.parts[name]).decode("ascii")


NOTHING_INCLUDED = Includes({})


def included(raw: bytes, taken: Taken) -> tuple[bytes, tuple[Attached, ...]]:
    """The message with an include for each content that was taken out, and what is sent beside it.

    An attribute or a list of XSD has no place for an include: there the content stands inline. Raises ValueError for
    an upload that stands in such a place.
    """
    attached: list[Attached] = []

    def filled(match: Any) -> bytes:
        content = taken.contents[int(match[1])]
        whole = raw[match.start() - 1 : match.start()] == b">" and raw[match.end() : match.end() + 2] == b"</"
        if not whole:
            if isinstance(content, Upload):
                raise ValueError("an upload that is sent piece by piece cannot stand in an attribute or a list")
            return base64.b64encode(content)
        attached.append(Attached.of(len(attached) + 1, content))
        return _include(attached[-1])

    return taken.marks.sub(filled, raw), tuple(attached)


def inline(raw: bytes, attached: Sequence[Attached]) -> bytes:
    """The message as it would stand without attachments. Raises ValueError for one with an upload."""
    for each in attached:
        if isinstance(each.content, Upload):
            raise ValueError("an upload has no text")  # noqa: TRY004  # of a value, as all here
        raw = raw.replace(_include(each), base64.b64encode(each.content))
    return raw


def _include(attached: Attached) -> bytes:
    return f'<xop:Include xmlns:xop="{XOP}" href="{CID}{attached.content_id}"/>'.encode()
