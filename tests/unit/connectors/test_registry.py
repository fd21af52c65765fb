"""Packages are found by their manifest, and what is wrong with one is one sentence with file and key."""

import shutil
from pathlib import Path

import pytest

from connectors.kit.contract import Effect, Ports
from connectors.kit.manifest import SettingError
from connectors.kit.tokens import LocalTokens
from connectors.registry import BUILT_IN, ManifestError, find_packages, open_connector
from tests.unit.connectors.packages import ANSWER, MANIFEST, NOW, education, education_copy, office, write_package

LOOK = '[operations.look]\nwire = "GET /acts"\nrole = "check"\neffect = "safe"\n'


def _load(tmp_path, manifest=MANIFEST + LOOK, mappings=None, **options):
    return find_packages(
        [
            write_package(
                tmp_path, manifest=manifest, mappings={"look": ANSWER} if mappings is None else mappings, **options
            )
        ]
    )


def test_every_folder_with_a_manifest_is_found_without_a_list():
    expected = sorted(file.parent.name for root in BUILT_IN for file in root.glob("*/manifest.toml"))
    packages = find_packages()
    assert list(packages) == expected
    assert {"education", "transport", "syriatel_cash"} <= set(packages)


def test_a_folder_outside_the_project_is_found_as_package_and_as_root(tmp_path):
    folder = write_package(tmp_path, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    assert "office" in find_packages([folder])
    assert "office" in find_packages([tmp_path])
    assert "office" in find_packages([tmp_path, folder])


def test_a_name_that_exists_already_is_refused(tmp_path):
    for root in ("one", "two"):
        write_package(tmp_path / root, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    with pytest.raises(ManifestError, match="exists already"):
        find_packages([tmp_path / "one", tmp_path / "two"])


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="does not exist"):
        find_packages([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ("name = ", "office/manifest.toml:1: not TOML: invalid value"),
        (MANIFEST, "office/manifest.toml:1: operations: the key is missing"),
        (
            MANIFEST + LOOK + "colour = 'red'\n",
            "office/manifest.toml:14: operations.look.colour: unknown key",
        ),
        (MANIFEST.replace("office", "bureau") + LOOK, "office/manifest.toml:2: name: it is the folder's name"),
        (MANIFEST.replace('type = "url"', 'type = "text"') + LOOK, "office/manifest.toml:8: settings.base_url: "),
        (
            MANIFEST.replace('kind = "rest"', 'kind = "ftp"') + LOOK,
            "office/manifest.toml:4: kind: invalid enum value 'ftp'",
        ),
        (MANIFEST.replace('kind = "rest"', 'kind = "soap"') + LOOK, "office/manifest.toml:1: soap: "),
        (
            MANIFEST + LOOK + '[operations.Act]\nwire="POST /a"\nrole="submit"\neffect="none"',
            "office/manifest.toml:14: operations.Act.name: ",
        ),
        (
            MANIFEST + LOOK + '[operations.act]\nwire="POST /a"\nrole="submit"',
            "office/manifest.toml:14: operations.act.effect: the key is missing",
        ),
        (
            MANIFEST + LOOK + '[operations.act]\nwire="POST /a"\nrole="submit"\neffect="inquirable"',
            "office/manifest.toml:14: operations.act.inquire: ",
        ),
        (
            MANIFEST + LOOK + '[operations.act]\nwire="POST /a"\nrole="submit"\neffect="inquirable"\ninquire="look"',
            "office/manifest.toml:18: operations.act.inquire: there is no operation look with role inquire",
        ),
        (
            MANIFEST + LOOK + '[operations.act]\nwire="POST /a"\nrole="submit"\neffect="safe"',
            "office/manifest.toml:17: operations.act.effect: an operation with role submit changes something",
        ),
        (
            MANIFEST + LOOK.replace('"safe"', '"none"'),
            "office/manifest.toml:13: operations.look.effect: an operation with role check only reads",
        ),
        (MANIFEST + LOOK.replace("GET /acts", "acts"), "office/manifest.toml:11: operations.look.wire: "),
        (MANIFEST + LOOK.replace("GET", "TRACE"), "office/manifest.toml:11: operations.look.wire: "),
        (MANIFEST + LOOK + "deadline_seconds = 0", "office/manifest.toml:14: operations.look.deadline_seconds: "),
        (MANIFEST + '[authentication]\nkind="api_key"\n' + LOOK, "office/manifest.toml:8: settings.api_key: "),
        (
            MANIFEST + '[authentication]\nkind="oauth2_client_credentials"\ntoken_path="/t"\n' + LOOK,
            "office/manifest.toml:8: settings.client_id: ",
        ),
        (MANIFEST + '[authentication]\nkind="kerberos"\n' + LOOK, "office/manifest.toml:11: authentication.kind: "),
        (
            MANIFEST + '[authentication]\nkind="username_token"\n' + LOOK,
            "office/manifest.toml:11: authentication.kind: username_token is for connectors of kind soap",
        ),
        (
            MANIFEST + '[authentication]\nkind="token_operation"\noperation="look"\n' + LOOK,
            "office/manifest.toml:12: authentication.operation: ",
        ),
        (MANIFEST + LOOK.replace('"check"', '"token"'), "office/manifest.toml:1: authentication.operation: "),
    ],
)
def test_a_wrong_manifest_is_one_sentence_with_file_and_key(tmp_path, manifest, sentence):
    with pytest.raises(ManifestError) as caught:
        _load(tmp_path, manifest)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mappings", "sentence"),
    [
        ({}, "office/mapping/look.yaml: the file cannot be read"),
        ({"look": ANSWER, "other": ANSWER}, "office/mapping/other.yaml: the manifest has no such operation"),
        ({"look": "answer: {message: a}"}, "office/mapping/look.yaml:1: answer.code: "),
        ({"look": "answer: {code: a, colour: b}"}, "office/mapping/look.yaml:1: answer.colour: unknown key"),
        ({"look": "request: {colour: b}\n" + ANSWER}, "office/mapping/look.yaml:1: request.colour: unknown key"),
        ({"look": "colour: red\n" + ANSWER}, "office/mapping/look.yaml:1: colour: unknown key"),
        ({"look": "request: {path: {id: a}}\n" + ANSWER}, "office/mapping/look.yaml:1: request.path: "),
        ({"look": "answer: {code: 'a b'}"}, "office/mapping/look.yaml:1: answer.code: not a JMESPath expression"),
        ({"look": "answer: {code: a, same: [[a]]}"}, "office/mapping/look.yaml: answer.same: "),
        (
            {"look": "answer: {code: a, document_required: [done]}"},
            "office/mapping/look.yaml: answer.document_required: ",
        ),
        ({"look": "answer: 3"}, "office/mapping/look.yaml: answer: "),
    ],
)
def test_a_wrong_mapping_is_one_sentence_with_file_and_key(tmp_path, mappings, sentence):
    with pytest.raises(ManifestError) as caught:
        _load(tmp_path, mappings=mappings)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ('[codes."*"]\na = {}', "office/codes.toml:2: codes.*.a: either a status or an error"),
        ('[codes."*"]\na = { status = "succeeded", error = "faulted" }', "either a status or an error"),
        ('[codes."*"]\na = { status = "refused" }', "office/codes.toml:2: codes.*.a: refused needs a canonical code"),
        ('[codes."*"]\na = { status = "in_doubt" }', "in_doubt needs a canonical code"),
        (
            '[codes."*"]\na = { status = "fine" }',
            "office/codes.toml:2: codes.\"*\".a.status: invalid enum value 'fine'",
        ),
        (
            '[codes.act]\na = { status = "succeeded" }',
            "office/codes.toml:1: codes.act: the manifest has no such operation",
        ),
        ('[tables.kind]\na = "1"\nb = "1"', "office/codes.toml: table kind: code '1' stands twice"),
        ("[colours]", "office/codes.toml:1: colours: unknown key"),
        ("codes = 3", "office/codes.toml:1: codes: expected `object`, got `int`"),
    ],
)
def test_a_wrong_code_table_is_one_sentence_with_file_and_key(tmp_path, codes, sentence):
    with pytest.raises(ManifestError) as caught:
        _load(tmp_path, codes=codes)
    assert sentence in str(caught.value)


def test_the_canonical_codes_of_a_connector_can_be_listed():
    codes = find_packages()["education"].codes.canonical_codes()
    assert {"certificate_not_found", "applicant_mismatch", "record_withheld"} <= codes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "connector office needs the setting base_url"),
        ({"base_url": "http://127.0.0.1", "colour": "red"}, "connector office has no setting colour"),
        ({"base_url": "127.0.0.1:80"}, "setting office.base_url: an http or https address"),
        ({"base_url": "ftp://host"}, "setting office.base_url"),
        ({"base_url": "http://user:secret@host"}, "setting office.base_url"),
        ({"base_url": "http://host:99999"}, "setting office.base_url"),
        ({"base_url": 80}, "setting office.base_url"),
    ],
)
def test_a_wrong_setting_is_one_sentence_without_its_value(tmp_path, values, sentence):
    folder = write_package(tmp_path, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    with pytest.raises(SettingError) as caught:
        office(folder, **values)
    assert str(caught.value).startswith(sentence)
    assert "secret" not in str(caught.value)


def test_settings_are_read_in_their_types_with_defaults(tmp_path):
    extra = "".join(
        f'[settings.{name}]\ntype = "{kind}"\n{default}\n'
        for name, kind, default in [
            ("n", "integer", ""),
            ("x", "number", "default = 1.5"),
            ("b", "boolean", "default = false"),
            ("t", "text", ""),
        ]
    )
    manifest = _load(tmp_path, MANIFEST + extra + LOOK)["office"].manifest
    values = manifest.checked_settings({"base_url": "http://host:1/", "n": "7", "b": "true", "t": "text"})
    assert values == {"base_url": "http://host:1", "n": 7, "x": 1.5, "b": True, "t": "text"}
    for wrong in ({"n": True}, {"n": "7.5"}, {"x": "much"}, {"b": "yes"}, {"b": 1}, {"t": ""}, {"t": 3}):
        with pytest.raises(SettingError):
            manifest.checked_settings({"base_url": "http://host", "n": 1, "t": "text", **wrong})


def test_operations_come_from_the_manifest():
    submit = education("http://127.0.0.1:1").operations["submit"]
    assert (submit.role, submit.effect, submit.inquire, submit.deadline_seconds) == (
        "submit",
        Effect.INQUIRABLE,
        "inquire",
        30.0,
    )


SETTINGS = {"base_url": "http://127.0.0.1:1", "username": "u", "password": "p"}


def _open(folder: Path):
    package = find_packages([folder])["ministry"]
    return open_connector(package, Ports(SETTINGS, LocalTokens(lambda: NOW), lambda: NOW))


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_a_copy_of_a_package_under_another_name_opens(tmp_path):
    assert set(_open(education_copy(tmp_path)).operations) == {"check", "submit", "inquire"}


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "manifest.toml",
            'wire = "CheckRecord"',
            'wire = "CheckRecords"',
            "ministry/manifest.toml:LINE: operations.check.wire: wsdl/education.wsdl: there is no operation CheckRecords (it has CheckRecord, InquireRequest, SubmitRequest)",
        ),
        (
            "manifest.toml",
            "wsdl/education.wsdl",
            "wsdl/other.wsdl",
            "ministry/manifest.toml:LINE: soap.wsdl: there is no file wsdl/other.wsdl",
        ),
        (
            "manifest.toml",
            "wsdl/education.wsdl",
            "../../../etc/hostname",
            "ministry/manifest.toml:LINE: soap.wsdl: '../../../etc/hostname' is not a relative path inside the package's folder",
        ),
        (
            "manifest.toml",
            'path = "/certificates/v1"',
            'path = "/certificates/v1"\nport = "Other"',
            "soap.port of the manifest must name one of its ports: CertificatesPort",
        ),
        (
            "manifest.toml",
            "fault.detail.ServiceFault.Code || fault.code",
            "fault.",
            "ministry/manifest.toml:LINE: soap.fault_code: not a JMESPath expression",
        ),
        ("wsdl/education.wsdl", "</wsdl:definitions>", "", "ministry/wsdl/education.wsdl: the WSDL cannot be read"),
        (
            "wsdl/education.wsdl",
            "<wsdl:definitions ",
            '<!DOCTYPE x [<!ENTITY e "x">]><wsdl:definitions ',
            "ministry/wsdl/education.wsdl: the WSDL cannot be read",
        ),
        (
            "wsdl/education.wsdl",
            'type="tns:Progress"',
            'type="tns:Nothing"',
            "ministry/wsdl/education.wsdl: the WSDL cannot be read",
        ),
        (
            "wsdl/education.wsdl",
            "<soap:binding style",
            "<soap:nothing style",
            "ministry/wsdl/education.wsdl: the WSDL has no port that speaks SOAP over HTTP",
        ),
    ],
)
def test_a_wsdl_that_does_not_match_the_manifest_is_one_sentence(tmp_path, file, old, new, sentence):
    folder = education_copy(tmp_path)
    _change(folder / file, old, new)
    with pytest.raises(ManifestError) as caught:
        _open(folder)
    line = 1 + (folder / file).read_text("utf-8").partition(new or "\0")[0].count("\n")
    assert sentence.replace("LINE", str(line)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:9/x.xsd", "file:///etc/hostname", "/etc/hostname", "../../outside.xsd"]
)
def test_a2_a_schema_outside_the_package_is_never_loaded(tmp_path, location):
    folder = education_copy(tmp_path)
    (tmp_path / "outside.xsd").write_text(
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"/>', "ascii"
    )
    _change(
        folder / "wsdl" / "education.wsdl",
        '<xsd:simpleType name="NationalNumber">',
        f'<xsd:import namespace="urn:o" schemaLocation="{location}"/><xsd:simpleType name="NationalNumber">',
    )
    with pytest.raises(ManifestError, match="the WSDL cannot be read"):
        _open(folder)


def test_a_schema_file_inside_the_package_is_loaded(tmp_path):
    folder = education_copy(tmp_path)
    (folder / "wsdl" / "beside.xsd").write_text(
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"><xsd:simpleType name="Note"><xsd:restriction base="xsd:string"/></xsd:simpleType></xsd:schema>',
        "ascii",
    )
    wsdl = folder / "wsdl" / "education.wsdl"
    _change(
        wsdl,
        '<xsd:simpleType name="NationalNumber">',
        '<xsd:import namespace="urn:o" schemaLocation="beside.xsd"/><xsd:simpleType name="NationalNumber">',
    )
    _change(
        wsdl,
        '<xsd:element name="Text" type="xsd:string" minOccurs="0"/>',
        '<xsd:element name="Text" type="o:Note" minOccurs="0" xmlns:o="urn:o"/>',
    )
    assert _open(folder).name == "ministry"
    shutil.rmtree(folder)
