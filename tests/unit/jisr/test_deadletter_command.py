"""`jisr deadletter` as an operator meets it: what it says in both languages, what it prints, and what it refuses."""

import asyncio
import json

import pytest

from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.sandbox.server import find_folder
from connectors.registry import find_packages
from gateway.security.keyring import Keyring
from gateway.store.clock import Clock
from gateway.store.engine import open_store
from tests.conftest import Database
from tests.gateways import GatewayProcess
from tests.unit.gateway.api.rows import PARKED_AT, put_parked
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]
NOW = f"transport@{find_packages()['transport'].manifest.version}"
WHY = ("--act", "--because", "the ministry mended its answer")


@pytest.fixture
def letters(tmp_path, database: Database):
    """An installation that nobody serves, with one letter of each sort; their ids: safe, unsafe, changed mapping."""
    gateway = GatewayProcess(tmp_path, database.url, {"transport": sandbox_settings(find_folder("transport"), 9)})
    gateway.install()

    async def put():
        store = await open_store(database.url, Keyring.load(tmp_path / "keyring.json"), Clock())
        try:
            channel = await store.read(lambda conn: conn.exec_driver_sql("SELECT id FROM principals").scalar_one())
            doubt = {"connector": "syriatel_cash", "operation": "confirm", "state": "in_doubt"}
            return [
                await store.write(lambda conn, more=more: put_parked(conn, channel, **more))
                for more in ({"mapping": NOW}, {"mapping": NOW, **doubt}, {"mapping": "transport@0"})
            ]
        finally:
            await store.close()

    return gateway.config, asyncio.run(put())


def test_letters_are_listed_shown_planned_and_replayed_in_both_languages_and_as_json(jisr, letters):
    config, (safe, unsafe, changed) = letters

    def deadletter(*arguments, lang="en"):
        done = jisr("--lang", lang, "--config", config, "deadletter", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    lines = deadletter("list", "--reason", "mapping_failed").splitlines()
    assert [line.split()[0] for line in lines[1:]] == [safe, unsafe, changed]
    assert " ".join(lines[1].split()) == f"{safe} {PARKED_AT} mapping_failed safe nothing reached the institution"
    assert "ربما وصل ولا يمكن سؤال أحد" in deadletter("list", lang="ar").splitlines()[2]
    assert deadletter("list", "--service", "a.b") == "Nothing waits for people here.\n"
    assert deadletter("list", "--service", "a.b", lang="ar") == "لا شيء ينتظر أحداً هنا.\n"
    assert [each["replay"]["sort"] for each in json.loads(deadletter("list", "--json"))] == ["safe", "unsafe", "safe"]
    assert json.loads(deadletter("show", unsafe))["attempts"][0]["operation"] == "confirm"

    plan = deadletter("replay", "--lane", PARKED_AT)
    assert "safe: 2, inquire first: 0, unsafe: 1, already done: 0" in plan
    assert f"The mapping changes transport@0 → {NOW}: 1" in plan
    assert "On their way" not in plan
    planned = json.loads(deadletter("replay", "--json"))
    assert (planned["count"], "went" in planned) == (3, False)

    assert "On their way again: 1" in deadletter("replay", *WHY)
    assert "يسير من جديد: 1" in deadletter("replay", changed, *WHY, "--new-mapping", lang="ar")
    assert json.loads(deadletter("replay", unsafe, *WHY, "--json"))["went"] == dict.fromkeys(
        ("safe", "inquire_first", "unsafe", "done"), 0
    )
    assert [each["id"] for each in json.loads(deadletter("list", "--json"))] == [unsafe]


def test_what_is_asked_wrongly_is_refused_in_one_sentence_and_nothing_is_touched(jisr, letters):
    config, (safe, _, _) = letters
    nobody = "01890000-0000-7000-8000-000000000000"
    for lang, arguments, said in (
        ("en", ("show", nobody), f"There is no request {nobody}."),
        ("ar", ("show", "'; --"), "لا يوجد طلب '; --."),
        ("en", ("replay", safe, nobody, *WHY), f"There is no request {nobody}."),
        ("en", ("replay", safe, "--act"), "--because"),
        ("ar", ("replay", safe, "--act", "--because", "  "), "اذكر السبب"),
    ):
        refused = jisr("--lang", lang, "--config", config, "deadletter", *arguments)
        assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (1, 1, ""), refused.stderr
        assert said in refused.stderr
    left = jisr("--config", config, "deadletter", "list", "--json")
    assert [each["state"] for each in json.loads(left.stdout)] == ["parked"] * 3
