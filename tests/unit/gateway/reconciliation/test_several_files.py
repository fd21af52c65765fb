"""Several files of one day: parts stand beside one another, what contradicts waits for a word, and no match is lost."""

import pytest
from sqlalchemy import select

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.server import find_folder
from connectors.kit.statements.writing import write_statement
from gateway.store.reconciliation import taking
from gateway.store.reconciliation.tables import match_groups, statement_files, statement_lines

FORM = load_manifest(find_folder("syriatel_cash")).statements["settlement"]
SOURCE = "syriatel_cash.settlement"


def row(number, day, reference=None, amount="25"):
    return {
        "their_reference": f"SC-{number}",
        "our_reference": reference or f"{number:032x}-p1",
        "payer": "9639*****001",
        "amount": amount,
        "fee": "0.25",
        "at": f"{day} 10:00:00",
    }


def put(scene, name, day, *rows):
    folder = scene.folder / "syriatel_cash" / "settlement"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(write_statement(FORM, day, rows, owner="963930000900"))


async def take(scene, name, by=None):
    (one,) = [each for each in scene.reconciler.waiting() if each.path.name == name]
    taken = await scene.reconciler.take(one, by=by)
    return taken.problem.code if taken.problem else taken.state


async def rows(scene, table):
    return await scene.built.store.read(lambda conn: conn.execute(select(table)).all())


async def counted(scene):
    """The references in the files that count, and the state of every file by its name."""
    files = {each.id: each for each in await rows(scene, statement_files)}
    lines = await rows(scene, statement_lines)
    live = sorted(line.their_reference for line in lines if files[line.file_id].state == "accepted")
    return live, {each.name: (each.state, each.sequence) for each in files.values()}


async def test_a_second_file_of_a_day_stands_beside_the_first_unless_it_repeats_something_of_it(scene):
    day = scene.next_day()
    first, second = row(1, day), row(2, day)
    put(scene, "a.csv", day, first)
    put(scene, "b.csv", day, second)
    put(scene, "c.csv", day, first, row(3, day))
    assert [await take(scene, name) for name in ("a.csv", "b.csv")] == ["accepted", "accepted"]
    live, states = await counted(scene)
    assert (live, states) == (["SC-1", "SC-2"], {"a.csv": ("accepted", 1), "b.csv": ("accepted", 2)})

    assert await take(scene, "c.csv") == "accepted", "it has all of a, and more: it takes its place"
    live, states = await counted(scene)
    assert live == ["SC-1", "SC-2", "SC-3"]
    assert states == {"a.csv": ("corrected", 1), "b.csv": ("accepted", 2), "c.csv": ("accepted", 1)}
    assert [await take(scene, name) for name in ("a.csv", "b.csv", "c.csv")] == ["known"] * 3, "in whatever order"

    put(scene, "same.csv", day, row(3, day), first)
    assert await take(scene, "same.csv") == "known", "the same rows in other bytes"
    assert await take(scene, "same.csv") == "known"
    put(scene, "older.csv", day, row(3, day))
    put(scene, "none.csv", day)
    assert await take(scene, "older.csv") == "day_holds_more"
    assert await take(scene, "none.csv") == "day_taken"
    told = (await scene.reconciler.run(day)).run.report
    (wallet,) = [each for each in told["sources"] if each["source"] == SOURCE]
    assert [each["name"] for each in wallet["files"]] == ["b.csv", "c.csv"]
    assert [each["name"] for each in wallet["corrected"]] == ["a.csv"]
    assert wallet["proof"]["control_difference"] == 0
    assert (await counted(scene))[0] == ["SC-1", "SC-2", "SC-3"], "nothing of what was refused or repeated is kept"
    assert len(await rows(scene, statement_lines)) == 4, "a's, b's, and c's two"


async def test_a_correction_is_taken_on_an_operator_s_word_and_loses_no_match_that_still_holds(scene):
    kept, dropped = [(await scene.paid(f"k-{number}"))["id"].replace("-", "") for number in (1, 2)]
    day = scene.next_day()
    good, gone = row(1, day, f"{kept}-p1"), row(2, day, f"{dropped}-p1")
    put(scene, "first.csv", day, good, gone)
    scene.ministry.control("POST", "statements", {"day": day.isoformat(), "folder": str(scene.folder)})
    report = (await scene.reconciler.run(day)).run.report
    assert report["breaks"] == []
    before = {each.id for each in await rows(scene, match_groups) if not each.void}

    put(scene, "second.csv", day, good, row(3, day))
    assert await take(scene, "second.csv") == "day_taken"
    assert await take(scene, "second.csv") == "day_taken"
    assert (await scene.reconciler.run(day)).run.report["sources"][1]["refused"][0]["name"] == "second.csv"
    assert await take(scene, "second.csv", by="layla") == "accepted"

    report = (await scene.reconciler.run(day)).run.report
    assert {(each["type"], each["our_reference"]) for each in report["breaks"]} == {
        ("missing_at_them", f"{dropped}-p1"),
        ("missing_at_us", f"{3:032x}-p1"),
    }
    (wallet,) = [each for each in report["sources"] if each["source"] == SOURCE]
    assert wallet["proof"]["theirs_matched"]["count"] == 1
    assert wallet["proof"]["theirs_difference"] == wallet["proof"]["ours_difference"] == 0
    after = {each.id for each in await rows(scene, match_groups) if not each.void}
    assert len(before - after) == 1, "the match of the row that is no more"
    assert after <= before, "and the other one is the one that it was"
    again = (await scene.reconciler.run(day)).run
    assert (again.report, again.number) == (report, 3)

    put(scene, "third.csv", day, good, gone)
    assert await take(scene, "third.csv") == "known", "the first one's bytes do not come back by themselves"


async def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_look_and_nothing_of_it_stays(
    scene, monkeypatch
):
    day = scene.next_day()
    put(scene, "a.csv", day, *(row(number, day) for number in range(5)))
    path = scene.folder / "syriatel_cash" / "settlement" / "a.csv"
    whole, begin = path.read_bytes(), taking.begin

    def begin_and_change(*arguments):
        path.write_bytes(whole.replace(b"SC-4", b"SC-9"))
        return begin(*arguments)

    monkeypatch.setattr(taking, "begin", begin_and_change)
    with pytest.raises(OSError, match="changes while it is read"):
        await take(scene, "a.csv")
    assert await rows(scene, statement_lines) == []
    assert await rows(scene, statement_files) == []
    monkeypatch.undo()
    assert await take(scene, "a.csv") == "accepted"
