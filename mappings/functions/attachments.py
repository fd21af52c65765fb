"""Functions of attachments: base64 and hex both ways, bytes, size and digest."""

import base64
import binascii
import hashlib

from mappings.functions.registry import function
from mappings.upload import Upload


class AttachmentFunctions:
    """Mixed into `MappingFunctions`. Bytes on a JSON wire are written as base64, on XML as their schema type says."""

    @function(
        "content: text or bytes",
        says="Base64 of bytes, or of a text's UTF-8.",
        examples=(("base64('سلام')", "2LPZhNin2YU="),),
    )
    def _func_base64(self, content: str | bytes) -> str:
        return base64.b64encode(_bytes(content)).decode()

    @function(
        "text: text",
        says="The text whose UTF-8 the base64 is.",
        examples=(("unbase64('2LPZhNin2YU=')", "سلام"),),
    )
    def _func_unbase64(self, text: str) -> str:
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            raise ValueError("unbase64() wants base64 of UTF-8 text") from None

    @function(
        "text: base64",
        says="The bytes of base64; white space in it is passed over. What is sent piece by piece stays as it is.",
        examples=(("hex(from_base64('JVBERi0='))", "255044462d"),),
    )
    def _func_from_base64(self, text: str | Upload) -> bytes | Upload:
        if isinstance(text, Upload):
            return text
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("from_base64() wants base64") from None

    @function(
        "content: text or bytes",
        says="Hex (lower case) of bytes, or of a text's UTF-8.",
        examples=(("hex('%PDF-')", "255044462d"),),
    )
    def _func_hex(self, content: str | bytes) -> str:
        return _bytes(content).hex()

    @function("text: text", says="The bytes of hex.", examples=(("base64(from_hex('255044462D'))", "JVBERi0="),))
    def _func_from_hex(self, text: str) -> bytes:
        try:
            return binascii.unhexlify(text)
        except (binascii.Error, ValueError):
            raise ValueError("from_hex() wants hex") from None

    @function("content: bytes", says="The text whose UTF-8 the bytes are.", examples=(("utf8(from_hex('41'))", "A"),))
    def _func_utf8(self, content: bytes) -> str:
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise ValueError("utf8() wants bytes of UTF-8") from None

    @function(
        "content: content",
        says="How many bytes; of a text, in UTF-8.",
        examples=(("size(from_base64('JVBERi0='))", 5), ("size('سلام')", 8)),
    )
    def _func_size(self, content: str | bytes | Upload) -> int:
        return content.size if isinstance(content, Upload) else len(_bytes(content))

    @function(
        "content: content",
        says="SHA-256 in hex, of bytes or of a text's UTF-8.",
        examples=(("sha256('a')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),),
    )
    def _func_sha256(self, content: str | bytes | Upload) -> str:
        return content.sha256 if isinstance(content, Upload) else hashlib.sha256(_bytes(content)).hexdigest()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
