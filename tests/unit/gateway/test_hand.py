"""What a worker cannot go on with because the database is away goes on as soon as it is back, by whomever."""

from gateway.store.callbacks import let_go
from gateway.store.errors import CommitUnknown, StoreUnavailable
from gateway.store.jobs import intend
from gateway.store.tables import jobs
from tests.unit.gateway.callbacks.conftest import office, scene

__all__ = ["office", "scene"]


async def test_s2_a_job_whose_database_went_away_before_its_intent_goes_on_when_it_is_back(scene, monkeypatch):
    """Its worker lives on, so that no lease runs out: it must put the job down itself."""
    away = {"intend": True, "let_go": 2}

    def no_intent(conn, rows):
        if away["intend"]:
            raise StoreUnavailable("away")
        return intend(conn, rows)

    def no_end(conn, *given):
        if away["let_go"]:
            away["let_go"] -= 1
            raise StoreUnavailable("away")
        away["intend"] = False
        let_go(conn, *given)

    monkeypatch.setattr("gateway.dispatch.intend", no_intent)
    monkeypatch.setattr("gateway.hand.let_go", no_end)
    request = await scene.submit()

    await scene.until_state(request["id"], "with_institution")
    assert scene.office.count("submit") == 1
    assert any(line["event"] == "work_failed" for line in scene.logs)
    (job,) = await scene.store.read(lambda conn: conn.execute(jobs.select()).all())
    assert job.stumbles == 0, "what the database did is no fault of the request"


async def test_s3_a_claim_of_whose_commit_nobody_knows_is_not_renewed_by_who_does_not_know_it(scene, monkeypatch):
    """On PostgreSQL its lease runs out, though its worker lives, and somebody takes it."""
    if scene.store.dialect == "sqlite":
        return  # a COMMIT there is never unknown
    unknown = [CommitUnknown("cut off")]
    write = type(scene.store).write

    async def cut_off(store, function, *given):
        done = await write(store, function, *given)
        if function.__name__ == "claim" and done and unknown:
            raise unknown.pop()
        return done

    monkeypatch.setattr(type(scene.store), "write", cut_off)
    scene.office.answers["submit"] = {"status": "waits"}
    request = await scene.submit()
    await scene.until_state(request["id"], "with_institution")
    await scene.store.write(lambda conn: conn.execute(jobs.update().values(due_at=0)).rowcount)

    async def claimed():
        return not unknown

    await scene.until(claimed, "a claim whose answer is lost")
    scene.office.answers["inquire"] = {"status": "done"}
    upkeep = scene.built.worker._upkeep
    for _ in range(5):
        scene.clock.advance(3)
        await upkeep.renew_leases()
        await upkeep.rescue_leases()
    await scene.until_state(request["id"], "completed")
