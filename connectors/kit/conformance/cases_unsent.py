"""When nothing was sent, the error says so, and the institution saw nothing."""

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from connectors.kit.conformance.bench import Bench, heard, opened
from connectors.kit.conformance.canned import Said, canned
from connectors.kit.conformance.case import case, require
from connectors.kit.contract import Call
from connectors.kit.errors import NotSent

_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def _free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@case(
    "unsent",
    "refused-connection",
    "حين ترفض الجهة الاتصال يقول الخطأ إن شيئاً لم يُرسل.",
    "A refused connection means that nothing was sent.",
)
async def a_refused_connection_means_not_sent(bench: Bench) -> None:
    """(N1) Nobody listens."""
    document = bench.subject.document(bench.name)
    secrets = {**dict.fromkeys(bench.declared.secrets, "000000"), **bench.subject.sample(bench.name).call().secrets}
    async with opened(bench.subject, _free_port()) as connector:
        word, came = await heard(connector, bench.name, Call(document["operation_id"], document, secrets))
        require(
            isinstance(came, NotSent) and came.retryable and not came.maybe_delivered,
            f"لا أحد يستمع عند العنوان، وجاء {word}. ({came})",
            f"Nobody listens at the address, and {word} came. ({came})",
        )
        require(
            await connector.reachable() is False,
            "قال الموصل إن الجهة متاحة ولا أحد يستمع.",
            "The connector says that the institution is reachable, and nobody listens.",
        )


@case(
    "unsent",
    "closed-send-gate",
    "حين تُغلق بوابة الإرسال لا يخرج بايت واحد.",
    "A closed send gate lets no byte out.",
)
async def a_closed_send_gate_lets_no_byte_out(bench: Bench) -> None:
    """The send window has passed; then the gate is open again."""

    def closed() -> None:
        raise NotSent("the send window has passed")

    async with bench.staged() as stage:
        call = await stage.ready()
        sent = stage.sandbox.calls(bench.name)
        word, came = await heard(stage.connector, bench.name, replace(call, send_gate=closed))
        require(
            isinstance(came, NotSent) and "send window" in str(came) and stage.sandbox.calls(bench.name) == sent,
            f"أُرسل الطلب مع أن البوابة مغلقة. ({word})",
            f"The request was sent although the gate was closed. ({word})",
        )
        word, came = await heard(stage.connector, bench.name, call)
        require(
            word == bench.subject.good(bench.name) and await stage.connector.reachable(),
            f"بعد فتح البوابة صار النداء {word}.",
            f"After the gate was opened the call became {word}.",
        )


@case(
    "unsent",
    "proxy-of-the-machine",
    "لا يُستعمل وسيط (proxy) من بيئة الجهاز ولا كلمة سر من ‎.netrc.",
    "Proxy and .netrc settings of the machine are ignored.",
    alone=True,
)
async def proxies_of_the_machine_are_ignored(bench: Bench) -> None:
    """(N16) A proxy listens and hears nothing."""
    with tempfile.TemporaryDirectory() as folder:
        netrc = Path(folder) / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
        async with canned(Said(b"{}")) as proxy:
            address = f"http://127.0.0.1:{proxy.port}"
            with _environment({**dict.fromkeys(_PROXIES, address), "NETRC": str(netrc)}):
                async with bench.staged() as stage:
                    word, _ = await heard(stage.connector, bench.name, await stage.ready())
    require(
        word == bench.subject.good(bench.name) and proxy.asked == [],
        f"تأثر النداء بوسيط الجهاز. ({word})",
        f"The machine's proxy had an influence on the call. ({word})",
    )


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
