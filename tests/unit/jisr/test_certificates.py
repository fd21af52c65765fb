"""The doctor says before a certificate of a connector ends, and after."""

import pytest

from connectors.registry import find_packages
from jisr.checks import _certificates
from tests.unit.connectors.authentication.authority import authority
from tests.unit.connectors.authentication.guarded import package

SETTINGS = "client_certificate=pem client_key!=pem ministry_ca=pem"


def _findings(tmp_path, days):
    folder = package(tmp_path, '[authentication]\nkind = "mutual_tls"\n', SETTINGS)
    pair = authority().issue("jisr", days=days)
    given = {"client_certificate": pair.certificate, "client_key": pair.key}
    return list(_certificates(("الموصل", "connector"), find_packages([folder])["office"], given))


@pytest.mark.parametrize(("days", "left"), [(-1, "in -"), (5, "in 4 days")])
def test_n14_a_certificate_that_ends_soon_or_has_ended_is_a_finding(tmp_path, days, left):
    (finding,) = _findings(tmp_path, days)
    assert not finding.good
    assert "client_certificate ends on" in finding.said[1]
    assert left in finding.said[1]
    assert "client_certificate" in finding.said[0]


def test_a_certificate_that_lasts_is_no_finding(tmp_path):
    assert _findings(tmp_path, 400) == []
