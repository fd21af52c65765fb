"""Each construct of a schema: what is written is valid and as zeep writes it, and is read as it was and as zeep reads it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.kit.wsdl import WsdlContract, open_wsdl
from tests.corpus.compare import Comparison, first_difference, normal, shape
from tests.unit.connectors.codec.constructs import CONSTRUCTS
from tests.unit.connectors.codec.wsdls import operation, written, wsdl


@pytest.fixture(scope="module")
def contracts(tmp_path_factory) -> dict[str, tuple[WsdlContract, Comparison]]:
    found = {}
    for name, construct in CONSTRUCTS.items():
        folder = written(tmp_path_factory.mktemp("codec"), wsdl(construct.types), **dict(construct.others))
        found[name] = open_wsdl(folder, "w.wsdl"), Comparison(folder, "w.wsdl")
    return found


@pytest.fixture(scope="module")
def typed(tmp_path_factory) -> dict[str, WsdlContract]:
    """The same constructs, written with `xsi:type`."""
    return {
        name: open_wsdl(
            written(tmp_path_factory.mktemp("typed"), wsdl(construct.types), **dict(construct.others)),
            "w.wsdl",
            typed=True,
        )
        for name, construct in CONSTRUCTS.items()
    }


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
def test_every_construct_is_compiled_and_its_schema_too(contracts, name):
    contract, _ = contracts[name]
    assert contract.schema is not None
    assert contract.notes == ()


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_what_is_written_is_valid_and_is_read_as_it_was(contracts, name, data):
    contract, _ = contracts[name]
    value = data.draw(CONSTRUCTS[name].values)
    raw = contract.written(operation(contract).request, value)
    nodes = list(etree.fromstring(b"<b>%b</b>" % raw))
    assert operation(contract).request.fits(nodes)
    assert operation(contract).request.read(nodes) == value


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
@given(data=st.data())
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_with_the_type_of_every_element_it_is_valid_and_is_read_as_it_was(typed, name, data):
    value = data.draw(CONSTRUCTS[name].values)
    raw = typed[name].written(operation(typed[name]).request, value)
    (node,) = etree.fromstring(b"<b>%b</b>" % raw)
    assert operation(typed[name]).request.read([node]) == value


def test_elements_of_named_types_say_their_type_when_that_is_wanted(typed):
    """In the example's own words: what a toolkit that reads nothing without it needs."""
    raw = typed["simple types"].written(operation(typed["simple types"]).request, {"string": "a", "int": 1})
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    said = [str(node.get(kind)).partition(":")[2] for node in etree.fromstring(raw)]
    assert said == ["string", "int"]


@pytest.mark.parametrize("name", sorted(name for name, each in CONSTRUCTS.items() if each.zeep))
@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_zeep_writes_and_reads_the_same(contracts, name, data):
    contract, comparison = contracts[name]
    value = data.draw(CONSTRUCTS[name].values)
    raw = contract.written(operation(contract).request, value)
    body = _zeeps(comparison).input.body
    parent = etree.Element("b")
    body.render(parent, comparison._values.to_zeep(value, body.type))
    (mine,) = etree.fromstring(b"<b>%b</b>" % raw)
    assert shape(mine) == shape(parent[0])
    theirs = comparison._values.from_zeep(body.parse(mine, comparison._document.types), body.type)
    assert first_difference(normal(value), normal(theirs)) is None


def _zeeps(comparison: Comparison) -> Any:
    return comparison.ports()["Port"].get("Do")
