"""People work on breaks: they list, give, annotate and close them, and what they closed stays closed."""

import contextlib
from datetime import timedelta
from typing import Any, cast

import httpx
from sqlalchemy import select

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.server import find_folder
from connectors.kit.statements.writing import write_statement
from gateway.api.app import build_app
from gateway.reconciliation.writing import files_of_report
from gateway.security.principals import Kind, new_key
from gateway.store.principals import add_principal
from gateway.store.reconciliation.tables import recon_break_notes, recon_breaks, recon_resolutions

UNKNOWN = b"f" * 32 + b"-p1"


@contextlib.asynccontextmanager
async def operator(scene, name="layla"):
    key = new_key(Kind.OPERATOR, name)
    await scene.built.store.write(lambda conn: add_principal(conn, name, key, kind=Kind.OPERATOR, name=name))
    transport = httpx.ASGITransport(app=cast("Any", build_app(scene.built.services)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway.test", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


def named_anew(scene, day, request, number=1):
    """The wallet's file lists that payment under a reference that nobody here sent."""
    scene.write_files(day)
    path = scene.folder / "syriatel_cash" / "settlement" / f"settlement-{day}.csv"
    ours = f"{request['id'].replace('-', '')}-p{number}".encode()
    path.write_bytes(path.read_bytes().replace(ours, UNKNOWN))


async def broken_day(scene):
    """A day with a payment that they do not list, and a line that nobody here sent."""
    request = await scene.paid("k-1")
    day = scene.next_day()
    named_anew(scene, day, request)
    return request, day


async def test_a_break_is_given_annotated_and_closed_and_stays_closed_while_every_report_stays_what_it_was(scene):
    request, day = await broken_day(scene)
    told = await scene.reconciler.run(day)
    first = files_of_report(told.run.report)
    async with operator(scene) as http:
        listed = (await http.get("/v1/admin/breaks")).json()["items"]
        assert {each["type"] for each in listed} == {"missing_at_us", "missing_at_them"}
        (ours,) = [each for each in listed if each["type"] == "missing_at_them"]
        assert (ours["request"], ours["amount"]["value"], ours["state"]) == (request["id"], "25.00", "open")
        one = f"/v1/admin/breaks/{ours['id']}"
        given = await http.post(f"{one}/assign", json={"to": "rana", "text": "ask the wallet about 99010000012"})
        assert (given.json()["state"], given.json()["owner"]) == ("assigned", "rana")
        assert (await http.post(f"{one}/notes", json={"text": "they look for it"})).status_code == 200
        mine = (await http.get("/v1/admin/breaks?owner=rana&type=missing_at_them")).json()["items"]
        assert [each["id"] for each in mine] == [ours["id"]]
        closed = (await http.post(f"{one}/close", json={"reason": "settled by hand, ticket 4711"})).json()
        assert (closed["state"], closed["closed_day"]) == ("closed", scene.today().isoformat())
        assert [(each["kind"], each["by"]) for each in closed["notes"]] == [
            ("assigned", "layla"),
            ("noted", "layla"),
            ("closed", "layla"),
        ]
        again = await http.post(f"{one}/close", json={"reason": "once more"})
        assert (again.status_code, again.json()["code"]) == (409, "break_closed")
        late = await http.post(f"{one}/assign", json={"to": "omar"})
        assert late.json()["code"] == "break_closed"
        assert (await http.post(f"{one}/notes", json={"text": "they paid it out"})).status_code == 200

        rerun = await scene.reconciler.run(day)
        assert rerun.run.number == 1
        assert files_of_report(rerun.run.report) == first, "the day's own report is about the day, not about the work"
        assert (await http.get(one)).json()["state"] == "closed"

        after = scene.next_day()
        report = await scene.settle_day(after)
        assert [each["type"] for each in report["breaks"]] == ["missing_at_us"], "what was closed is not carried on"
        assert await scene.settle_day(after) == report
        assert (await http.get(one)).json()["state"] == "closed"
        everything = (await http.get("/v1/admin/breaks?state=closed")).json()["items"]
        assert [each["id"] for each in everything] == [ours["id"]]

    def kept(conn):
        notes = conn.execute(select(recon_break_notes)).all()
        raw = conn.exec_driver_sql("SELECT said FROM recon_break_notes").scalars().all()
        return notes, raw, conn.execute(select(recon_resolutions)).all()

    notes, raw, resolutions = await scene.built.store.read(kept)
    assert not any(b"99010000012" in bytes(each) for each in raw), "what people write is sealed"
    (resolved,) = [row for row in resolutions if row.maker == "layla"]
    assert resolved.evidence in {row.id for row in notes}


async def test_a_closed_break_that_becomes_another_one_is_opened_anew(scene):
    request, day = await broken_day(scene)
    await scene.reconciler.run(day)
    async with operator(scene) as http:
        (ours,) = (await http.get("/v1/admin/breaks?type=missing_at_them")).json()["items"]
        one = f"/v1/admin/breaks/{ours['id']}"
        await http.post(f"{one}/close", json={"reason": "they say that it will come"})
        after = scene.next_day()
        await scene.settle_day(after)
        third = scene.next_day()
        scene.write_files(third)
        path = scene.folder / "syriatel_cash" / "settlement" / f"settlement-{third}.csv"
        reference = f"{request['id'].replace('-', '')}-p1"
        row = {"their_reference": "SC-LATE", "our_reference": reference, "payer": "9639*****001"}
        row |= {"amount": "30", "fee": "0.30", "at": f"{third} 10:00:00"}
        form = load_manifest(find_folder("syriatel_cash")).statements["settlement"]
        path.write_bytes(write_statement(form, third, [row], owner="963930000900"))

        report = (await scene.reconciler.run(third)).run.report

        assert {each["type"] for each in report["breaks"]} == {"missing_at_us", "amount"}
        found = (await http.get(one)).json()
        assert (found["type"], found["state"]) == ("amount", "open")
        assert [each["kind"] for each in found["notes"]] == ["closed"]


async def test_what_awaits_its_file_cannot_be_closed_and_what_is_not_there_is_not_found(scene):
    await scene.in_doubt("k-1", mode="cut_before")
    await scene.reconciler.run(scene.next_day())
    async with operator(scene) as http:
        (timing,) = (await http.get("/v1/admin/breaks?type=timing")).json()["items"]
        assert timing["expected"]
        refused = await http.post(f"/v1/admin/breaks/{timing['id']}/close", json={"reason": "it is old"})
        assert (refused.status_code, refused.json()["code"]) == (409, "break_expected")
        for path in ("B" + "0" * 15, "nothing", timing["id"].lower()):
            assert (await http.get(f"/v1/admin/breaks/{path}")).status_code == 404
        for body in ({}, {"reason": " "}, {"reason": "x", "state": "closed"}, {"reason": "x" * 2001}):
            told = await http.post(f"/v1/admin/breaks/{timing['id']}/close", json=body)
            assert told.status_code == 422, body
        assert (await http.get("/v1/admin/breaks?type=wrong")).status_code == 400
    channel = await scene.client.get("/v1/admin/breaks")
    assert channel.status_code == 403


async def test_breaks_are_paged_and_counted_by_type_and_age_for_those_who_watch(scene):
    await broken_day(scene)
    await scene.reconciler.run(scene.today() - timedelta(days=1))
    scene.clock.advance(3600)
    async with operator(scene) as http:
        first = (await http.get("/v1/admin/breaks?limit=1")).json()
        second = (await http.get("/v1/admin/breaks", params={"limit": 1, "cursor": first["next_cursor"]})).json()
        assert {page["items"][0]["type"] for page in (first, second)} == {"missing_at_us", "missing_at_them"}
        assert second["next_cursor"] is None
        text = (await http.get("/metrics")).text
    assert 'jisr_breaks_open{source="syriatel_cash.settlement",type="missing_at_us"} 1.0' in text
    (age,) = [line for line in text.splitlines() if line.startswith('jisr_breaks_oldest_seconds{type="missing_at_us"}')]
    assert float(age.split()[-1]) >= 3600
    assert 'jisr_breaks_oldest_seconds{type="amount"} 0.0' in text
    rows = await scene.built.store.read(lambda conn: conn.execute(select(recon_breaks)).all())
    assert len(rows) == 2
