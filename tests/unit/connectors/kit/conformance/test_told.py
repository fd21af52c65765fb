"""What was mended at the import, and what goes through zeep, is said by the check of the package."""

import asyncio
import re
from pathlib import Path

import pytest

from connectors.kit.conformance.case import Result
from connectors.kit.conformance.suite import examine
from connectors.kit.importing.drift import pin
from connectors.kit.importing.wsdl_import import import_wsdl
from tests.unit.connectors.kit.importing.contracts import schema, write, wsdl

WRONG = (
    '<xs:schema targetNamespace="urn:wrap"><xs:import namespace="urn:wrong" schemaLocation="kinds.xsd"/></xs:schema>'
)


def told(package: Path, case: str) -> Result:
    """The result of the one case."""
    (result,) = asyncio.run(examine(package, only=[case]))
    return result


def imported(tmp_path: Path, content: str) -> Path:
    """The package of this WSDL."""
    (tmp_path / "into").mkdir()
    folder, _ = import_wsdl("city", write(tmp_path / "contract", "city.wsdl", content), tmp_path / "into")
    return folder


@pytest.mark.parametrize("pinned_again", [False, True])
def test_a_repair_of_the_import_is_told(tmp_path, pinned_again) -> None:
    write(tmp_path / "contract", "kinds.xsd", schema())
    package = imported(tmp_path, wsdl(WRONG))
    if pinned_again:
        pin(package)

    result = told(package, "repairs")

    assert (result.status, result.noted) == ("passed", True)
    assert "urn:wrong" in result.text.en
    assert "urn:wrong" in result.text.ar


def test_what_goes_through_zeep_is_told(tmp_path) -> None:
    encoded = 'use="encoded" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" namespace="urn:city"'
    content = wsdl().replace('use="literal"', encoded).replace('style="document"', 'style="rpc"')

    result = told(imported(tmp_path, re.sub(r'element="t:[A-Za-z]+"', 'type="xs:string"', content)), "compiled-codec")

    assert (result.status, result.noted) == ("passed", True)
    assert "goes through zeep" in result.text.en


def test_a_plain_contract_has_nothing_to_tell(tmp_path) -> None:
    package = imported(tmp_path, wsdl())

    assert [(told(package, case).status, told(package, case).noted) for case in ("repairs", "compiled-codec")] == [
        ("passed", False)
    ] * 2
