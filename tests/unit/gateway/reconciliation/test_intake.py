"""A file is in once and whole, or not at all."""

from datetime import timedelta

from sqlalchemy import select

from gateway.reconciliation.writing import files_of_report
from gateway.store.reconciliation.tables import recon_breaks, statement_files, statement_lines


async def rows(scene, table):
    return await scene.built.store.read(lambda conn: conn.execute(select(table)).all())


def settlement(scene, day):
    """The wallet's file of that day, which may be spoiled and put back."""
    scene.write_files(day)
    path = scene.folder / "syriatel_cash" / "settlement" / f"settlement-{day}.csv"
    return path, path.read_bytes()


async def take_all(scene):
    return {each.name: each for each in [await scene.reconciler.take(one) for one in scene.reconciler.waiting()]}


async def test_the_same_bytes_under_another_name_change_nothing(scene):
    await scene.paid("k-1")
    path, content = settlement(scene, scene.next_day())
    assert (await take_all(scene))[path.name].state == "accepted"
    (path.parent / "again.csv").write_bytes(content)

    assert {each.state for each in (await take_all(scene)).values()} == {"known"}
    assert len(await rows(scene, statement_lines)) == 2, "one of the wallet, one of the ministry"


async def test_nothing_of_a_refused_file_is_kept_and_a_good_one_of_that_name_takes_its_place(scene):
    await scene.paid("k-1")
    day = scene.next_day()
    path, content = settlement(scene, day)
    path.write_bytes(content[:-30])

    taken = (await take_all(scene))[path.name]
    assert (taken.state, taken.problem and taken.problem.code) == ("refused", "totals_cut")
    assert [row.source_id for row in await rows(scene, statement_lines)] == [
        row.source_id for row in await rows(scene, statement_files) if row.state == "accepted"
    ], "the ministry's one line"
    told = await scene.reconciler.run(day)
    assert told.run is not None
    (wallet,) = [each for each in told.run.report["sources"] if each["source"] == "syriatel_cash.settlement"]
    assert [(each["name"], each["code"]) for each in wallet["refused"]] == [(path.name, "totals_cut")]
    sheet = files_of_report(told.run.report)["files.csv"].decode("utf-8-sig")
    assert "سطر المجاميع ليس بالشكل المتفق عليه" in sheet

    path.write_bytes(content)
    report = await scene.settle_day(day)
    assert [each["refused"] for each in report["sources"]] == [[], []]
    assert report["breaks"] == []


async def test_a_file_of_a_day_that_is_not_over_waits_until_it_is(scene):
    await scene.paid("k-1")
    today = scene.today()
    path, _ = settlement(scene, today)
    taken = (await take_all(scene))[path.name]
    assert taken.problem is not None
    assert taken.problem.code == "day_not_over"
    scene.next_day()
    assert (await take_all(scene))[path.name].state == "accepted"


async def test_what_is_on_its_way_or_under_another_day_s_name_is_not_read(scene):
    day = scene.next_day()
    path, content = settlement(scene, day)
    path.rename(path.with_name(f"settlement-{day - timedelta(days=1)}.csv"))
    (path.parent / "upload.csv.part").write_bytes(content[:10])
    (path.parent / ".hidden.csv").write_bytes(content)
    (path.parent / "folder").mkdir()

    taken = {name: each for name, each in (await take_all(scene)).items() if each.source.startswith("syriatel")}

    (one,) = taken.values()
    assert one.problem is not None
    assert one.problem.code == "day_differs"


async def test_a_line_that_nobody_here_sent_and_a_payment_that_they_do_not_list_are_breaks_until_they_are_gone(scene):
    request = await scene.paid("k-1")
    day = scene.next_day()
    path, content = settlement(scene, day)
    ours = f"{request['id'].replace('-', '')}-p1".encode()
    path.write_bytes(content.replace(ours, b"f" * 32 + b"-p1"))

    told = await scene.reconciler.run(day)

    assert told.run is not None
    kinds = {each["type"]: each for each in told.run.report["breaks"]}
    assert set(kinds) == {"missing_at_us", "missing_at_them"}
    assert (kinds["missing_at_us"]["file"], kinds["missing_at_us"]["line"]) == (path.name, 2)
    assert kinds["missing_at_them"]["request_id"] == request["id"]

    # the next day's file brings the payment after all
    after = scene.next_day()
    late, empty = settlement(scene, after)
    named = content.splitlines(keepends=True)[1]
    total = content.splitlines(keepends=True)[2].replace(day.isoformat().encode(), after.isoformat().encode())
    assert empty.splitlines(keepends=True)[1] != total
    moved = named.replace(day.isoformat().encode(), after.isoformat().encode())
    late.write_bytes(empty.splitlines(keepends=True)[0] + moved + total)
    told = await scene.reconciler.run(after)

    assert told.run is not None
    assert {each["type"] for each in told.run.report["breaks"]} == {"missing_at_us", "wrong_day"}
    (closed,) = told.run.report["closed"]
    assert (closed["request_id"], closed["days_late"]) == (request["id"], 1)
    kept = {row.type: row for row in await rows(scene, recon_breaks)}
    assert (kept["missing_at_them"].state, kept["missing_at_them"].days_late) == ("closed", 1)
    assert (kept["missing_at_us"].state, kept["missing_at_us"].closed_day) == ("open", None)

    # and the report of the first day is what it was
    again = await scene.reconciler.run(day)
    assert again.run is not None
    assert {each["type"] for each in again.run.report["breaks"]} == {"missing_at_us", "missing_at_them"}
    assert again.run.number == 1
