"""Hostile and broken contracts (A2): one sentence with its place, a non-zero exit, nothing half written."""

import gzip
import json
import subprocess
import sys
from typing import Any

import pytest

from connectors.kit.importing.openapi_import import import_openapi
from connectors.kit.importing.refusal import ContractRefused
from connectors.kit.importing.writing import _locked
from connectors.kit.importing.wsdl_import import import_wsdl
from tests.unit.connectors.kit.importing.contracts import (
    OPERATIONS,
    TYPES,
    openapi,
    refusal,
    schema,
    with_import,
    write,
    written,
    wsdl,
)


@pytest.mark.parametrize(
    "location",
    ["http://far.example/a.xsd", "https://far.example/a.xsd", "ftp://far.example/a.xsd", "//far.example/a.xsd", "file:///etc/passwd", "/etc/passwd",
     "../outside.xsd", "..%2Foutside.xsd", "C:\\\\a.xsd", "\\\\\\\\far\\\\a.xsd", "gone.xsd", "link.xsd"],
)  # fmt: skip
def test_a2_an_import_that_leads_out_is_refused_with_its_line(tmp_path, location):
    contract = tmp_path / "contract"
    write(tmp_path, "outside.xsd", schema(target="urn:far"))
    source = write(contract, "city.wsdl", with_import(location))
    (contract / "link.xsd").symlink_to(tmp_path / "outside.xsd")

    said = refusal(tmp_path / "into", source)

    assert said.startswith("city.wsdl:3: it refers to ")


BILLION = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
BROKEN_WSDL = {
    "not XML": ("this is no XML", "line 1: it is not well-formed XML"),
    "empty": ("", "not well-formed XML|is not XML"),
    "broken in line 3": ("<definitions>\n<a>\n</b></definitions>", "line 3: it is not well-formed XML"),
    "HTML": ("<!DOCTYPE html><html><body><br>Log in</body></html>", "HTML page"),
    "XHTML": ('<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "HTML page"),
    "entities": (wsdl().replace("<definitions", f"{BILLION}<definitions", 1), "entities"),
    "a schema": (schema(), "its root element is schema"),
    "WSDL 2.0": ('<description xmlns="http://www.w3.org/ns/wsdl"/>', "WSDL 2.0"),
    "no service": ('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>', "no port"),
    "no usable operation": (
        wsdl(operations=("Vanish",)),
        "The operation Vanish of port Port is left out: the schemas have no element",
    ),
    "deep": ("<a>" * 3000 + "</a>" * 3000, "not well-formed XML"),
}


@pytest.mark.parametrize("fault", BROKEN_WSDL)
def test_a2_a_file_that_is_no_wsdl_is_refused_in_one_sentence(tmp_path, fault):
    content, says = BROKEN_WSDL[fault]

    said = refusal(tmp_path / "into", write(tmp_path, "city.wsdl", content))

    assert any(part in said for part in says.split("|")), said
    assert "city.wsdl" in said or "WSDL" in said


def test_a2_a_compressed_file_is_refused(tmp_path):
    path = tmp_path / "city.wsdl"
    path.write_bytes(gzip.compress(wsdl().encode()))

    assert "compressed" in refusal(tmp_path / "into", str(path))


def test_a2_documents_that_import_each_other_in_a_circle_are_read_once(tmp_path):
    (tmp_path / "into").mkdir()
    back = '<xs:include schemaLocation="b.xsd"/>'
    write(tmp_path, "a.xsd", schema(TYPES, imports=back))
    write(tmp_path, "b.xsd", schema("", imports='<xs:include schemaLocation="a.xsd"/>'))
    types = '<xs:schema targetNamespace="urn:w"><xs:import namespace="urn:city" schemaLocation="a.xsd"/></xs:schema>'

    folder, _ = import_wsdl("city", write(tmp_path, "city.wsdl", wsdl(types)), tmp_path / "into")

    assert len(list((folder / "wsdl").iterdir())) == 3


def test_a2_a_type_that_requires_itself_costs_only_its_operation(tmp_path):
    (tmp_path / "into").mkdir()
    endless = '<xs:complexType name="E"><xs:sequence><xs:element name="e" type="t:E"/></xs:sequence></xs:complexType><xs:element name="Loop" type="t:E"/><xs:element name="LoopResponse" type="t:E"/>'

    folder, report = import_wsdl(
        "city",
        write(tmp_path, "city.wsdl", wsdl(schema(TYPES + endless), operations=(*OPERATIONS, "Loop"))),
        tmp_path / "into",
    )

    assert [words.en for words in report.left_out] == [
        "city.wsdl:13: The operation Loop is left out: the type of e requires itself."
    ]
    assert not (folder / "mapping/loop.yaml").exists()


def test_a2_a_wsdl_of_five_megabytes_is_imported(tmp_path):
    (tmp_path / "into").mkdir()
    filling = "".join(
        f'<xs:complexType name="F{n}"><xs:sequence><xs:element name="a" type="xs:string"/></xs:sequence></xs:complexType>'
        for n in range(800)
    )
    comment = f"<!--{'x' * 5_000_000}-->"

    folder, _ = import_wsdl(
        "city", write(tmp_path, "city.wsdl", wsdl(schema(TYPES + filling) + comment)), tmp_path / "into"
    )

    assert (folder / "wsdl/city.wsdl").stat().st_size > 5_000_000


def test_a2_a_file_that_is_too_large_is_refused(tmp_path):
    assert "larger than 16 MiB" in refusal(tmp_path / "into", write(tmp_path, "city.wsdl", " " * (17 * 1024 * 1024)))


def test_a2_a_folder_that_exists_is_not_touched(tmp_path):
    mine = tmp_path / "into" / "city" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")

    assert "exists already" in refusal(tmp_path / "into", write(tmp_path, "city.wsdl", wsdl()))
    assert written(mine.parent) == ["mine.txt"]


def test_a2_a_target_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(ContractRefused, match="There is no folder"):
        import_wsdl("city", write(tmp_path, "city.wsdl", wsdl()), tmp_path / "gone")


def test_a2_files_outside_are_read_when_a_root_holds_both(tmp_path):
    (tmp_path / "into").mkdir()
    write(tmp_path, "all/types/t.xsd", schema())
    types = '<xs:schema targetNamespace="urn:w"><xs:import namespace="urn:city" schemaLocation="../types/t.xsd"/></xs:schema>'
    source = write(tmp_path, "all/wsdl/city.wsdl", wsdl(types))

    assert "--root" in refusal(tmp_path / "into", source)
    folder, _ = import_wsdl("city", source, tmp_path / "into", root=tmp_path / "all")
    assert (folder / "wsdl/t.xsd").is_file()


BROKEN_OPENAPI: dict[str, tuple[str | dict[str, Any], str]] = {
    "not JSON": ('{"openapi": "3.0.0",\n "paths": ]', "line 2: it is not JSON"),
    "not YAML": ("openapi: 3.0.0\npaths: [", "it is neither JSON nor YAML"),
    "a list": ("[]", "no object"),
    "a text": ("hello", "no object"),
    "HTML": ("<html><body>Log in</body></html>", "HTML page"),
    "Swagger 2": ({"swagger": "2.0", "paths": {}}, "Swagger 2.0"),
    "OpenAPI 4": ({"openapi": "4.0.0", "paths": {}}, "OpenAPI 4.0.0"),
    "something else": ({"name": "x"}, "the key openapi is missing"),
    "no paths": (openapi(paths={}), "no operation"),
    "reference to a host": (openapi(paths={"/a": {"$ref": "http://far.example/a.json"}}), "it refers to http://far.example/a.json"),
    "reference to a file": (openapi(paths={"/a": {"$ref": "file:///etc/passwd"}}), "it refers to file:///etc/passwd"),
    "reference out of the folder": (openapi(paths={"/a": {"$ref": "../outside.json"}}), "which lies outside"),
    "reference to nothing": (openapi(paths={"/a": {"$ref": "gone.json#/a"}}), "which is not there"),
    "a bomb of aliases": ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)), "more than"),
    "an alias of itself": ("a: &a [*a]", "nested too deeply"),
    "deep": ('{"a":' * 5000 + "1" + "}" * 5000, "nested too deeply"),
    "only XML": (openapi(paths={"/a": {"post": {"requestBody": {"required": True, "content": {"text/xml": {}}}, "responses": {"200": {"description": ""}}}}}), "its body is text/xml, not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN_OPENAPI)
def test_a2_a_file_that_is_no_openapi_document_is_refused_in_one_sentence(tmp_path, fault):
    content, says = BROKEN_OPENAPI[fault]
    write(tmp_path, "outside.json", {})

    said = refusal(tmp_path / "into", write(tmp_path / "contract", "city.json", content), kind="openapi")

    assert says in said


def test_a2_references_in_a_circle_end(tmp_path):
    (tmp_path / "into").mkdir()
    document = openapi()
    document["components"]["schemas"]["Permit"]["properties"]["circle"] = {"$ref": "b.json#/Circle"}
    write(
        tmp_path,
        "b.json",
        {"Circle": {"type": "object", "properties": {"back": {"$ref": "city.json#/components/schemas/Permit"}}}},
    )

    folder, report = import_openapi("city", write(tmp_path, "city.json", document), tmp_path / "into")

    assert report.left_out == []
    bundled = json.loads((folder / "openapi/city.json").read_text("utf-8"))
    assert bundled["x-documents"]["d1"]["Circle"]["properties"]["back"] == {"$ref": "#/components/schemas/Permit"}


def test_a2_what_a_killed_import_left_goes_with_the_next_one_and_work_in_progress_stays(tmp_path):
    into = tmp_path / "into"
    for name in (".city-dead.init", ".city-busy.init"):
        (into / name / "city").mkdir(parents=True)

    with _locked(into / ".city-busy.init"):
        import_wsdl("city", write(tmp_path, "city.wsdl", wsdl()), into)

    assert sorted(path.name for path in into.iterdir()) == [".city-busy.init", "city"]


@pytest.mark.parametrize(("language", "says"), [("en", "cannot be written: File too large"), ("ar", "تعذّرت كتابة")])
def test_a2_a_disk_that_takes_no_more_is_one_sentence_and_nothing_stays(tmp_path, language, says):
    """A file that may not grow is what a test can have without being root; a full disk fails in the same place."""
    (tmp_path / "into").mkdir()
    source = write(tmp_path, "city.wsdl", wsdl())
    words = [sys.executable, "-m", "jisr", "--lang", language, "connector", "init", "city", "--wsdl", source]

    ended = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', *words, "--into", str(tmp_path / "into")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (1, "")
    assert says in ended.stderr
    assert "\n" not in ended.stderr.strip()
    assert list((tmp_path / "into").iterdir()) == []
