"""A package stays in its folder, and its contract may be read at the first call."""

import shutil
from pathlib import Path

import pytest

from connectors.kit.contract import Ports
from connectors.kit.errors import MappingFailed
from connectors.kit.tokens import LocalTokens
from connectors.registry import ManifestError, find_packages, open_connector
from tests.unit.connectors.packages import ANSWER, MANIFEST, NOW, call, education_copy, write_package

LOOK = '[operations.look]\nwire = "GET /acts"\nrole = "check"\neffect = "safe"\n'
SETTINGS = {"base_url": "http://127.0.0.1:1", "username": "u", "password": "p"}


def test_an_archive_is_refused_in_one_sentence(tmp_path):
    """Packages come as folders only, so that no archive is ever unpacked, whatever it would unfold into."""
    write_package(tmp_path / "made", manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    archive = shutil.make_archive(str(tmp_path / "office"), "zip", tmp_path / "made")
    with pytest.raises(ManifestError, match="a connector package is a folder; unpack an archive"):
        find_packages([Path(archive)])


@pytest.mark.parametrize("name", ["mapping/look.yaml", "codes.toml", "manifest.toml", "samples"])
def test_a_link_that_leads_out_of_the_package_is_refused(tmp_path, name):
    folder = write_package(tmp_path, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    outside = tmp_path / "outside"
    if (folder / name).exists():
        (folder / name).rename(outside)
    else:
        outside.mkdir()
    (folder / name).symlink_to(outside)
    with pytest.raises(ManifestError) as caught:
        find_packages([folder])
    assert str(caught.value) == f"office/{name}: the link leads out of the package's folder"


def test_a_link_inside_the_package_is_followed(tmp_path):
    folder = write_package(tmp_path, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    (folder / "mapping" / "look.yaml").rename(folder / "look.yaml")
    (folder / "mapping" / "look.yaml").symlink_to("../look.yaml")
    assert "office" in find_packages([folder])


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../other.json", "openapi/../../x.json", "openapi\\x.json", "link.json", "none.json"]
)
def test_a_path_of_a_manifest_stays_inside_the_package(tmp_path, path):
    folder = write_package(
        tmp_path, manifest=MANIFEST + f"[rest]\nopenapi = '{path}'\n" + LOOK, mappings={"look": ANSWER}
    )
    (tmp_path / "other.json").write_text("{}", "ascii")
    with pytest.raises(ManifestError) as caught:
        find_packages([folder])
    assert str(caught.value).startswith("office/manifest.toml:11: rest.openapi: ")
    assert "\n" not in str(caught.value)


def test_a_contract_inside_the_package_may_be_named(tmp_path):
    folder = write_package(
        tmp_path, manifest=MANIFEST + '[rest]\nopenapi = "openapi/x.json"\n' + LOOK, mappings={"look": ANSWER}
    )
    (folder / "openapi").mkdir()
    (folder / "openapi" / "x.json").write_text("{}", "ascii")
    assert "office" in find_packages([folder])


def test_a_manifest_of_megabytes_or_of_a_thousand_brackets_is_refused(tmp_path):
    folder = write_package(tmp_path, manifest=MANIFEST + LOOK, mappings={"look": ANSWER})
    (folder / "manifest.toml").write_text("x = " + "[" * 100_000, "ascii")
    with pytest.raises(ManifestError, match=r"office/manifest\.toml"):
        find_packages([folder])
    (folder / "manifest.toml").write_text("#" * 1_000_000, "ascii")
    with pytest.raises(ManifestError, match="larger than 256 KiB"):
        find_packages([folder])


def test_a_wsdl_that_is_opened_lazily_fails_the_first_call_and_nothing_before(tmp_path):
    folder = education_copy(tmp_path)
    wsdl = folder / "wsdl" / "education.wsdl"
    wsdl.write_text(wsdl.read_text("utf-8").replace("</wsdl:definitions>", ""), "utf-8")
    package = find_packages([folder])["ministry"]
    connector = open_connector(package, Ports(SETTINGS, LocalTokens(lambda: NOW), lambda: NOW), lazily=True)
    with pytest.raises(MappingFailed, match=r"education\.wsdl: the WSDL cannot be read"):
        connector.prepare("check", call())
