"""The document that a sandbox issues: a small valid PDF of one page, the same bytes for the same words."""

import hashlib
from functools import lru_cache

_FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_RESOURCES = "<< /Font << /F1 5 0 R >> >>"


def _escaped(text: str) -> str:
    latin = text.encode("latin-1", "replace").decode("latin-1")
    return latin.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


@lru_cache(maxsize=8192)
def make_pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """One A4 page with a title and lines of Latin text; what is not Latin-1 shows as a question mark."""
    texts = [f"BT /F1 18 Tf 72 760 Td ({_escaped(title)}) Tj ET"]
    texts += [f"BT /F1 11 Tf 72 {730 - 18 * n} Td ({_escaped(line)}) Tj ET" for n, line in enumerate(lines)]
    content = "\n".join(texts)
    identity = hashlib.sha256(content.encode("latin-1")).hexdigest()[:32]
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {_RESOURCES} >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        _FONT,
    )
    out = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R /ID [<{identity}> <{identity}>] >>"
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + end).encode("latin-1")
