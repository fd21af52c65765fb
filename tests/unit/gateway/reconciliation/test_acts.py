"""A ministry's list of issued documents settles an act that nobody could ask about any more."""

from sqlalchemy import select

from gateway.store.tables import attempts, evidence


async def rows(scene, table):
    return await scene.built.store.read(lambda conn: conn.execute(select(table)).all())


async def parked(scene, key, mode="cut_after"):
    """A request whose submission lost its answer, and whose inquiries were all in vain."""
    scene.ministry.switch(mode, operation="submit", times=1)
    scene.ministry.switch("status", 500, operation="inquire")
    asked = await scene.asked(key)
    await scene.confirm(asked, f"{key}-otp")
    return await scene.until_state(asked["id"], "parked")


async def test_a_listed_copy_whose_answer_was_lost_is_fetched_and_never_issued_twice(scene):
    request = await parked(scene, "k-1")
    assert [row.state for row in await rows(scene, attempts) if row.role == "submit"] == ["review"]
    scene.ministry.switches_off()
    day = scene.next_day()

    report = await scene.settle_day(day)

    done = await scene.until_state(request["id"], "completed")
    assert len(done["documents"]) == 1
    assert scene.ministry.count() == 1, "one copy"
    assert scene.ministry.calls("submit") == 1, "never submitted again"
    (told,) = [each for each in report["resolved"] if each["source"] == "education.issued"]
    assert (told["decision"], told["request_id"]) == ("done", request["id"])
    assert told["their_reference"]


async def test_a_list_outranks_an_inquiry_that_finds_nothing(scene):
    """The list has said that a copy was issued; "no such request" must not lead to a second one."""
    request = await parked(scene, "k-1")
    day = scene.next_day()
    scene.write_files(day)
    scene.ministry.switches_off()
    scene.ministry.control("DELETE", "ledger")  # from now on the ministry knows nothing of it
    scene.ministry.advance_clock(scene.clock.passed_ms / 1000)

    await scene.reconciler.run(day)

    await scene.until_state(request["id"], "with_institution")
    scene.clock.advance(600)  # beyond the visibility delay: "not found" would count
    scene.ministry.advance_clock(600)
    asked = scene.ministry.calls("inquire")
    while scene.ministry.calls("inquire") < asked + 3:
        await scene.built.services.watch.wait(request["id"], timeout_seconds=0.05)
    assert (await scene.read(request["id"]))["state"] == "with_institution"
    assert scene.ministry.calls("submit") == 0, "since its ledger was emptied"
    assert "statement" in {row.source for row in await rows(scene, evidence)}


async def test_an_act_that_the_list_lacks_stays_with_people_for_it_may_be_listed_later(scene):
    request = await parked(scene, "k-1", mode="cut_before")
    day = scene.next_day()

    report = await scene.settle_day(day)

    (only,) = [each for each in report["breaks"] if each["source"] == "education.issued"]
    assert (only["type"], only["request_id"]) == ("paid_not_served", request["id"])
    assert (await scene.read(request["id"]))["state"] == "parked"
    assert scene.ministry.count() == 0
