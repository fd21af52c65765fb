"""Addresses that rest: dead for days, switched off, or of a channel that was revoked; and where nothing ever goes."""

import pytest
from sqlalchemy import insert, select, update

from gateway.errors import Problem
from gateway.security.principals import Kind
from gateway.store.principals import revoke_principal
from gateway.store.webhooks.deliveries import set_aside
from gateway.store.webhooks.log import webhook_figures, webhook_notice
from gateway.store.webhooks.tables import deliveries, endpoints
from gateway.webhooks.address import Guard
from gateway.webhooks.desk import WebhookDesk
from gateway.webhooks.post import Post
from tests.unit.gateway.webhooks.conftest import DEFAULTS, scene_over
from tests.unit.gateway.webhooks.test_address import LOCAL

HOUR = 3600


async def test_an_address_that_is_dead_for_days_is_switched_off_and_its_backlog_set_aside(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    receiver.answers = [500] * 10_000
    for hour in range(6 * 24):
        if hour % 12 == 0:
            await scene.accept()
        await scene.run()
        scene.clock.advance(HOUR)
    found, waiting = await scene.desk.one(endpoint, "web")
    assert (found.state, found.reason) == ("disabled", "failing")
    tries = len(receiver.got)
    assert tries < 6 * 24 + 10, "one event now and then, not each of them"
    lines = await scene.log(endpoint)
    assert [line.state for line in lines[:4]] == ["failed"] * 4, "three days each"
    assert waiting > 0
    figures = await scene.store.read(webhook_figures)
    assert (figures.failing, figures.resting) == (1, {"failing": 1})
    count, oldest_ms, failing = await scene.store.read(webhook_notice)
    assert (count, failing, 0 < oldest_ms < 6 * 24 * HOUR * 1000) == (waiting, 1, True)
    await scene.accept()
    assert len(await scene.log(endpoint)) == len(lines), "nothing new is kept for it"
    scene.clock.advance(3 * 24 * HOUR)
    await scene.run()
    assert len(receiver.got) == tries
    assert await scene.store.write(set_aside, 1) == 1
    assert await scene.store.write(set_aside, 500) == waiting - 1
    assert await scene.store.write(set_aside, 500) == 0
    assert {line.state for line in await scene.log(endpoint)} == {"failed"}
    assert (await scene.store.read(webhook_figures)).waiting == {}
    receiver.answers = []
    await scene.desk.switch(endpoint, "web", active=True)
    assert (await scene.desk.redeliver_failed(endpoint, "web")).body == {"count": len(lines)}
    await scene.run()
    assert {line.state for line in await scene.log(endpoint)} == {"delivered"}
    assert (await scene.desk.one(endpoint, "web"))[0].failing_since is None


async def test_one_success_begins_the_days_anew(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    for day in range(8):
        receiver.answers = [204] if day == 4 else [500]
        row = await scene.accept()
        await scene.run()
        await scene.store.write(lambda conn, row=row: conn.execute(update(deliveries).values(state="failed")))
        scene.clock.advance(24 * HOUR)
        assert len(await scene.log(endpoint)) == day + 1
    assert (await scene.desk.one(endpoint, "web"))[0].state == "active"


async def test_a_channel_that_is_revoked_is_told_nothing_more(scene, make_receiver):
    theirs, others = await make_receiver(), await make_receiver()
    endpoint, _ = await scene.listen(theirs, "web")
    await scene.listen(others, "app")
    row = await scene.accept("web")
    await scene.accept("app")
    assert await scene.store.write(revoke_principal, Kind.CHANNEL, "web")
    await scene.complete(row)
    await scene.run()
    assert (len(theirs.got), len(others.got)) == (0, 1)
    assert [line.state for line in await scene.log(endpoint)] == ["dropped"]
    await scene.desk.switch(endpoint, None, active=True)
    found, waiting = await scene.desk.one(endpoint, None)
    assert (found.state, found.reason, waiting) == ("disabled", "revoked", 0), "nobody switches it on again"


async def test_a6_an_address_that_leads_inwards_is_refused_when_it_is_saved_and_at_every_try(scene, receiver):
    """They were saved when the settings were other ones, or by a hand in the database; on loopback somebody listens."""
    port = receiver.url.split(":")[2].split("/")[0]
    urls = [*LOCAL, f"https://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/", f"https://user@localhost:{port}/"]
    columns = {"channel_id": "web", "types": "*", "secret": b"whsec_AAAA", "state": "active"}
    rows = [
        {"id": f"e{number}", "url": url.encode(), "failures": 0, "paused_until": 0, "created_at": 1} | columns
        for number, url in enumerate(urls)
    ]
    for url in urls:
        with pytest.raises(Problem):
            await WebhookDesk(scene.store, Guard(DEFAULTS), DEFAULTS).add("web", url, ("*",))
    assert await scene.desk.all(None) == []
    await scene.store.write(lambda conn: conn.execute(insert(endpoints), rows))
    strict = scene_over(scene.store, scene.clock, private_networks=(), plain_http=False)
    strict.sender._post = Post(Guard(DEFAULTS), DEFAULTS, scene.clock)
    await scene.accept()
    await strict.run()
    query = select(deliveries.c.endpoint_id, deliveries.c.state, deliveries.c.outcome)
    told = await scene.store.read(lambda conn: conn.execute(query).all())
    assert len(told) == len(urls)
    refused = {(row.state, row.outcome) for row in told}
    assert refused == {("waiting", "address_refused")}
    assert receiver.got == []
