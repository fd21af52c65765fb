"""Messages of institutions: kept before they are answered, understood once, and never believed without a signature."""

import asyncio
import json

from sqlalchemy import text, update

from gateway.store.errors import StorageFull
from gateway.store.tables import attempts, callbacks
from tests.unit.gateway.callbacks.conftest import with_institution


async def test_a_signed_message_completes_its_request(scene):
    request = await with_institution(scene)
    answer = await scene.call_back(scene.message(scene.act(request), n=7))
    assert answer.status_code == 202, answer.text
    done = await scene.until_state(request["id"], "completed")
    assert done["final"]
    assert await scene.until_judged() == ["applied"]
    assert await scene.attempt_state() == "succeeded"
    assert await scene.seen() == [("answer", "pending"), ("callback", "succeeded")]
    assert scene.office.count("inquire") == 0
    (row,) = await scene.rows(callbacks)
    assert (row.request_id, row.deliveries) == (request["id"], 1)


async def test_a_signed_refusal_refuses_and_a_caller_who_waits_is_told(scene):
    async def refuse():
        async def asked():
            return scene.office.count("submit")

        await scene.until(asked, "the submit")
        act = scene.office.asked[0][1]
        await scene.call_back(scene.message(act, "no"))

    refusing = asyncio.create_task(refuse())
    told = await scene.submit(wait=20)
    await refusing
    assert (told["state"], told["reason"]["code"]) == ("refused", "not_possible")


async def test_a_message_is_read_as_the_kind_that_it_fits(scene):
    request = await with_institution(scene)
    body = json.dumps({"request": {"id": scene.act(request)}, "notice": {"code": "done"}}).encode()
    assert (await scene.call_back(body)).status_code == 202
    await scene.until_state(request["id"], "completed")
    assert await scene.until_judged() == ["applied"]


async def test_what_was_lost_is_found_by_a_message(scene):
    """The answer to the submit never came; the institution says by itself that it has it, and then that it is done."""
    scene.office.answers["submit"] = 500
    request = await scene.submit()
    await scene.until_state(request["id"], "in_doubt")
    await scene.call_back(scene.message(scene.act(request), "waits"))
    await scene.until_state(request["id"], "with_institution")
    await scene.call_back(scene.message(scene.act(request), "done"))
    await scene.until_state(request["id"], "completed")
    assert scene.office.count("submit") == 1


async def test_a_request_that_was_parked_goes_on_when_the_truth_is_told(scene):
    scene.office.answers |= {"submit": 500, "inquire": 500}
    request = await scene.submit()
    await scene.until_state(request["id"], "in_doubt")

    async def hours_pass():
        scene.clock.advance(3601)
        return (await scene.read(request["id"]))["state"] == "parked"

    await scene.until(hours_pass, "its inquiries to be exhausted")
    assert await scene.attempt_state() == "review"
    await scene.call_back(scene.message(scene.act(request)))
    await scene.until_state(request["id"], "completed")
    assert await scene.attempt_state() == "succeeded"
    assert (await scene.history(request))[-3:] == ["parked", "advanced", "completed"]


async def test_d6_five_times_in_parallel_is_one_transition(scene):
    request = await with_institution(scene)
    body = scene.message(scene.act(request), "done")
    headers = scene.signed(body)
    answers = await asyncio.gather(*(scene.call_back(body, headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.json()["again"] for answer in answers) == [False, True, True, True, True]
    await scene.until_state(request["id"], "completed", "refused")
    assert await scene.until_judged() == ["applied"]
    (row,) = await scene.rows(callbacks)
    assert row.deliveries == 5
    assert len([kind for kind in await scene.history(request) if kind in ("completed", "refused")]) == 1
    again = await scene.call_back(body, scene.signed(body, at=scene.clock.now_ms() / 1000 + 7))
    assert again.json()["again"] is False, "another signed time is another message"
    assert await scene.until_judged(2) == ["applied", "recorded"]
    assert len([kind for kind in await scene.history(request) if kind in ("completed", "refused")]) == 1


async def test_d6_an_older_state_that_comes_late_overwrites_nothing(scene):
    request = await with_institution(scene)
    act = scene.act(request)
    await scene.call_back(scene.message(act, "done", number="N-2"))
    await scene.until_state(request["id"], "completed")
    await scene.call_back(scene.message(act, "waits", number="N-1"))
    assert await scene.until_judged(2) == ["applied", "recorded"]
    assert (await scene.read(request["id"]))["state"] == "completed"
    assert await scene.attempt_state() == "succeeded"
    assert ("callback", "pending") in await scene.seen(), "it is kept as evidence"


async def test_d6_what_is_final_and_contradicted_stays_and_is_told_to_people(scene):
    request = await with_institution(scene)
    await scene.call_back(scene.message(scene.act(request), "done"))
    await scene.until_state(request["id"], "completed")
    await scene.call_back(scene.message(scene.act(request), "no"))
    assert await scene.until_judged(2) == ["applied", "contradicted"]
    assert (await scene.read(request["id"]))["state"] == "completed"
    (told,) = [line for line in scene.logs if line.get("verdict") == "contradicted"]
    assert told["log_level"] == "error"


async def test_d7_a_message_before_the_answer_waits_until_the_submit_is_settled(scene):
    """It comes while the submit is under way; ten minutes later the answer is there, and its signature still holds."""

    async def say_it_first(act):
        await scene.call_back(scene.message(act, "done"))
        await scene.until_waiting()
        scene.clock.advance(600)

    scene.office.before_answer = say_it_first
    request = await scene.submit()
    await scene.until_state(request["id"], "completed")
    assert await scene.until_judged() == ["applied"]
    assert await scene.history(request) == ["accepted", "sending", "received", "completed"]


async def test_d7_a_message_about_an_act_that_nobody_knows_yet_is_kept(scene):
    """As after a restored backup: the attempt is not there when the message comes, and is there later."""
    request = await with_institution(scene)
    act = scene.act(request)

    async def name_it(name):
        await scene.store.write(lambda conn: conn.execute(update(attempts).values(operation_id=name)))

    await name_it("not-yet")
    assert (await scene.call_back(scene.message(act))).status_code == 202
    await scene.until_waiting()
    assert (await scene.read(request["id"]))["state"] == "with_institution"
    await name_it(act)
    scene.clock.advance(61)
    await scene.until_state(request["id"], "completed")


async def test_d7_what_nobody_ever_knew_is_given_up_after_a_day(scene):
    await scene.call_back(scene.message("somebody-elses-act"))
    await scene.until_waiting()
    scene.clock.advance(25 * 3600)
    assert await scene.until_judged() == ["unmatched"]


async def test_d8_a_message_whose_facts_differ_from_the_order_settles_nothing(scene):
    """Signed, done, about this act, and of another vehicle: the mapping's `same` holds it against what was asked."""
    request = await with_institution(scene)
    scene.office.before_telling = asyncio.Event()
    await scene.call_back(scene.message(scene.act(request), "done", plate="654321"))
    assert await scene.until_judged() == ["inquired"]
    assert (await scene.read(request["id"]))["state"] == "with_institution"
    assert [line["log_level"] for line in scene.logs if line["event"] == "callback_unclear"] == ["warning"]
    scene.office.before_telling.set()
    await scene.call_back(scene.message(scene.act(request), "done", plate="123456"))
    await scene.until_state(request["id"], "completed")


async def test_a_code_that_says_nothing_clear_is_a_reason_to_ask(scene):
    scene.office.answers["inquire"] = {"status": "done"}
    for status in ("strange", "broken"):
        request = await with_institution(scene, status)
        await scene.call_back(scene.message(scene.act(request), status))
        await scene.until_state(request["id"], "completed")
    assert await scene.until_judged(2) == ["inquired"] * 2


async def test_a_message_that_comes_while_the_institution_is_asked_waits_for_its_answer(scene):
    request = await with_institution(scene)
    scene.office.before_telling = asyncio.Event()
    await scene.call_back(scene.message(scene.act(request), "no"), {})

    async def asking():
        return scene.office.count("inquire") == 1

    await scene.until(asking, "the inquiry")
    await scene.call_back(scene.message(scene.act(request), "done"))
    await scene.until_waiting()
    scene.office.before_telling.set()
    await scene.until_state(request["id"], "completed")
    assert await scene.until_judged(2) == ["inquired", "applied"]


async def test_messages_are_sealed_and_nothing_of_them_is_logged(scene):
    await scene.call_back(scene.message("nobody", message="رسالة شخصية", card="9912345678901"), {})
    await scene.until_judged()
    stored = await scene.store.read(lambda conn: conn.execute(text("SELECT body, headers FROM callbacks")).one())
    assert b"9912345678901" not in bytes(stored.body) + bytes(stored.headers)
    assert "9912345678901" not in str(scene.logs)


async def test_metrics_count_messages_by_what_became_of_them(scene):
    request = await with_institution(scene)
    await scene.call_back(scene.message(scene.act(request), "done"))
    await scene.call_back(scene.message("somebody-elses-act"))
    await scene.until_state(request["id"], "completed")
    told = (await scene.client.get("/metrics")).text
    assert 'jisr_callbacks_last_hour{institution="office",verdict="applied"} 1.0' in told
    assert 'jisr_callbacks_waiting{institution="office"} 1.0' in told
    assert "jisr_callbacks_oldest_seconds" in told


async def test_judged_messages_are_forgotten_in_time_those_that_proved_nothing_sooner(scene):
    request = await with_institution(scene)
    await scene.call_back(b"no message", {})
    await scene.call_back(scene.message(scene.act(request), "done"))
    await scene.until_judged(2)
    scene.clock.advance(8 * 86400)
    await scene.built.worker.keeping.forget_callbacks()
    assert await scene.verdicts() == ["applied"]
    scene.clock.advance(393 * 86400)
    await scene.built.worker.keeping.forget_callbacks()
    assert await scene.verdicts() == []


async def test_a_message_that_a_full_disk_keeps_from_settling_holds_up_no_stop(scene, monkeypatch):
    """It falls due again after its lease, in the next life of the gateway."""
    request = await with_institution(scene)

    def disk_full(*_, **_named):
        raise StorageFull("the disk is full")

    monkeypatch.setattr("gateway.store.callbacks.settle_callback", disk_full)
    await scene.call_back(scene.message(scene.act(request)))

    async def tried():
        return any(line["event"] == "settle_failed" for line in scene.logs)

    await scene.until(tried, "the settlement to fail")
    async with asyncio.timeout(20):
        await scene.built.worker.stop(0.1)
    assert await scene.verdicts() == [None]
