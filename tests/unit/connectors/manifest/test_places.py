"""The line of a key in a TOML file, however it is written."""

import pytest

from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.places import line_of, placed

TEXT = '''name = "x"
[settings.base_url]   # a comment
type = "url"
description = """
[operations.no]
wire = "none"
"""
[operations."look"]
wire = "GET /a" # = b
inquire.deep = { role = "check" }
[[authentication]]
kind = "basic"
[[authentication]]
kind = "mutual_tls"
[authentication.inner]
x = 1
[codes."*"]
"-1.5" = { status = "refused" }
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("name", 1),
        ("settings.base_url", 2),
        ("settings.base_url.type", 3),
        ("settings.base_url.secret", 2),
        ("operations.look", 8),
        ("operations.look.wire", 9),
        ("operations.look.inquire.deep.role", 10),
        ("operations.no.wire", 8),
        ("authentication[0].kind", 12),
        ("authentication[1].kind", 14),
        ("authentication[1].inner.x", 16),
        ("authentication[2].kind", 11),
        ("codes.*", 17),
        ('codes."*"."-1.5".status', 18),
        ("nowhere", 1),
    ],
)
def test_the_line_of_a_key_is_found(key, line):
    assert line_of(TEXT, key) == line


def test_an_error_without_a_line_gets_the_one_of_its_key(tmp_path):
    (tmp_path / "manifest.toml").write_text(TEXT, "utf-8")
    error = ManifestError("office/manifest.toml", "operations.look.wire", "no such operation")
    assert str(placed(error, tmp_path)) == "office/manifest.toml:9: operations.look.wire: no such operation"
    for other in (ManifestError("office/wsdl/x.wsdl", "A", "b"), ManifestError("office/codes.toml", "a", "b")):
        assert placed(other, tmp_path) is other
