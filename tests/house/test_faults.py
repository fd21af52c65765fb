"""The catalogue of faults is what the tests' names say, and its page is current."""

import pytest

from tests.faults.catalogue import PAGE, faults, page, proofs

proofs_by_id = proofs()


@pytest.mark.parametrize("fault", faults().values(), ids=faults())
def test_each_fault_has_a_test_or_says_what_it_waits_for(fault):
    held = proofs_by_id.get(fault.id, [])

    assert bool(held) != bool(fault.not_yet), f"{fault.id}: tests {held}, not_yet {fault.not_yet!r}"


def test_no_test_carries_an_id_that_the_catalogue_lacks():
    assert set(proofs_by_id) <= set(faults())


def test_the_page_of_faults_is_current():
    assert PAGE.read_text("utf-8") == page(), "python -m tests.faults.catalogue"
