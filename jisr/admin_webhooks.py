"""The administrative commands about webhooks: `jisr webhook` asks a running server, or does it on the store itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.errors import Problem
from gateway.webhooks.address import Guard
from gateway.webhooks.desk import WebhookDesk, delivery_view, endpoint_view
from jisr.admin import Desk, command
from jisr.errors import CommandError

Given = Mapping[str, Any]


def _desk(desk: Desk) -> WebhookDesk:
    return WebhookDesk(desk.store, Guard(desk.settings.webhooks), desk.settings.webhooks)


def _told(function: Callable[[WebhookDesk, Given], Awaitable[Any]]) -> Callable[[Desk, Given], Awaitable[Any]]:
    """With the sentence of a refusal in the language of whoever asks."""

    async def run(desk: Desk, given: Given) -> Any:
        try:
            return await function(_desk(desk), given)
        except Problem as problem:
            texts = [error.message for error in problem.errors] or [problem.entry.clerk.filled(problem.facts)]
            language = str(given.get("language", "en"))
            raise CommandError(" ".join(text.in_language(language) for text in texts)) from problem

    return run


@command("webhook.add")
@_told
async def _add(desk: WebhookDesk, given: Given) -> Any:
    channel = await desk.channel(given["channel"])
    return {"secret": None, **(await desk.add(channel, given["url"], given["events"])).body}


@command("webhook.list")
@_told
async def _list(desk: WebhookDesk, given: Given) -> Any:
    scope = await desk.channel(given["channel"]) if given.get("channel") else None
    return [endpoint_view(*each) for each in await desk.all(scope)]


@command("webhook.rotate")
@_told
async def _rotate(desk: WebhookDesk, given: Given) -> Any:
    return (await desk.rotate(given["id"], None, hours=given.get("hours"))).body


@command("webhook.switch")
@_told
async def _switch(desk: WebhookDesk, given: Given) -> Any:
    await desk.switch(given["id"], None, active=bool(given["active"]))
    return endpoint_view(*await desk.one(given["id"], None))


@command("webhook.remove")
@_told
async def _remove(desk: WebhookDesk, given: Given) -> Any:
    await desk.remove(given["id"], None)
    return {"id": given["id"]}


@command("webhook.ping")
@_told
async def _ping(desk: WebhookDesk, given: Given) -> Any:
    return (await desk.ping(given["id"], None)).body


@command("webhook.log")
@_told
async def _log(desk: WebhookDesk, given: Given) -> Any:
    if given.get("event"):
        return [delivery_view(*await desk.delivery(given["id"], given["event"], None))]
    page = await desk.log(given["id"], None, states=given["states"], limit=int(given["limit"]))
    return [delivery_view(each) for each in page.items]


@command("webhook.redeliver")
@_told
async def _redeliver(desk: WebhookDesk, given: Given) -> Any:
    if not given.get("event"):
        return (await desk.redeliver_failed(given["id"], None)).body
    await desk.redeliver(given["id"], given["event"], None)
    return {"count": 1}
