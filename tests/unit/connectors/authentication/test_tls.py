"""Mutual TLS and the faults of certificates, against real TLS servers."""

import ssl

import pytest

from connectors.kit.errors import ConnectionLost, NotSent
from connectors.kit.manifest import SettingError
from tests.unit.connectors.authentication.authority import authority, server_context
from tests.unit.connectors.authentication.guarded import (
    alerting_after_reading,
    ask,
    guarded,
    handshakes,
    opened,
    package,
)

MUTUAL = '[authentication]\nkind = "mutual_tls"\n[http]\ntrust = "ministry_ca"\n'
SETTINGS = "client_certificate=pem client_key!=pem ministry_ca=pem"


def _client(
    tmp_path, url, *, manifest=MUTUAL, name="jisr", issuer="Ministry authority", trusted="Ministry authority", days=2
):
    pair = authority(issuer).issue(name, days=days)
    folder = tmp_path / "office"
    if not folder.exists():
        package(tmp_path, manifest, SETTINGS)
    return opened(
        folder,
        base_url=url,
        client_certificate=pair.certificate,
        client_key=pair.key,
        ministry_ca=authority(trusted).certificate,
    )


def _server(tmp_path, *, host="127.0.0.1", issuer="Ministry authority", days=2, clients="Ministry authority"):
    pair = authority(issuer).issue("server", host=host, days=days)
    return server_context(pair, tmp_path, clients=authority(clients).certificate if clients else None)


async def test_mutual_tls_shows_the_certificate_and_the_institution_knows_it(tmp_path):
    async with guarded(lambda seen: seen.client == "jisr", tls=_server(tmp_path)) as server:
        outcome = await ask(_client(tmp_path, server.url))
        other = await ask(_client(tmp_path, server.url, name="somebody"))
    assert (outcome.status, other.status) == ("succeeded", "refused")


async def test_an_institution_may_demand_tls_13(tmp_path):
    context = _server(tmp_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    newest = MUTUAL.replace("[http]", 'highest_version = "1.3"\n[http]')
    async with guarded(lambda seen: seen.client == "jisr", tls=context) as server:
        outcome = await ask(_client(tmp_path, server.url, manifest=newest))
    assert outcome.status == "succeeded"


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ({"issuer": "Another authority"}, "unable to get local issuer certificate"),
        ({"days": -1}, "certificate has expired"),
        ({"host": "elsewhere.example"}, "certificate is not valid for '127.0.0.1'"),
    ],
    ids=["unknown authority", "expired", "wrong host"],
)
async def test_n14_a_wrong_certificate_of_the_institution_is_not_sent_to(tmp_path, server, sentence):
    async with guarded(lambda _: True, tls=_server(tmp_path, **server)) as institution:
        error = await ask(_client(tmp_path, institution.url))
        assert institution.seen == []
    assert isinstance(error, NotSent)
    assert "the institution's certificate is refused" in str(error)
    assert sentence in str(error)


async def test_n14_a_client_certificate_that_is_refused_is_not_sent(tmp_path):
    with handshakes(_server(tmp_path)) as url:
        unknown = await ask(_client(tmp_path, url, issuer="Another authority"))
        expired = await ask(_client(tmp_path, url, days=-1))
    assert isinstance(unknown, NotSent)
    assert str(unknown) == "the institution refuses our certificate (unknown ca)"
    assert isinstance(expired, NotSent)
    assert str(expired) == "the institution refuses our certificate (certificate expired)"


async def test_n14_a_handshake_that_is_broken_off_is_not_sent(tmp_path):
    async with guarded(lambda _: True, tls=_server(tmp_path)) as server:
        error = await ask(_client(tmp_path, server.url, issuer="Another authority"))
        assert server.seen == []
    assert isinstance(error, NotSent)
    assert "it may not accept our certificate" in str(error)


async def test_n14_an_alert_after_our_first_byte_is_no_proof_that_nothing_was_read(tmp_path):
    """In TLS 1.3 the same alert comes from a server that read nothing and from one that read everything."""
    newest = MUTUAL.replace("[http]", 'highest_version = "1.3"\n[http]')
    read: list[bytes] = []
    with alerting_after_reading(_server(tmp_path), tmp_path / "keys", read) as url:
        after_reading = await ask(_client(tmp_path, url, manifest=newest))
    context = _server(tmp_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with handshakes(context) as url:
        before = await ask(_client(tmp_path, url, issuer="Another authority"))
    assert b"POST /acts/op-1" in read[0]
    assert isinstance(after_reading, ConnectionLost)
    assert after_reading.maybe_delivered
    assert str(after_reading) == (
        "the institution refuses our certificate (unknown ca), and said so after the first bytes had left"
    )
    assert isinstance(before, ConnectionLost)


async def test_n14_there_is_no_fallback_to_plain_text(tmp_path):
    async with guarded(lambda _: True) as plain:
        error = await ask(_client(tmp_path, plain.url.replace("http:", "https:")))
        assert plain.seen == []
    assert isinstance(error, NotSent)
    with pytest.raises(SettingError, match="mutual TLS needs an https address"):
        _client(tmp_path, "http://127.0.0.1:1")


async def test_the_systems_authorities_are_asked_when_none_is_named(tmp_path):
    folder = package(tmp_path, "")
    async with guarded(lambda _: True, tls=_server(tmp_path, clients=None)) as server:
        error = await ask(opened(folder, base_url=server.url))
    assert isinstance(error, NotSent)
    assert "the institution's certificate is refused" in str(error)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"client_key": "-----BEGIN NOTHING-----\nnone"},
            "office.client_certificate and office.client_key: they are",
        ),
        ({"client_certificate": "-----BEGIN NONE"}, "office.client_certificate and office.client_key: they are"),
        ({"client_key": "/etc/jisr/client.key"}, "setting office.client_key: the text of a PEM file"),
        ({"ministry_ca": "-----BEGIN NONE"}, "setting office.ministry_ca: no certificate in PEM is there"),
    ],
)
def test_unreadable_keys_are_one_sentence_without_them(tmp_path, changes, sentence):
    pair = authority().issue("jisr")
    settings = {
        "base_url": "https://127.0.0.1:1",
        "client_certificate": pair.certificate,
        "client_key": pair.key,
        "ministry_ca": authority().certificate,
    }
    with pytest.raises(SettingError) as caught:
        opened(package(tmp_path, MUTUAL, SETTINGS), **(settings | changes))
    assert sentence in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_a_key_of_another_certificate_is_refused(tmp_path):
    pair, other = authority().issue("jisr"), authority().issue("other")
    with pytest.raises(SettingError, match="they are no certificate and its unencrypted private key"):
        opened(
            package(tmp_path, MUTUAL, SETTINGS),
            base_url="https://127.0.0.1:1",
            client_certificate=pair.certificate,
            client_key=other.key,
            ministry_ca=authority().certificate,
        )
