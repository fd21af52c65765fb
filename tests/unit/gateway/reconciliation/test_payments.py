"""A wallet without inquiry is settled by its file: what is in doubt goes on, or is asked for anew, exactly once."""

from sqlalchemy import select

from gateway.reconciliation.writing import files_of_report
from gateway.store.reconciliation.files import sources_of
from gateway.store.reconciliation.results import decided
from gateway.store.reconciliation.tables import match_groups, recon_breaks, recon_runs, statement_files, statement_lines
from gateway.store.tables import attempts, evidence


async def rows(scene, table):
    return await scene.built.store.read(lambda conn: conn.execute(select(table)).all())


def wallet_of(report):
    (found,) = [each for each in report["sources"] if each["source"] == "syriatel_cash.settlement"]
    return found


async def test_c4_a_payment_whose_answer_was_lost_is_closed_by_its_file_and_the_request_goes_on_to_its_document(scene):
    request = await scene.in_doubt("k-1")
    day = scene.next_day()

    report = await scene.settle_day(day)

    done = await scene.until_state(request["id"], "completed")
    assert done["payment"]["state"] == "succeeded"
    assert len(done["documents"]) == 1
    assert scene.wallet.count() == 1, "debited exactly once"
    assert scene.wallet.calls("confirm") == 1, "and never confirmed again"
    assert scene.ministry.count() == 1, "and one copy was issued"
    (told,) = report["resolved"]
    assert (told["decision"], told["request_id"], told["amount_minor"]) == ("done", request["id"], 2500)
    assert report["breaks"] == []
    proof = wallet_of(report)["proof"]
    assert proof["theirs"] == proof["ours"] == proof["theirs_matched"] == {"count": 1, "amount_minor": 2500}
    seen = [row for row in await rows(scene, evidence) if row.source == "statement"]
    assert [(row.rank, row.status) for row in seen] == [(5, "succeeded")]


async def test_c4_a_payment_that_the_day_s_whole_file_lacks_was_not_made_and_the_citizen_may_pay_again(scene):
    request = await scene.in_doubt("k-1", mode="cut_before")
    day = scene.next_day()

    report = await scene.settle_day(day)

    asked = await scene.until_state(request["id"], "awaiting_citizen")
    assert (asked["reason"]["code"], asked["next_action"]["kind"]) == ("payment_not_made", "choose_payment")
    assert asked["payment"]["state"] == "payer_action"
    assert scene.wallet.count() == 0, "nothing was debited"
    (told,) = report["resolved"]
    assert (told["decision"], told["file"]) == ("not_done", None)
    assert wallet_of(report)["proof"]["ours_not_done"] == {"count": 1, "amount_minor": 2500}

    chosen = {"method": "syriatel_cash", "payer": {"mobile": "0930000002"}}
    again = await scene.act(asked, chosen, "again")
    again = await scene.until_state(again["id"], "awaiting_citizen")
    await scene.confirm(again, "again-otp", number=2)
    await scene.until_state(again["id"], "completed")
    assert scene.wallet.count() == 1, "and now debited once"


async def test_c4_what_two_nodes_were_about_to_tell_is_told_once_and_no_step_is_passed_over(scene):
    """Both have read that it is decided; the one that comes second must not take the next step for the payment."""
    request = await scene.in_doubt("k-1")
    day = scene.next_day()
    scene.write_files(day)
    for one in scene.reconciler.waiting():
        await scene.reconciler.take(one)
    await scene.reconciler.match(day)
    (source,) = [each for each in scene.reconciler.sources if each.connector == "syriatel_cash"]
    kept = await scene.built.store.write(sources_of, (("syriatel_cash", "settlement", source.leg),))
    (known,) = await scene.built.store.read(decided, kept[0], source.form.reports, 10)
    scene.ministry.switch("cut_before", operation="submit")

    first, second = [await scene.reconciler._closer.close(source, known) for _ in range(2)]

    assert (first, second) == (True, False)
    scene.ministry.switches_off()
    await scene.until_state(request["id"], "completed")
    assert scene.ministry.count() == 1, "the copy was asked for, and issued once"


async def test_c9_running_a_day_again_changes_nothing_and_gives_the_same_bytes(scene):
    await scene.paid("k-1")
    lost = await scene.in_doubt("k-2")
    await scene.in_doubt("k-3", mode="cut_before")
    day = scene.next_day()
    first = files_of_report(await scene.settle_day(day))
    await scene.until_state(lost["id"], "completed")
    tables = (statement_files, statement_lines, match_groups, recon_breaks, recon_runs, evidence)
    before = [len(await rows(scene, table)) for table in tables[:5]]
    told = [row for row in await rows(scene, evidence) if row.source == "statement"]

    scene.clock.advance(60)
    second = files_of_report(await scene.settle_day(day))

    assert second == first
    assert [len(await rows(scene, table)) for table in tables[:5]] == before
    assert [row for row in await rows(scene, evidence) if row.source == "statement"] == told


async def test_a_debit_that_never_reached_the_merchant_is_a_break_of_its_own_and_is_not_taken_for_absent(scene):
    request = await scene.in_doubt("k-1", mode=None, mobile="0930000103")
    day = scene.next_day()

    report = await scene.settle_day(day)

    assert [each["type"] for each in report["breaks"] if each["leg"] == "B"] == ["debited_not_credited"]
    assert (await scene.read(request["id"]))["state"] == "in_doubt"
    assert report["resolved"] == []


async def test_without_the_day_s_file_nothing_is_decided_and_the_file_is_named_as_missing_once_it_is_due(scene):
    request = await scene.in_doubt("k-1", mode="cut_before")
    day = scene.next_day()

    told = await scene.reconciler.run(day)

    assert told.run is not None
    kinds = {each["type"] for each in told.run.report["breaks"]}
    assert kinds == {"timing", "file_missing"}, "noon of the next day: both files are due"
    assert (await scene.read(request["id"]))["state"] == "in_doubt"

    report = await scene.settle_day(day)
    assert [each["decision"] for each in report["resolved"]] == ["not_done"]
    open_now = [row for row in await rows(scene, recon_breaks) if row.state == "open"]
    assert open_now == []


async def test_the_timetable_s_job_does_all_of_it_by_itself(scene):
    request = await scene.in_doubt("k-1")
    scene.write_files(scene.next_day())

    await scene.reconciler.keep_up()

    await scene.until_state(request["id"], "completed")
    assert scene.wallet.count() == 1
    assert len(await rows(scene, recon_runs)) == 1
    await scene.reconciler.keep_up()
    assert len(await rows(scene, recon_runs)) == 1
    states = {row.operation_id: row.state for row in await rows(scene, attempts) if row.role == "confirm"}
    assert set(states.values()) == {"succeeded"}


async def test_d9_a_node_whose_clock_is_ahead_does_not_turn_citizens_away(scene, dialect):
    """On SQLite the one process's clock is the only one there is."""
    asked = await scene.asked("k-1")
    path = f"/v1/requests/{asked['id']}/actions/{asked['next_action']['id']}"
    scene.clock.jump(30 * 3600)

    answer = await scene.client.post(path, json={"otp": "000000"}, headers={"Idempotency-Key": "k-1-otp"})

    if dialect == "sqlite":
        assert (answer.status_code, answer.json()["code"]) == (409, "action_expired")
    else:
        assert answer.status_code in (200, 202), answer.text
