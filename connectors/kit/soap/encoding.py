"""In which encoding a counterparty answers: contract, HTTP header and XML declaration must not contradict each other.

UTF-8 is the rule and needs no word. Another encoding is a property of the counterparty and stands in its manifest, so
that an answer in the wrong one is an error and never a name with wrong letters.
"""

import codecs
import re
from dataclasses import dataclass

from connectors.kit.manifest.forms import Encoding as EncodingName

_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_IN_TEXT = re.compile(r"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii"})
_NAMES = {
    "utf-16": frozenset({"", "utf-16", "utf16", "utf-16le", "utf-16be"}),
    "windows-1256": frozenset({"", "windows-1256", "cp1256", "x-cp1256"}),
    "iso-8859-6": frozenset({"", "iso-8859-6", "arabic", "ecma-114", "asmo-708"}),
}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one counterparty encodes its answers."""

    name: EncodingName = "utf-8"

    def in_utf8(self, raw: bytes, charset: str) -> bytes:
        """The answer in UTF-8. `charset` is the HTTP header's, lower case. Raises ValueError for a contradiction."""
        if not raw:
            raise ValueError("the answer is empty")
        if self.name in {"utf-8", "utf-8-bom"}:
            if self.name == "utf-8-bom" and raw.startswith(codecs.BOM_UTF8):
                raw = raw[len(codecs.BOM_UTF8) :]
            return _checked_utf8(raw, charset)
        return self._transcoded(raw, charset)

    def _transcoded(self, raw: bytes, charset: str) -> bytes:
        names = _NAMES[self.name]
        if charset not in names:
            raise ValueError(f"the charset is not {self.name}")
        try:
            text = raw.decode(self._codec(raw, charset))
        except UnicodeDecodeError:
            raise ValueError(f"the answer is not in {self.name}") from None
        text = text.removeprefix("\ufeff")
        declared = _IN_TEXT.match(text)
        if declared is not None and declared[1].lower() not in names:
            raise ValueError(f"the declared encoding is not {self.name}")
        if declared is None and not charset and self.name != "utf-16":
            raise ValueError(f"neither the content type nor the message says that it is in {self.name}")
        return _checked_utf8(_DECLARATION.sub("", text, count=1).encode(), "")

    def _codec(self, raw: bytes, charset: str) -> str:
        if self.name != "utf-16":
            if raw.startswith(_MARKS):
                raise ValueError(f"the answer has the byte order mark of another encoding than {self.name}")
            return self.name
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if charset in {"utf-16le", "utf-16be"}:
            return charset
        return "utf-16-be" if raw.startswith(b"\0") else "utf-16-le"


def _checked_utf8(raw: bytes, charset: str) -> bytes:
    if charset not in _UTF8:
        raise ValueError("the charset is not UTF-8")
    if not raw.lstrip(b" \t\r\n").startswith(b"<") or b"\0" in raw:
        raise ValueError("the answer is not XML in UTF-8 without BOM")
    declared = _DECLARED.match(raw)
    if declared is not None and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise ValueError("the declared encoding is not UTF-8")
    return raw
