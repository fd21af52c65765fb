"""When nothing was sent, the error says so, and the institution saw nothing."""

import socket
from dataclasses import replace

import pytest

from connectors.kit.contract import Call
from connectors.kit.errors import NotSent
from tests.conformance.canned import Said, canned
from tests.conformance.live import staged
from tests.conformance.packages import OPERATIONS, base_document, heard, opened, say


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n1_a_refused_connection_means_not_sent(name, operation) -> None:
    document = base_document(name, operation)
    async with opened(name, free_port()) as connector:
        with pytest.raises(NotSent) as refused:
            await say(connector, operation, Call(document["operation_id"], document, {"otp": "000000"}))
        assert refused.value.retryable
        assert refused.value.maybe_delivered is False
        assert await connector.reachable() is False


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_a_closed_send_gate_lets_no_byte_out(sandbox, name, operation) -> None:
    def closed() -> None:
        raise NotSent("the send window has passed")

    async with staged(name, operation, sandbox) as stage:
        call = await stage.ready()
        sent = stage.sandbox.calls(operation)
        with pytest.raises(NotSent, match="send window"):
            await say(stage.connector, operation, replace(call, send_gate=closed))
        assert stage.sandbox.calls(operation) == sent
        assert (await heard(stage.connector, operation, call))[0] == "succeeded"
        assert await stage.connector.reachable() is True


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
async def test_n16_proxy_and_netrc_settings_of_the_machine_are_ignored(
    sandbox, monkeypatch, tmp_path, name, operation
) -> None:
    async with canned(Said(b"{}")) as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        async with staged(name, operation, sandbox) as stage:
            assert (await heard(stage.connector, operation, await stage.ready()))[0] == "succeeded"
        assert proxy.asked == []
