"""`jisr schedule` and `jisr stranded` as operators meet them: in both languages, as JSON, and what they refuse."""

import asyncio
import json

import pytest
from sqlalchemy import update

from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.sandbox.server import find_folder
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock, now_ms
from gateway.store.engine import open_store
from gateway.store.tables import requests
from tests.conftest import Database
from tests.gateways import GatewayProcess
from tests.unit.gateway.api.rows import put_parked
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]
TWO_DAYS_MS = 2 * 86_400_000


def _parked_two_days_ago(conn, channel):
    request_id = put_parked(conn, channel)
    since = now_ms(conn) - TWO_DAYS_MS
    conn.execute(update(requests).where(requests.c.id == request_id).values(state_since=since))
    return request_id


@pytest.fixture
def installation(tmp_path, database: Database):
    """An installation that nobody serves."""
    gateway = GatewayProcess(tmp_path, database.url, {"transport": sandbox_settings(find_folder("transport"), 9)})
    gateway.install()
    return gateway


def test_the_timetable_is_listed_fired_by_hand_and_remembered_in_both_languages(jisr, installation):
    def schedule(*arguments, lang="en"):
        done = jisr("--lang", lang, "--config", installation.config, "schedule", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    before = {each["name"]: each for each in json.loads(schedule("list", "--json"))["entries"]}
    assert before["reconcile"]["catch_up"] == "once"
    assert before["reconcile"]["last"] is None
    assert "Nobody leads the timetable now" in schedule("list")
    assert "لا أحد يقود الجدول الآن" in schedule("list", lang="ar")

    assert schedule("run", "forget-keys").startswith("forget-keys: succeeded, ")
    assert schedule("run", "expire-unpaid", lang="ar").startswith("expire-unpaid: نجح، ")

    by_hand = [each for each in json.loads(schedule("history", "--json")) if each["cause"] == "hand"]
    assert {each["schedule"]: each["state"] for each in by_hand} == {
        "forget-keys": "succeeded",
        "expire-unpaid": "succeeded",
    }
    assert all(each["asked_by"] for each in by_hand)
    assert "by hand" in schedule("history", "forget-keys")
    assert "باليد" in schedule("history", "forget-keys", lang="ar")
    after = {each["name"]: each for each in json.loads(schedule("list", "--json"))["entries"]}
    assert after["forget-keys"]["last"]["state"] == "succeeded"


def test_what_the_timetable_does_not_know_is_refused_in_one_sentence(jisr, installation):
    for lang, arguments, said in (
        ("en", ("run", "tea"), "There is no schedule 'tea'; there are expire-unpaid, "),
        ("ar", ("run", "tea"), "لا موعد باسم 'tea'؛ الموجود: expire-unpaid، "),
        ("en", ("history", "tea"), "There is no schedule 'tea'"),
        ("en", ("history", "--state", "lost"), "There is no outcome 'lost'; there are due, "),
        ("ar", ("history", "--state", "lost"), "لا توجد نتيجة 'lost'"),
    ):
        refused = jisr("--lang", lang, "--config", installation.config, "schedule", *arguments)
        assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (1, 1, ""), refused.stderr
        assert said.replace("، ", ", ") in refused.stderr.replace("، ", ", ")


def test_stranded_requests_are_told_with_their_age_and_what_to_do_and_change_the_exit_status(
    jisr, installation, database
):
    def stranded(*arguments, lang="en"):
        return jisr("--lang", lang, "--config", installation.config, "stranded", *arguments)

    nothing = stranded()
    assert (nothing.returncode, nothing.stdout) == (0, "No request is stranded.\n")
    assert stranded(lang="ar").stdout == "لا طلب عالق.\n"

    async def park():
        store = await open_store(database.url, Keyring.load(installation.folder / "keyring.json"), Clock())
        try:
            channel = await store.read(lambda conn: conn.exec_driver_sql("SELECT id FROM principals").scalar_one())
            return await store.write(_parked_two_days_ago, channel)
        finally:
            await store.close()

    parked = asyncio.run(park())
    told = stranded("--json")
    assert told.returncode == 3
    [item] = json.loads(told.stdout)["items"]
    assert (item["id"], item["state"], item["limit_hours"]) == (parked, "parked", 24)
    assert item["age_seconds"] >= TWO_DAYS_MS // 1000
    assert parked in stranded().stdout
    assert item["advice"]["ar"].split()[0] in stranded(lang="ar").stdout
