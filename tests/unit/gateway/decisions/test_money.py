"""A payment in doubt that two people decide: the accounts move as a statement would move them, and a file may object."""

from sqlalchemy import select

from gateway.store.tables import attempts, evidence, intents
from tests.unit.gateway.decisions.conftest import codes


async def rows(scene, table):
    return await scene.built.store.read(lambda conn: conn.execute(select(table)).all())


async def test_a_payment_that_two_people_mark_done_is_accounted_as_paid_and_the_file_that_lists_it_agrees(
    scene, people
):
    request = await scene.in_doubt("k-1")
    seen = await people.doubt(request["id"])
    assert [(each["action"], each["people"]) for each in seen["actions"]] == [("done", 2), ("not_done", 2)]
    assert (seen["state"], seen["reason"]["code"], seen["attempt"]["moves_money"]) == (
        "in_doubt",
        "payment_in_doubt",
        True,
    )

    proposal = await people.proposed(request["id"], "done", evidence="their letter 12/2026", reference="SC-77")
    assert (await scene.read(request["id"]))["state"] == "in_doubt", "a proposal moves nothing"
    approved = await people.approve(proposal)

    assert approved.status_code == 200, approved.text
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("approved", "checker")
    done = await scene.until_state(request["id"], "completed")
    assert done["payment"]["state"] == "succeeded"
    assert len(done["documents"]) == 1
    assert (scene.wallet.calls("confirm"), scene.wallet.count()) == (1, 1), "never confirmed again"
    (intent,) = await rows(scene, intents)
    (attempt,) = [row for row in await rows(scene, attempts) if row.role == "confirm"]
    assert (intent.state, attempt.state, attempt.reference) == ("succeeded", "succeeded", "SC-77")
    (said,) = [row for row in await rows(scene, evidence) if row.source == "operator"]
    assert (said.rank, said.status, said.attempt_id) == (1, "succeeded", attempt.id)
    assert b"told by telephone (their letter 12/2026)" in said.detail

    report = await scene.settle_day(scene.next_day())
    assert report["breaks"] == []


async def test_a_payment_marked_done_that_its_file_lacks_and_one_marked_not_done_that_it_lists_are_breaks(
    scene, people
):
    unmade = await scene.in_doubt("k-1", mode="cut_before")
    made = await scene.in_doubt("k-2")
    await people.decide(unmade["id"], "done")
    await people.decide(made["id"], "not_done")
    await scene.until_state(unmade["id"], "completed")
    asked = await scene.until_state(made["id"], "awaiting_citizen")
    assert (asked["reason"]["code"], asked["next_action"]["kind"]) == ("payment_not_made_by_decision", "choose_payment")
    assert asked["payment"]["state"] == "payer_action"

    report = await scene.settle_day(scene.next_day())

    found = {each["request_id"]: each["type"] for each in report["breaks"] if each["leg"] == "B"}
    assert found == {unmade["id"]: "missing_at_them", made["id"]: "status"}


async def test_what_only_the_citizen_can_repeat_is_never_sent_again_and_nobody_can_be_asked(scene, people):
    request = await scene.in_doubt("k-1")
    again = await people.propose(request["id"], "resend")
    asked = await people.ask("plain", f"doubts/{request['id']}/inquire", "POST")
    assert codes(again, asked) == [(409, "action_not_possible")] * 2
    (money,) = [each for each in (await people.doubt(request["id"]))["actions"] if each["action"] == "not_done"]
    assert "debited twice" in money["twice"]["en"]
    proposal = await people.proposed(request["id"], "not_done")
    assert proposal["twice"] == money["twice"], "whoever approves reads it too"


async def test_what_a_statement_decides_meanwhile_is_no_longer_for_people(scene, people):
    request = await scene.in_doubt("k-1")
    proposal = await people.proposed(request["id"], "not_done")
    day = scene.next_day()
    scene.write_files(day)
    for one in scene.reconciler.waiting():
        await scene.reconciler.take(one)
    await scene.reconciler.match(day)
    decided = await people.propose(request["id"], "not_done", replaces=proposal["id"])
    assert codes(decided) == [(409, "evidence_contradicts")], "it is decided, and about to be told"
    await scene.reconciler.keep_up()
    await scene.until_state(request["id"], "completed")

    late = await people.approve(proposal)
    anew = await people.propose(request["id"], "not_done")

    assert codes(late, anew) == [(409, "doubt_resolved")] * 2
    assert (await people.doubt(request["id"]))["decisions"][0]["state"] == "expired"
    assert (await scene.read(request["id"]))["payment"]["state"] == "succeeded"
