"""What is told, in which order, how often, and what a receiver may do to it."""

import asyncio

from gateway.store.webhooks.deliveries import take
from tests.unit.gateway.webhooks.conftest import scene_over, signed_by


async def test_a_request_is_told_from_its_acceptance_to_its_end_in_order_and_signed(scene, receiver):
    endpoint, secret = await scene.listen(receiver)
    row = await scene.accept()
    await scene.complete(row)
    await scene.run()
    assert receiver.states == ["accepted", "in_progress", "completed"]
    assert [event["sequence"] for event in receiver.events] == ["00000001", "00000002", "00000003"]
    for (headers, body), event in zip(receiver.got, receiver.events, strict=True):
        assert signed_by(secret, headers, body)
        assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert headers["webhook-id"] == event["id"]
        assert (event["specversion"], event["subject"]) == ("1.0", row.id)
    last = receiver.events[-1]
    assert last["type"] == "jisr.request.completed"
    assert last["data"] == {
        "request_id": row.id,
        "service": "a.service",
        "state": "completed",
        "final": True,
        "test": False,
        "reason": None,
        "next_action": None,
        "links": {"self": f"/v1/requests/{row.id}", "events": f"/v1/requests/{row.id}/events"},
    }
    assert [(line.state, line.tries, line.http_status) for line in await scene.log(endpoint)] == [
        ("delivered", 1, 204)
    ] * 3
    await scene.run()
    assert len(receiver.got) == 3, "nothing is sent twice"


async def test_what_fails_is_tried_over_three_days_with_the_same_id_and_bytes_then_given_up(scene, receiver):
    endpoint, secret = await scene.listen(receiver, types=("jisr.request.accepted",))
    receiver.answers = [500] * 99
    await scene.accept()
    hours = []
    begun = scene.clock.now_ms()
    while (await scene.log(endpoint))[0].state == "waiting":
        await scene.run()
        hours.append((scene.clock.now_ms() - begun) / 3_600_000)
        line = (await scene.log(endpoint))[0]
        if line.next_try_at:
            wait = line.next_try_at - scene.clock.now_ms()
            assert len(hours) > 1 or 4_000 < wait < 6_000
            scene.clock.advance(max(wait, 300_000) / 1000)
    assert 10 <= len(receiver.got) <= 16
    assert 71.9 < hours[-1] < 72.5
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == len(receiver.got)
    assert all(signed_by(secret, headers, body) for headers, body in receiver.got)
    delivery, tries = await scene.desk.delivery(endpoint, (await scene.log(endpoint))[0].event_id, "web")
    assert (delivery.state, delivery.outcome, delivery.http_status) == ("failed", "status", 500)
    assert [each.number for each in tries] == list(range(1, len(receiver.got) + 1))
    receiver.answers = []
    assert (await scene.desk.redeliver_failed(endpoint, "web")).body == {"count": 1}
    await scene.run()
    assert (await scene.log(endpoint))[0].state == "delivered"
    assert receiver.got[-1][0]["webhook-id"] == delivery.event_id


async def test_nothing_of_a_request_overtakes_what_happened_earlier_and_other_requests_go_on(scene, receiver):
    await scene.listen(receiver)
    receiver.answers = [500]
    stuck = await scene.accept()
    await scene.run()
    await scene.complete(stuck)
    other = await scene.accept()
    await scene.run()
    told = [(event["subject"] == stuck.id, event["data"]["state"]) for event in receiver.events]
    # the other request's event shows that the receiver answers again: what waited is brought forward
    assert told[:2] == [(True, "accepted"), (False, "accepted")]
    assert told[2:] == [(True, "accepted"), (True, "in_progress"), (True, "completed")]
    assert other.id != stuck.id


async def test_n12_a_receiver_that_is_silent_holds_up_no_other_and_no_more_than_its_places(scene, make_receiver):
    dead, well = await make_receiver(), await make_receiver()
    dead.gate = asyncio.Event()
    await scene.listen(dead, "web")
    await scene.listen(well, "app")
    for _ in range(8):
        await scene.accept("web")
        await scene.accept("app")
    await scene.sender.start()
    await well.until(8)
    assert len(dead.got) <= scene.settings.places
    dead.gate.set()
    await scene.sender.stop(5)


async def test_an_address_that_fails_again_and_again_is_tried_with_one_event_now_and_then(scene, receiver):
    endpoint, _ = await scene.listen(receiver)
    receiver.answers = [503] * 50
    for _ in range(20):
        await scene.accept()
    await scene.run()
    first = len(receiver.got)
    assert 3 <= first <= 3 + scene.settings.places
    scene.clock.advance(5 * 2 ** (first - 3) + 1)
    await scene.run()
    assert len(receiver.got) == first + 1
    receiver.answers = []
    scene.clock.advance(600)
    await scene.run()
    assert {line.state for line in await scene.log(endpoint)} == {"delivered"}, "one success, and all of it goes on"


async def test_n9_n11_what_is_no_plain_yes_is_no_delivery(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    for answer, outcome in (
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/else"}}, "redirect"),
        ({"status": 404}, "status"),
        ({"status": 200, "body": b"x" * 20_000}, "answer_too_large"),
        ({"status": 200, "body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}, "answer_unreadable"),
    ):
        receiver.answers = [answer, 204]
        row = await scene.accept()
        await scene.run()
        line = (await scene.desk.log(endpoint, "web", request_id=row.id)).items[0]
        assert (line.state, line.outcome, line.http_status) == ("waiting", outcome, answer["status"])
        scene.clock.advance(10)
        await scene.run()


async def test_n10_a_receiver_may_ask_for_a_later_try_within_an_hour(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    for wish, seconds in (("60", 60), ("999999999", 3600), ("nonsense", 5)):
        receiver.answers = [{"status": 429, "headers": {"Retry-After": wish}}]
        row = await scene.accept()
        await scene.run()
        line = (await scene.desk.log(endpoint, "web", request_id=row.id)).items[0]
        assert seconds * 0.9 < (line.next_try_at - scene.clock.now_ms()) / 1000 < seconds * 1.2 + 1
        scene.clock.advance(seconds * 1.2)
        await scene.run()


async def test_n2_a_receiver_that_never_answers_costs_the_deadline_and_no_more(store, scene, receiver):
    quick = scene_over(store, scene.clock, deadline_seconds=1.0)
    endpoint, _ = await quick.listen(receiver, types=("jisr.request.accepted",))
    receiver.gate = asyncio.Event()
    await scene.accept()
    await quick.run()
    (line,) = await quick.log(endpoint)
    assert (line.state, line.outcome) == ("waiting", "no_answer")
    receiver.gate.set()


async def test_a_receiver_that_is_gone_is_left_alone(scene, receiver):
    endpoint, _ = await scene.listen(receiver)
    receiver.answers = [410]
    await scene.accept()
    await scene.run()
    found, waiting = await scene.desk.one(endpoint, "web")
    assert (found.state, found.reason, waiting) == ("disabled", "gone", 1)
    await scene.accept()
    await scene.run()
    assert len(receiver.got) == 1
    await scene.desk.switch(endpoint, "web", active=True)
    scene.clock.advance(10)
    await scene.run()
    assert len(receiver.got) == 2, "what waited is told; what happened meanwhile was not kept"


async def test_a19_both_secrets_sign_while_one_is_rotated_and_the_old_one_ends(scene, receiver):
    endpoint, old = await scene.listen(receiver, types=("jisr.request.accepted",))
    new = (await scene.desk.rotate(endpoint, "web", hours=2)).body["secret"]
    await scene.accept()
    await scene.run()
    scene.clock.advance(2 * 3600 + 1)
    await scene.accept()
    await scene.run()
    both, after = receiver.got
    assert signed_by(old, *both)
    assert signed_by(new, *both)
    assert not signed_by(old, *after)
    assert signed_by(new, *after)
    newest = (await scene.desk.rotate(endpoint, "web", hours=0)).body["secret"]
    await scene.accept()
    await scene.run()
    assert not signed_by(new, *receiver.got[-1])
    assert signed_by(newest, *receiver.got[-1])


async def test_a_ping_tells_of_nothing_and_comes_whatever_types_were_asked_for(scene, receiver):
    endpoint, secret = await scene.listen(receiver, types=("jisr.request.refused",))
    event_id = (await scene.desk.ping(endpoint, "web")).body["id"]
    await scene.accept()
    await scene.run()
    assert [(event["type"], event["id"], event["data"]) for event in receiver.events] == [
        ("jisr.webhook.ping", event_id, {})
    ]
    assert signed_by(secret, *receiver.got[0])


async def test_d10_a_worker_that_was_only_slow_changes_nothing_after_another_has_sent(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    await scene.accept()
    (slow,) = await scene.store.write(take, endpoint, "slow", 4, 1000)
    assert await scene.store.write(take, endpoint, "w1", 4, 1000) == []
    scene.clock.advance(2)
    await scene.run()
    receiver.answers = [500]
    await scene.sender._send(slow)
    (line,) = await scene.log(endpoint)
    assert (line.state, line.tries, len(receiver.got)) == ("delivered", 2, 2)
    _, tries = await scene.desk.delivery(endpoint, line.event_id, None)
    assert [(each.number, each.outcome) for each in tries] == [(1, "status"), (2, "delivered")], "the log has both"


async def test_o1_what_is_under_way_at_the_stop_is_finished_or_given_back(scene, receiver):
    endpoint, _ = await scene.listen(receiver, types=("jisr.request.accepted",))
    receiver.gate = asyncio.Event()
    await scene.accept()
    await scene.sender.start()
    await receiver.until(1)
    await scene.sender.stop(0)
    assert scene.sender._lanes == {}
    (line,) = await scene.log(endpoint)
    assert (line.state, line.tries) == ("waiting", 1)
    assert line.next_try_at <= scene.clock.now_ms() + 1000, "the next worker need not wait for a lease"
    receiver.gate.set()
