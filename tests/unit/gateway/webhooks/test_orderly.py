"""Order and nodes: commits out of order, redeliveries by hand, two nodes at one outbox, secrets changed under load."""

import asyncio

import asyncpg
from aiohttp import web
from sqlalchemy import text

from gateway.store import requests as store_requests
from gateway.webhooks.post import Post
from gateway.webhooks.sender import Sender
from tests.unit.gateway.store.records import new_request
from tests.unit.gateway.webhooks.conftest import signed_by

_GATE = 20261125


async def test_d14_an_event_whose_commit_was_overtaken_is_told_too(scene, receiver, database):
    """A is written first and committed last; on PostgreSQL while B is committed and told, on SQLite one after the other."""
    await scene.listen(receiver, types=("jisr.request.accepted",))
    slow, quick = new_request("web"), new_request("web")

    def accept_slowly(conn):
        store_requests.accept(conn, [slow])
        if conn.dialect.name == "postgresql":
            conn.execute(text(f"SELECT pg_advisory_xact_lock({_GATE})"))

    if database.path is None:
        gate = await asyncpg.connect(database.url)
        await gate.execute(f"SELECT pg_advisory_lock({_GATE})")
        a = asyncio.create_task(scene.store.write(accept_slowly))
        await waiting_for_the_gate(gate)
        await scene.store.batch(store_requests.accept, quick)
        await scene.run()
        assert [event["subject"] for event in receiver.events] == [quick.id]
        await gate.close()
        await a
    else:
        a = asyncio.create_task(scene.store.write(accept_slowly))
        await asyncio.gather(a, scene.store.batch(store_requests.accept, quick))
    await scene.run()
    assert sorted(event["subject"] for event in receiver.events) == sorted((slow.id, quick.id))


async def waiting_for_the_gate(gate):
    query = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {_GATE} AND NOT granted"
    async with asyncio.timeout(20):
        while await gate.fetchval(query) == 0:
            continue


async def test_a_redelivery_holds_up_nothing_and_overtakes_nothing(scene, receiver):
    endpoint, _ = await scene.listen(receiver)
    row = await scene.accept()
    await scene.run()
    (first,) = await scene.log(endpoint)
    receiver.answers = [500]
    await scene.desk.redeliver(endpoint, first.event_id, "web")
    await scene.run()
    await scene.complete(row)
    await scene.run()
    told = [(event["sequence"][-1], event["data"]["state"]) for event in receiver.events]
    assert told[:3] == [("1", "accepted"), ("1", "accepted"), ("2", "in_progress")], "the next goes nevertheless"
    assert sorted(told[3:]) == [("1", "accepted"), ("3", "completed")]
    receiver.answers = [500]
    other = await scene.accept()
    await scene.run()
    await scene.complete(other)
    lines = (await scene.desk.log(endpoint, "web", request_id=other.id)).items
    assert [line.state for line in lines] == ["waiting"] * 3
    await scene.desk.redeliver(endpoint, lines[0].event_id, "web")
    assert await subjects_after(scene, receiver, len(told) + 1) == [
        ("1", other.id),
        ("2", other.id),
        ("3", other.id),
    ], "one that was never told keeps its place, whoever wants it sooner"


async def subjects_after(scene, receiver, number):
    scene.clock.advance(10)
    await scene.run()
    return [(event["sequence"][-1], event["subject"]) for event in receiver.events[number:]]


async def test_d10_two_nodes_tell_each_event_once_and_in_order(scene, receiver):
    """Both look at once; only a node that dies, or is believed dead, makes an event come twice."""
    endpoint, _ = await scene.listen(receiver)
    nodes = [scene.sender]
    if scene.store.dialect == "postgresql":
        post = Post(scene.desk._guard, scene.settings, scene.clock)
        nodes.append(Sender(scene.store, post, scene.settings, scene.clock.monotonic, "w2", poll_seconds=0.05))
    rows = [await scene.accept() for _ in range(25)]
    for node in nodes:
        await node.start()
    for row in rows:
        await scene.complete(row)
    await receiver.until(75)
    for node in nodes:
        await node.stop(5)
    told = [(event["subject"], event["sequence"]) for event in receiver.events]
    assert len(told) == len(set(told)) == 75
    for row in rows:
        assert [number for subject, number in told if subject == row.id] == ["00000001", "00000002", "00000003"]
    assert {line.tries for line in await scene.log(endpoint)} == {1}


async def test_a19_secrets_change_under_load_and_no_event_is_refused(scene, receiver):
    """The receiver takes each new secret some events late, within the overlap, and answers 401 to what it cannot check."""
    endpoint, secret = await scene.listen(receiver, types=("jisr.request.accepted",))
    known: list[str] = [secret]
    news: list[str] = []
    refused: list[str] = []

    async def check(request):
        headers, body = receiver.got[-1]
        if not any(signed_by(each, headers, body) for each in known):
            refused.append(headers["webhook-id"])
        if news and len(receiver.got) % 10 == 0:
            known[:] = [news.pop(0)]  # the old one is thrown away at once
        return web.Response(status=401 if refused else 204)

    receiver.answers = [check] * 120
    await scene.sender.start()
    for number in range(120):
        if number % 40 == 20:
            await receiver.until(number)
            news.append((await scene.desk.rotate(endpoint, "web", hours=1)).body["secret"])
        await scene.accept()
    await receiver.until(120)
    await scene.sender.stop(5)
    assert refused == []
    assert {line.state for line in (await scene.desk.log(endpoint, "web", limit=200)).items} == {"delivered"}
    assert known != [secret]
    scene.clock.advance(3601)
    receiver.answers = []
    await scene.accept()
    await scene.run()
    assert signed_by(known[0], *receiver.got[-1])
    assert not signed_by(secret, *receiver.got[-1]), "the old one ends"
