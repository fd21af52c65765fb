"""What nobody signed, what is no message at all, and what a sender claims about itself."""

import asyncio

from sqlalchemy import text

from gateway.store.tables import attempts, callbacks
from tests.unit.gateway.callbacks.conftest import with_institution


def _spoiled(scene, body):
    good = scene.signed(body)
    now = scene.clock.now_ms() / 1000
    return {
        "unsigned": {},
        "another key": scene.signed(body, key="another key"),
        "one byte changed": scene.signed(body + b" "),
        "old": scene.signed(body, at=now - 301),
        "of the future": scene.signed(body, at=now + 302),
        "not text": good | {"X-Signature": "\u00e9\u00ff"},
        "cut": good | {"X-Signature": good["X-Signature"][:-1]},
        "no time": {"X-Signature": good["X-Signature"]},
    }


async def test_a7_what_is_not_well_signed_changes_nothing_and_only_brings_an_inquiry(scene):
    requests = [await with_institution(scene, f"k-{number}") for number in range(8)]
    scene.office.before_telling = asyncio.Event()
    for number, request in enumerate(requests):
        body = scene.message(scene.act(request), "no")
        how, headers = list(_spoiled(scene, body).items())[number]
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        assert (await scene.call_back(body, sent)).status_code == 202, how
    assert await scene.until_judged(8) == ["inquired"] * 8
    for request in requests:
        assert (await scene.read(request["id"]))["state"] == "with_institution"
    assert {row.state for row in await scene.rows(attempts)} == {"pending"}
    assert await scene.seen() == [("answer", "pending")] * 8, "nothing of it is evidence"
    scene.office.answers["inquire"] = {"status": "done"}
    scene.office.before_telling.set()
    for request in requests:
        await scene.until_state(request["id"], "completed")
    assert scene.office.count("inquire") == 8


async def test_a7_a_signature_that_stands_twice_proves_nothing(scene):
    request = await with_institution(scene)
    body = scene.message(scene.act(request), "no")
    good = scene.signed(body)
    answer = await scene.client.post(
        "/callbacks/office", content=body, headers=[*good.items(), ("X-Signature", good["X-Signature"])]
    )
    assert answer.status_code == 202
    assert await scene.until_judged() == ["inquired"]


async def test_inquiries_by_strangers_are_rare_and_spend_none_of_the_schedule(scene):
    request = await with_institution(scene)
    act = scene.act(request)
    for number in range(3):
        await scene.call_back(scene.message(act, "done", n=number), {})
        await scene.until_judged(number + 1)
    assert await scene.verdicts() == ["inquired", "ignored", "ignored"]
    scene.clock.advance(61)

    async def asked_once():
        return scene.office.count("inquire") == 1

    await scene.until(asked_once, "the inquiry")
    await scene.call_back(scene.message(act, "done", n=9), {})
    assert (await scene.until_judged(4))[-1] == "inquired"
    inquiries = await scene.store.read(lambda conn: conn.scalar(text("SELECT inquiries FROM jobs")))
    assert inquiries <= 1


async def test_a_flood_of_unsigned_messages_is_turned_away_and_signed_ones_are_not(scene):
    request = await with_institution(scene)
    answers = [await scene.call_back(b'{"request": {"id": "nobody"}, "n": %d}' % n, {}) for n in range(40)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "rate_limited"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert len([answer for answer in answers if answer.status_code == 202]) >= 20
    assert (await scene.call_back(scene.message(scene.act(request)))).status_code == 202
    await scene.until_state(request["id"], "completed")


async def test_what_is_no_message_of_the_institution_is_kept_and_changes_nothing(scene):
    bodies = [b"<html>busy</html>", b"", b'{"status": "done"}', b"\xff\xfe\x00"]
    nobodys = b'{"request": {"id": "somebody"}, "status": "done"}'
    for body in (*bodies, nobodys):
        assert (await scene.call_back(body, {})).status_code == 202
    assert await scene.until_judged(5) == ["unreadable"] * 4 + ["ignored"]
    assert [row.body for row in await scene.rows(callbacks)] == [*bodies, nobodys]


async def test_an_unknown_institution_and_one_that_sends_none_are_not_found(scene):
    for name in ("nobody", "transport", "office%20"):
        answer = await scene.call_back(b"{}", {}, to=name)
        assert answer.status_code == 404, name
    refused = await scene.call_back(b"{}", {}, to="nobody")
    assert refused.json()["code"] == "institution_unknown"
    assert (await scene.client.get("/callbacks/office")).status_code == 405
    assert await scene.rows(callbacks) == []


async def test_a_message_that_is_too_large_is_refused_and_not_kept(scene):
    answer = await scene.call_back(b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert await scene.rows(callbacks) == []


async def test_a16_what_a_sender_claims_about_its_address_or_certificate_is_neither_kept_nor_believed(scene):
    request = await with_institution(scene)
    body = scene.message(scene.act(request), "no")
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "X-Client-Cert": "CN=office",
        "X-SSL-Client-Verify": "SUCCESS",
        "Forwarded": "for=127.0.0.1",
        "X-Event": "7",
    }
    await scene.call_back(body, claims)
    assert await scene.until_judged() == ["inquired"]
    assert (await scene.read(request["id"]))["state"] == "with_institution"
    (row,) = await scene.rows(callbacks)
    assert b"x-event" in row.headers
    for claim in (b"127.0.0.1", b"CN=office", b"SUCCESS"):
        assert claim not in row.headers
