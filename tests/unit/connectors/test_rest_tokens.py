"""Access tokens of REST connectors: fetched once, refetched once, never kept in evidence."""

import asyncio
import base64
import json

import pytest

from connectors.kit.contract import Ports, Status
from connectors.kit.errors import (
    MappingFailed,
    NotSent,
    TokenUnavailable,
)
from connectors.kit.tokens import LocalTokens
from connectors.registry import find_packages, open_connector
from tests.unit.connectors.packages import ANSWER, MANIFEST, NOW, call, office, write_package
from tests.unit.connectors.raw_server import RawServer, resets, says, wire
from tests.unit.connectors.rest_office import ACT, JSON, LOOK_MAPPING, MAPPINGS, answer, send

OAUTH = (
    MANIFEST
    + '[settings.client_id]\ntype="text"\n[settings.client_secret]\ntype="text"\nsecret=true\n[authentication]\nkind="oauth2_client_credentials"\ntoken_path="/token"\nscope="acts"\n'
    + ACT
)
CLIENT = {"client_id": "jisr:1", "client_secret": "an invented secret"}


def token(value, **fields):
    return wire(
        "200 OK",
        json.dumps({"access_token": value, "token_type": "Bearer", "expires_in": 3600, **fields}).encode(),
        JSON,
    )


async def test_oauth2_fetches_one_token_and_sends_it(tmp_path):
    outcome, received = await send(tmp_path, [says(token("t1")), says(answer())], manifest=OAUTH, settings=CLIENT)
    assert outcome.status is Status.SUCCEEDED
    fetch, act = received
    assert (fetch.line, fetch.body) == ("POST /token HTTP/1.1", b"grant_type=client_credentials&scope=acts")
    assert base64.b64decode(fetch.header("Authorization").removeprefix("Basic ")) == b"jisr%3A1:an%20invented%20secret"
    assert act.header("Authorization") == "Bearer t1"


async def test_a_401_has_the_token_refetched_once_and_the_call_repeated_once(tmp_path):
    unauthorised = wire("401 Unauthorized", b"", "WWW-Authenticate: Bearer")
    outcome, received = await send(
        tmp_path,
        [says(token("t1")), says(unauthorised), says(token("t2")), says(answer())],
        manifest=OAUTH,
        settings=CLIENT,
    )
    assert outcome.status is Status.SUCCEEDED
    assert [request.line.split()[1] for request in received] == ["/token", "/acts/op-1", "/token", "/acts/op-1"]
    assert received[-1].header("Authorization") == "Bearer t2"


async def test_a_fresh_token_that_is_refused_too_ends_as_token_unavailable(tmp_path):
    unauthorised = says(wire("401 Unauthorized", b""))
    error, received = await send(
        tmp_path,
        [says(token("t1")), unauthorised, says(token("t2")), unauthorised, says(answer())],
        manifest=OAUTH,
        settings=CLIENT,
    )
    assert isinstance(error, TokenUnavailable)
    assert not error.maybe_delivered
    assert len(received) == 4


@pytest.mark.parametrize(
    "script",
    [
        says(wire("500 Error", b"")),
        says(wire("401 Unauthorized", b"{}", JSON)),
        resets(),
        says(token("")),
        says(token("a\r\nb")),
        says(token(None)),
        says(token("t", token_type="mac")),
        says(token("t", expires_in="soon")),
        says(wire("200 OK", b"<html>")),
    ],
)
async def test_a_token_that_cannot_be_fetched_means_that_nothing_was_sent(tmp_path, script):
    error, received = await send(tmp_path, [script], manifest=OAUTH, settings=CLIENT)
    assert isinstance(error, TokenUnavailable)
    assert isinstance(error, NotSent)
    assert [request.line for request in received] == ["POST /token HTTP/1.1"]
    assert "an invented secret" not in str(error)


async def test_one_of_many_calls_fetches_the_token(tmp_path):
    folder = write_package(tmp_path, manifest=OAUTH, mappings=MAPPINGS)
    async with RawServer([says(token("t1")), says(answer())]) as server:
        settings = {"base_url": server.url, **CLIENT}
        cache = LocalTokens(lambda: NOW)
        workers = [
            open_connector(find_packages([folder])["office"], Ports(settings, cache, lambda: NOW)) for _ in range(3)
        ]
        await asyncio.gather(*(worker.send(worker.prepare("act", call())) for worker in workers for _ in range(5)))
        for worker in workers:
            await worker.close()
    assert [request.line.split()[1] for request in server.received].count("/token") == 1


WALLET = (
    MANIFEST
    + """
[settings.password]
type = "text"
secret = true
[authentication]
kind = "token_operation"
operation = "token"
[operations.token]
wire = "POST /getToken"
role = "token"
effect = "safe"
[operations.confirm]
wire = "POST /confirm"
role = "confirm"
effect = "none"
secrets = ["otp"]
"""
)
WALLET_MAPPINGS = {
    "token": "request:\n  body: {password: settings.password}\nanswer: {code: answer.status, token: answer.token}\n",
    "confirm": "request:\n  body: {otp: secrets.otp, id: subject_operation_id, token: token}\n" + ANSWER,
}
PAY = {
    "manifest": WALLET,
    "mappings": WALLET_MAPPINGS,
    "settings": {"password": "invented"},
    "operation": "confirm",
    "secrets": {"otp": "4711"},
}


async def test_a_token_in_the_body_is_fetched_by_its_operation(tmp_path):
    outcome, received = await send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY)
    assert outcome.status is Status.SUCCEEDED
    assert json.loads(received[0].body) == {"password": "invented"}
    assert json.loads(received[1].body) == {"otp": "4711", "id": "op-1", "token": "t1"}


async def test_secrets_are_masked_in_what_is_kept_and_hashed(tmp_path):
    outcome, _ = await send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY)
    assert json.loads(outcome.exchange.request) == {"otp": "***", "id": "op-1", "token": "***"}
    connector = office(tmp_path / "office", base_url="http://127.0.0.1:1", password="x")
    first, second = (connector.prepare("confirm", call(secrets={"otp": otp})) for otp in ("4711", "0815"))
    assert first.payload_hash == second.payload_hash
    assert (
        first.payload_hash
        != connector.prepare("confirm", call(document={**call().document, "subject_operation_id": "op-9"})).payload_hash
    )


async def test_a_call_that_lacks_its_secret_is_never_sent(tmp_path):
    error, received = await send(tmp_path, [says(answer(token="t1"))], **{**PAY, "secrets": {}})
    assert isinstance(error, MappingFailed)
    assert "/confirm" not in [request.line.split()[1] for request in received]


async def test_a_rejected_token_is_refetched_once_and_the_call_repeated_once(tmp_path):
    outcome, received = await send(
        tmp_path, [says(answer(token="t1")), says(answer("stale")), says(answer(token="t2")), says(answer())], **PAY
    )
    assert outcome.status is Status.SUCCEEDED
    assert [json.loads(request.body).get("token") for request in received] == [None, "t1", None, "t2"]


@pytest.mark.parametrize(
    "script",
    [
        says(answer("broken")),
        says(answer("no")),
        says(answer(token=None)),
        says(answer("unheard of", token="t")),
        resets(),
    ],
)
async def test_a_token_operation_that_fails_means_that_nothing_was_sent(tmp_path, script):
    error, received = await send(tmp_path, [script], **PAY)
    assert isinstance(error, TokenUnavailable)
    assert [request.line.split()[1] for request in received] == ["/getToken"]


async def test_the_send_gate_guards_the_act_and_not_its_token(tmp_path):
    def closed():
        raise NotSent("the send window has passed")

    error, received = await send(tmp_path, [says(answer(token="t1")), says(answer())], **PAY, send_gate=closed)
    assert type(error) is NotSent
    assert [request.line.split()[1] for request in received] == ["/getToken"]


async def test_the_send_gate_does_not_stop_an_oauth2_token(tmp_path):
    def closed():
        raise NotSent("the send window has passed")

    error, received = await send(
        tmp_path, [says(token("t1")), says(answer())], manifest=OAUTH, settings=CLIENT, send_gate=closed
    )
    assert type(error) is NotSent
    assert [request.line.split()[1] for request in received] == ["/token"]


async def test_an_act_that_nobody_can_ask_about_never_takes_a_kept_connection(tmp_path):
    folder = write_package(tmp_path, manifest=WALLET, mappings=WALLET_MAPPINGS)
    async with RawServer([says(answer(token="t1")), says(answer())]) as server:
        connector = office(folder, base_url=server.url, password="invented")
        for _ in range(3):
            await connector.send(connector.prepare("confirm", call(secrets={"otp": "4711"})))
        await connector.close()
    assert len({request.connection for request in server.received}) == len(server.received) == 4


def test_a_token_operation_is_not_offered_to_the_gateway(tmp_path):
    connector = office(
        write_package(tmp_path, manifest=WALLET, mappings=WALLET_MAPPINGS), base_url="http://127.0.0.1:1", password="x"
    )
    assert set(connector.operations) == {"confirm"}


async def test_the_callers_smaller_deadline_counts_for_token_and_act_together(tmp_path):
    begun = asyncio.get_running_loop().time()
    error, received = await send(tmp_path, [says(answer(token="t1")), says(b"")], **PAY, deadline_seconds=0.3)
    assert error.code == "upstream_timeout"
    assert len(received) == 2
    assert asyncio.get_running_loop().time() - begun < 10  # the operation's own deadline is 30 seconds


async def test_a_secret_setting_in_a_body_is_sent_and_never_kept(tmp_path):
    manifest = MANIFEST + '[settings.password]\ntype="text"\nsecret=true\n[settings.user]\ntype="text"\n' + ACT
    mapping = "request:\n  path: {id: operation_id}\n  body: {user: settings.user, password: settings.password}\n"
    mappings = {"act": mapping + ANSWER, "look": LOOK_MAPPING + ANSWER}
    settings = {"user": "jisr", "password": "invented"}
    outcome, received = await send(tmp_path, [says(answer())], manifest=manifest, mappings=mappings, settings=settings)
    assert json.loads(received[0].body) == {"user": "jisr", "password": "invented"}
    assert json.loads(outcome.exchange.request) == {"user": "jisr", "password": "***"}
