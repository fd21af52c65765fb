"""An institution that knows its callers by certificate and signature: its sandbox, with certificates made on the spot."""

import http.client
import re
import ssl
from datetime import UTC, datetime

import pytest

from connectors.kit.contract import Ports
from connectors.kit.errors import ConnectionLost, ConnectorError, NotSent
from connectors.kit.sandbox.certificates import certificates_of
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.sandboxes import start_sandbox, stop_sandbox
from tests.unit.connectors.kit.sandbox.packages import copy_of, replaced
from tests.unit.connectors.packages import call

PROOFS = """[[authentication]]
kind = "mutual_tls"
[[authentication]]
kind = "username_token"
[[authentication]]
kind = "x509_signature"
[http]
trust = "ministry_ca"
"""
SETTINGS = {
    "client_certificate": "client.certificate",
    "client_key": "client.key",
    "ministry_ca": "authority.certificate",
    "signing_certificate": "signer.certificate",
    "signing_key": "signer.key",
    "institution_certificate": "institution.certificate",
}


def guarded_ministry(into):
    """Education, as a ministry that demands everything at once."""
    folder = copy_of("education", into)
    declared = "".join(
        f'[settings.{name}]\ntype = "pem"\nsecret = {str(name.endswith("_key")).lower()}\n' for name in SETTINGS
    )
    replaced(folder / "manifest.toml", '[authentication]\nkind = "username_token"\n', PROOFS + declared)
    values = "".join(f'{name} = "{{{made}}}"\n' for name, made in SETTINGS.items())
    replaced(folder / "sandbox.toml", 'base_url = "http:', values + 'base_url = "https:')
    signing = '[signing]\ncertificate = "{institution.certificate}"\nkey = "{institution.key}"\n\n[reads]'
    replaced(folder / "sandbox.toml", "[reads]", signing)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return guarded_ministry(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def process(folder):
    running = start_sandbox(str(folder))
    yield running
    stop_sandbox(running)


@pytest.fixture
def ministry(process):
    process.reset()
    return process


def opened(folder, ministry, **settings):
    ports = Ports(ministry.settings | settings, LocalTokens(), lambda: datetime.now(UTC))
    return open_connector(find_packages([folder.parent])[folder.name], ports)


async def submitted(connector):
    try:
        return await connector.send(connector.prepare("submit", call()))
    except ConnectorError as error:
        return error
    finally:
        await connector.close()


@pytest.fixture(autouse=True)
def another_name(folder, monkeypatch):
    """The copy's name is the tree's own; only the copy is found here."""
    monkeypatch.setattr("connectors.registry.BUILT_IN", ())


async def test_certificate_user_and_signature_go_together_and_the_answer_is_signed(folder, ministry):
    connector = opened(folder, ministry)
    outcome = await submitted(connector)
    assert outcome.status == "succeeded"
    assert b"BinarySecurityToken" in outcome.exchange.response
    assert len(re.findall(rb"<ds:Reference ", outcome.exchange.response)) == 2
    assert ministry.count("op-1") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "another"},
        {"signing_certificate": "{institution.certificate}", "signing_key": "{institution.key}"},
        {"client_certificate": "{server.certificate}", "client_key": "{server.key}"},
    ],
    ids=["user", "signature", "certificate"],
)
async def test_each_of_the_three_is_demanded(folder, ministry, changes):
    made = certificates_of(folder.name)
    came = await submitted(opened(folder, ministry, **{name: made.filled(value) for name, value in changes.items()}))
    assert isinstance(came, ConnectorError)
    assert ministry.count() == 0


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ("expired_client", "the institution refuses our certificate (certificate expired)"),
        ("unknown_client", "the institution refuses our certificate (unknown ca)"),
    ],
)
async def test_n14_a_clients_certificate_that_is_not_good_is_refused_before_anything_is_sent(
    folder, ministry, shown, sentence
):
    made = certificates_of(folder.name)
    pair = {
        "client_certificate": made.filled(f"{{{shown}.certificate}}"),
        "client_key": made.filled(f"{{{shown}.key}}"),
    }
    connector = opened(folder, ministry, **pair)
    came = await submitted(connector)
    assert isinstance(came, NotSent)
    assert str(came) == sentence
    assert ministry.calls("submit") == 0


@pytest.mark.parametrize(
    ("how", "said"), [("unknown", "unknown ca"), ("expired", "certificate expired"), ("revoked", "certificate revoked")]
)
async def test_n14_a_switch_refuses_a_good_certificate_for_as_many_connections_as_it_says(folder, ministry, how, said):
    connector = opened(folder, ministry)
    assert (await submitted(connector)).status == "succeeded"
    ministry.switch("client_certificate", how, times=1)
    refused = await submitted(connector)
    assert isinstance(refused, NotSent)
    assert str(refused) == f"the institution refuses our certificate ({said})"
    assert (await submitted(connector)).status == "succeeded"
    assert ministry.calls("submit") == 2


async def test_n14_in_tls_13_the_refusal_comes_after_our_first_bytes_and_leaves_the_call_in_doubt(
    folder, ministry, tmp_path
):
    newest = guarded_ministry(tmp_path)
    replaced(newest / "manifest.toml", 'kind = "mutual_tls"\n', 'kind = "mutual_tls"\nhighest_version = "1.3"\n')
    connector = opened(newest, ministry)
    ministry.switch("client_certificate", "revoked")
    came = await submitted(connector)
    ministry.switches_off()
    assert (await submitted(connector)).status == "succeeded"
    assert isinstance(came, ConnectionLost)
    assert came.maybe_delivered
    assert "refuses our certificate (certificate revoked), and said so after the first bytes had left" in str(came)


def test_the_page_is_in_plain_http_and_the_wire_is_not(ministry):
    for path, status in (("/_sandbox/health", 200), ("/certificates/v1", 400)):
        connection = http.client.HTTPConnection("127.0.0.1", ministry.port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()
    context = ssl.create_default_context(cafile=certificates_of(ministry.name).path("authority"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    secure = http.client.HTTPSConnection("127.0.0.1", ministry.port, timeout=10, context=context)
    with pytest.raises(ssl.SSLError, match=r"(?i)alert handshake failure|certificate required"):
        secure.request("GET", "/certificates/v1")


def test_keys_are_for_their_owner_alone_and_stand_in_no_package(folder, ministry):
    made = certificates_of(folder.name)
    assert {file.stat().st_mode & 0o777 for file in made.folder.iterdir()} == {0o600}
    assert not list(folder.rglob("*.key"))
    assert "BEGIN" not in (folder / "sandbox.toml").read_text("utf-8")
