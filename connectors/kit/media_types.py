"""What kind of file some bytes are, as they say themselves, and whether they have their end."""

#: How many bytes at the beginning are looked at.
HEAD_BYTES = 16
#: How many at the end: readers look for a PDF's %%EOF there (ISO 32000-1, annex H.3, note 18).
TAIL_BYTES = 1024
PDF, PNG, JPEG, TIFF = "application/pdf", "image/png", "image/jpeg", "image/tiff"
KNOWN = (PDF, JPEG, PNG, TIFF)
_BEGINNINGS = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
)


def sniff(head: bytes) -> str | None:
    """The media type of what begins like this; None when it is none that is known here."""
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def has_its_end(media_type: str, tail: bytes) -> bool:
    """Whether the last bytes are the end of such a file; true for a kind whose end cannot be told."""
    if media_type == PDF:
        return b"%%EOF" in tail[-TAIL_BYTES:]
    if media_type == PNG:
        return b"IEND\xaeB`\x82" in tail[-TAIL_BYTES:]
    if media_type == JPEG:
        return b"\xff\xd9" in tail[-TAIL_BYTES:]
    return True
