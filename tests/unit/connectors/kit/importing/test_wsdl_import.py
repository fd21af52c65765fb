"""A WSDL becomes a package that loads, opens and replays its own samples."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from connectors.kit.importing.refusal import ContractRefused, Report
from connectors.kit.importing.wsdl_import import import_wsdl
from connectors.kit.manifest import ManifestError
from connectors.kit.package import load_package
from connectors.kit.wsdl import load_wsdl
from tests.unit.connectors.kit.importing.contracts import TYPES, WSDL_SPACES, schema, write, wsdl


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Where packages are written."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def imported(tmp_path: Path, content: str, **options: Any) -> tuple[Path, Report]:
    """The package of a WSDL that lies in a folder of its own."""
    source = write(tmp_path / "contract", "city.wsdl", content)
    (tmp_path / "into").mkdir(exist_ok=True)
    return import_wsdl("city", source, tmp_path / "into", **options)


def operations(folder: Path) -> dict[str, Any]:
    """The operations of the manifest as they stand in the file."""
    found: dict[str, Any] = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))["operations"]
    return found


def test_the_package_loads_and_names_every_operation(tmp_path):
    folder, report = imported(tmp_path, wsdl())

    package = load_package(folder)
    assert package.name == "city"
    assert {name: row["wire"] for name, row in operations(folder).items()} == {
        "submit-permit": "SubmitPermit",
        "inquire-permit": "InquirePermit",
    }
    assert (report.repairs, report.left_out) == ([], [])


def test_effects_are_guessed_from_names_and_an_inquiry_makes_its_twin_inquirable(tmp_path):
    rows = operations(imported(tmp_path, wsdl())[0])

    assert (rows["inquire-permit"]["role"], rows["inquire-permit"]["effect"]) == ("inquire", "safe")
    assert (rows["submit-permit"]["effect"], rows["submit-permit"]["inquire"]) == ("inquirable", "inquire-permit")


def test_what_changes_something_without_a_twin_is_left_to_people_with_a_comment(tmp_path):
    folder, _ = imported(tmp_path, wsdl(operations=("SubmitPermit",)))

    assert operations(folder)["submit-permit"]["effect"] == "none"
    assert "# nothing in the contract says what a repeat does" in (folder / "manifest.toml").read_text("utf-8")


def test_every_field_stands_in_the_mapping_with_type_cardinality_and_documentation(tmp_path):
    folder, _ = imported(tmp_path, wsdl())
    text = (folder / "mapping/submit-permit.yaml").read_text("utf-8")

    assert "Permit:  # Permit, required" in text
    assert "Kind: input.permit.kind  # Kind, required, one of BUILD | TRADE" in text
    assert "Fee: input.permit.fee  # xsd:decimal, 0..1" in text
    assert "Owner: input.permit.owner  # xsd:string, 1..∞" in text
    assert "RequestId: input.request_id  # xsd:string, required (perhaps operation_id)" in text
    assert '"@urgent": input.permit.urgent  # xsd:boolean, 0..1' in text
    assert "# About SubmitPermit." in text
    assert yaml.safe_load(text)["answer"]["code"] == "answer.ResultCode"


def test_the_samples_are_valid_against_the_contract(tmp_path):
    folder, _ = imported(tmp_path, wsdl())
    judge = etree.XMLSchema(etree.fromstring(schema()))
    case = folder / "samples/submit-permit/succeeded"
    request = etree.parse(case / "request.xml").getroot()
    answer = etree.parse(case / "response.xml").getroot()[0][0]

    assert judge.validate(request), judge.error_log
    assert judge.validate(answer), judge.error_log
    assert json.loads((case / "outcome.json").read_text("utf-8"))["status"] == "succeeded"
    assert (folder / "samples/submit-permit/fault-unlisted/outcome.json").is_file()


def test_the_contract_is_vendored_and_pinned(tmp_path):
    folder, _ = imported(tmp_path, wsdl())
    lock = json.loads((folder / "contract.lock").read_text("utf-8"))

    assert lock["source"] == "city.wsdl"
    assert list(lock["files"]) == ["wsdl/city.wsdl"]
    assert lock["operations"]["SubmitPermit"]["request"]["Permit/Kind"] == "Kind, 1..1, one of BUILD | TRADE"


def test_the_readme_tells_the_next_steps_in_both_languages(tmp_path):
    text = (imported(tmp_path, wsdl())[0] / "README.md").read_text("utf-8")

    assert "## Next steps" in text
    assert "## الخطوات التالية" in text
    assert "jisr connector check" in text


def test_soap_1_2_is_spoken_where_the_port_is_of_it(tmp_path):
    folder, _ = imported(tmp_path, wsdl(soap="soap12"))

    assert (
        b"http://www.w3.org/2003/05/soap-envelope"
        in (folder / "samples/inquire-permit/succeeded/response.xml").read_bytes()
    )


def rpc() -> str:
    """An rpc/literal WSDL with parts that have types."""
    return (
        f'<definitions {WSDL_SPACES} targetNamespace="urn:city"><types>{schema()}</types>'
        '<message name="In"><part name="permit" type="t:Permit"/><part name="days" type="xs:int"/></message>'
        '<message name="Out"><part name="status" type="xs:string"/></message>'
        '<portType name="Type"><operation name="Extend"><input message="t:In"/><output message="t:Out"/></operation></portType>'
        '<binding name="Binding" type="t:Type"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/><operation name="Extend">'
        '<soap:operation soapAction=""/><input><soap:body use="literal" namespace="urn:city"/></input><output><soap:body use="literal" namespace="urn:city"/></output>'
        '</operation></binding><service name="City"><port name="Port" binding="t:Binding"><soap:address location="http://city.example/"/></port></service></definitions>'
    )


def test_rpc_style_is_written_with_its_parts(tmp_path):
    folder, report = imported(tmp_path, rpc())
    request = etree.parse(folder / "samples/extend/succeeded/request.xml").getroot()

    assert report.left_out == []
    assert request.tag == "{urn:city}Extend"
    assert [child.tag for child in request] == ["permit", "days"]


def test_imports_and_includes_of_other_files_are_vendored_beside_it(tmp_path):
    write(tmp_path / "contract", "types/kinds.xsd", schema(TYPES))
    content = wsdl(
        '<xs:schema targetNamespace="urn:wrap"><xs:import namespace="urn:city" schemaLocation="types/kinds.xsd"/></xs:schema>'
    )

    folder, report = imported(tmp_path, content)

    assert sorted(path.name for path in (folder / "wsdl").iterdir()) == ["city.wsdl", "kinds.xsd"]
    assert b'schemaLocation="kinds.xsd"' in (folder / "wsdl/city.wsdl").read_bytes()
    assert report.repairs == []


def test_an_import_with_the_wrong_namespace_is_repaired_and_reported(tmp_path):
    write(tmp_path / "contract", "kinds.xsd", schema())
    content = wsdl(
        '<xs:schema targetNamespace="urn:wrap"><xs:import namespace="urn:wrong" schemaLocation="kinds.xsd"/></xs:schema>'
    )

    folder, report = imported(tmp_path, content)

    assert b'namespace="urn:city"' in (folder / "wsdl/city.wsdl").read_bytes()
    assert [words.en for words in report.repairs if "urn:wrong" in words.en and "corrected" in words.en]


def test_a_standard_schema_that_is_not_shipped_is_added_and_reported(tmp_path):
    lang = TYPES.replace('<xs:attribute name="urgent" type="xs:boolean"/>', '<xs:attribute ref="xml:lang"/>')
    far = (
        '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>'
    )

    folder, report = imported(tmp_path, wsdl(schema(lang, imports=far)))

    assert (folder / "wsdl/xml.xsd").is_file()
    assert any("not shipped" in words.en for words in report.repairs)


def test_a_location_elsewhere_of_a_schema_that_the_contract_has_is_dropped_and_reported(tmp_path):
    types = f'<xs:schema targetNamespace="urn:wrap"><xs:import namespace="urn:city" schemaLocation="http://city.example/t.xsd"/></xs:schema>{schema()}'

    folder, report = imported(tmp_path, wsdl(types))

    assert b"city.example/t.xsd" not in (folder / "wsdl/city.wsdl").read_bytes()
    assert any("was dropped" in words.en for words in report.repairs)


def test_a_bad_port_is_named_and_the_others_work(tmp_path):
    bad = "".join(
        f'<port name="{name}" binding="t:{binding}"><soap:address location="http://city.example/bad"/></port>'
        for name, binding in (("Bad", "Gone"), ("Worse", "Hollow"))
    )
    hollow = '<binding name="Hollow" type="t:NoType"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/></binding>'

    folder, report = imported(tmp_path, wsdl(more=hollow, more_ports=bad))

    assert len(operations(folder)) == 2
    assert [words.en for words in report.left_out] == [
        "city.wsdl:13: The port Bad is left out: there is no binding t:Gone.",
        "city.wsdl:13: The port Worse is left out: there is no portType t:NoType.",
    ]


def test_a_bad_operation_is_named_and_the_others_work(tmp_path):
    content = wsdl(operations=("SubmitPermit", "InquirePermit", "Vanish"))

    folder, report = imported(tmp_path, content)

    assert set(operations(folder)) == {"submit-permit", "inquire-permit"}
    assert "Vanish of port Port is left out: the schemas have no element {urn:city}Vanish" in report.left_out[0].en


def test_operations_with_odd_names_get_plain_ones():
    from connectors.kit.importing.fields import kebab

    taken: set[str] = set()
    assert [kebab(name, taken) for name in ("GetHTTPStatus", "get_http_status", "طلب", "2fa", "x" * 60)] == [
        "get-http-status", "get-http-status-2", "operation", "op-2-fa", "x" * 38,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["City", "../city", "1city", "", "city hall", "c" * 50, "بلدية", "city/../x"])
def test_a_name_that_is_none_is_refused(tmp_path, into, name):
    source = write(tmp_path, "city.wsdl", wsdl())

    with pytest.raises(ContractRefused, match="no name for a package"):
        import_wsdl(name, source, into)
    assert list(into.iterdir()) == []


def test_a_one_way_operation_is_left_out_with_its_place_and_a_manifest_cannot_name_it(tmp_path):
    content = wsdl().replace('<output message="t:InquirePermitOut"/>', "")
    content = content.replace('<soap:operation soapAction="urn:InquirePermit"/><input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>', '<soap:operation soapAction="urn:InquirePermit"/><input><soap:body use="literal"/></input>')  # fmt: skip
    folder, report = imported(tmp_path, content)
    (words,) = report.left_out
    assert "InquirePermit" in words.en
    assert "one-way, city.wsdl:" in words.en
    assert "باتجاه واحد، city.wsdl:" in words.ar
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('wire = "SubmitPermit"', 'wire = "InquirePermit"'), "utf-8")
    package = load_package(folder)
    assert package.manifest.soap is not None
    with pytest.raises(ManifestError, match=r"operations.submit-permit.wire.*no answer \(one-way\)"):
        load_wsdl(folder, package.manifest, package.manifest.soap)


def test_what_looks_like_a_quote_is_a_check_until_somebody_says_which_field_is_the_price(tmp_path):
    content = wsdl(operations=("InquirePermit",)).replace("InquirePermit", "GetPrice")
    folder, report = imported(tmp_path, content)
    assert report.left_out == []
    assert operations(folder)["get-price"]["role"] == "check"
    assert "role quote when answer.quote names its price" in (folder / "manifest.toml").read_text("utf-8")
