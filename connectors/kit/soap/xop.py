"""XOP (W3C, 2005): binary content that stands in an attachment, where the message has `xop:Include`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from connectors.kit.xsd_codec.simple import CID

_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"


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
            place.text = None
            includes._places.append((place, name))
        return includes

    def mark(self) -> None:
        """Say in each place which attachment it has, for the readers of binary content."""
        for place, name in self._places:
            place.text = f"{CID}{name}"


NOTHING_INCLUDED = Includes({})
