"""In which encoding an institution's SOAP messages leave: that of `[soap] encoding`, in header and XML declaration."""

import codecs
import re
from email.message import Message
from email.parser import BytesParser

from connectors.kit.manifest import Manifest

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]{0,200}\?>")

_END_OF_HEADERS = b"\r\n\r\n"


def encoding_of(manifest: Manifest) -> str:
    """The encoding of the answers of a package."""
    return manifest.soap.encoding if manifest.soap is not None else "utf-8"


def charset_of(content_type: str) -> str:
    """The charset that a content type names; UTF-8 when it names none."""
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_param("charset", "utf-8")).lower()


def in_encoding(body: bytes, content_type: str, name: str) -> tuple[bytes, str]:
    """An XML message in UTF-8 as it leaves, with its content type; anything else, and what is encoded, as it is.

    What the encoding lacks (windows-1256 has no Arabic-Indic digits) becomes a character reference.
    """
    if name == "utf-8" or "xml" not in content_type.partition(";")[0]:
        return body, content_type
    try:
        text = _DECLARATION.sub("", body.decode(), count=1)
    except UnicodeDecodeError:
        return body, content_type
    charset = "utf-8" if name == "utf-8-bom" else name
    kind = f"{content_type.partition(';')[0]}; charset={charset}"
    mark = codecs.BOM_UTF8 if name == "utf-8-bom" else b""
    declared = f'<?xml version="1.0" encoding="{charset}"?>{text}'
    return mark + declared.encode(charset, "xmlcharrefreplace"), kind


def in_wrong_encoding(body: bytes, content_type: str) -> bytes:
    """The same text in another encoding than the one that it claims to have; of several parts, the first."""
    if content_type.startswith("multipart/"):
        first = body.index(_END_OF_HEADERS) + len(_END_OF_HEADERS)
        last = body.index(b"\r\n--", first)
        own = BytesParser().parsebytes(body[body.index(b"\r\n") + 2 : first], headersonly=True)
        return body[:first] + in_wrong_encoding(body[first:last], str(own["Content-Type"])) + body[last:]
    charset = charset_of(content_type)
    text = body.decode(charset)
    if charset != "utf-8":
        return _DECLARATION.sub('<?xml version="1.0" encoding="utf-8"?>', text, count=1).encode()
    other = text.encode("cp1256", "replace")
    return other if other != body else text.encode("utf-16")
