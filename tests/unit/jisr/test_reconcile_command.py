"""`jisr reconcile` as an operator meets it, without a server and beside one: sentences, files and exit statuses."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox.institution import sandbox_settings
from connectors.kit.sandbox.server import find_folder
from connectors.kit.statements.writing import write_statement
from tests.conftest import Database
from tests.gateways import GatewayProcess
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]
YESTERDAY = datetime.now(UTC).astimezone(ZoneInfo("Asia/Damascus")).date() - timedelta(days=1)
ROW = {
    "their_reference": "SC-1",
    "our_reference": f"{7:032x}-p1",
    "payer": "9639*****001",
    "amount": "25",
    "fee": "0.25",
    "at": f"{YESTERDAY} 10:00:00",
}


@pytest.fixture
def installed(tmp_path, database: Database):
    """An installation with both institutions set up; nobody serves it, and nobody is at the other end."""
    connectors = {name: sandbox_settings(find_folder(name), 9) for name in ("education", "syriatel_cash")}
    gateway = GatewayProcess(tmp_path, database.url, connectors)
    gateway.install()
    yield gateway
    if gateway.process is not None:
        gateway.stop()


def put(installed, name, content, source="syriatel_cash/settlement"):
    folder = installed.folder / "statements" / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def settlement(*rows):
    form = load_manifest(find_folder("syriatel_cash")).statements["settlement"]
    return write_statement(form, YESTERDAY, rows, owner="963930000900")


def issued():
    return write_statement(load_manifest(find_folder("education")).statements["issued"], YESTERDAY, ())


def test_a_day_is_run_by_command_reported_in_files_and_run_again_to_the_same_bytes(installed, jisr, tmp_path):
    config = installed.config
    put(installed, "s.csv", settlement(ROW))
    put(installed, "i.csv", issued(), "education/issued")
    put(installed, "cut.csv", settlement(ROW)[:-30])
    put(installed, "lost.csv", issued(), "education/list")

    done = jisr("--config", config, "--lang", "en", "reconcile", "run", "--day", YESTERDAY)

    assert done.returncode == 4, "a file was refused"
    assert "cut.csv:3: The totals row is not of the agreed form" in done.stdout
    assert "missing here" in done.stdout
    assert "education/list/lost.csv: no statement is looked for here" in done.stdout
    assert "s.csv:2" in done.stdout
    again = jisr("--config", config, "--lang", "en", "reconcile", "run", "--day", YESTERDAY)
    assert again.returncode == 4

    written = {}
    for name in ("one", "two"):
        output = tmp_path / name
        report = jisr("--config", config, "reconcile", "report", "--day", YESTERDAY, "--output", output)
        assert report.returncode == 3, "there are breaks"
        files = {path.name: path.read_bytes() for path in (output / YESTERDAY.isoformat()).iterdir()}
        written[name] = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    assert written["one"] == written["two"]
    assert {"report.json", "breaks.csv", "report.xlsx", "SHA256SUMS"} <= set(written["one"])
    content = json.loads((tmp_path / "one" / YESTERDAY.isoformat() / "report.json").read_text())
    (only,) = content["breaks"]
    assert (only["type"], only["file"], only["line"], only["theirs_minor"]) == ("missing_at_us", "s.csv", 2, 2500)

    def of_break(*arguments, lang="en"):
        return jisr("--config", config, "--lang", lang, "reconcile", "break", *arguments)

    assert only["id"] in of_break("list").stdout
    assert "given to rana: call them" in of_break("assign", only["id"], "rana", "--note", "call them").stdout
    silent = of_break("close", only["id"])
    assert (silent.returncode, "Say why" in silent.stderr) == (1, True)
    assert "أُغلق: ticket 4711" in of_break("close", only["id"], "--because", "ticket 4711", lang="ar").stdout
    twice = of_break("close", only["id"], "--because", "again")
    assert (twice.returncode, "This break is closed" in twice.stderr) == (1, True)
    assert "لا فرق بالرقم" in of_break("show", "B0", lang="ar").stderr
    assert of_break("list").stdout.strip() == "No break is open."


def test_the_command_speaks_arabic_beside_a_running_server_and_operators_read_the_report(installed, jisr):
    put(installed, "s.csv", settlement())
    put(installed, "i.csv", issued(), "education/issued")
    installed.start()

    done = jisr("--config", installed.config, "--lang", "ar", "reconcile", "run", "--day", YESTERDAY)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "متطابق جديد" in done.stdout
    put(installed, "s2.csv", settlement(ROW))
    put(installed, "s3.csv", settlement(ROW | {"amount": "30"}))
    command = ("--config", installed.config, "--lang", "ar", "reconcile")
    grown = jisr(*command, "run", "--day", YESTERDAY)
    assert (grown.returncode, "وهذا يخالفه" in grown.stdout) == (4, True), grown.stdout + grown.stderr
    corrected = jisr(*command, "correct", "syriatel_cash.settlement", "s3.csv")
    assert (corrected.returncode, "شغّل الآن" in corrected.stdout) == (0, True), corrected.stdout + corrected.stderr
    assert "لا جديد فيه" in jisr(*command, "correct", "syriatel_cash.settlement", "s3.csv").stdout
    assert "لا ملف" in jisr(*command, "correct", "syriatel_cash.settlement", "s4.csv").stderr
    assert jisr(*command, "run", "--day", YESTERDAY).returncode == 3
    key = installed.add("operator", "layla")
    with installed.client(key) as http:
        told = http.get(f"/v1/admin/reconciliation/{YESTERDAY}")
        assert told.status_code == 200
        assert told.json()["report"]["day"] == YESTERDAY.isoformat()
        assert http.get("/v1/admin/reconciliation/2020-01-01").status_code == 404
        assert http.get("/v1/admin/reconciliation/yesterday").status_code == 404
    with installed.client() as http:
        assert http.get(f"/v1/admin/reconciliation/{YESTERDAY}").status_code == 403


def test_a_day_that_is_none_or_not_over_or_not_run_is_a_sentence(installed, jisr):
    config = installed.config
    today = YESTERDAY + timedelta(days=1)
    for arguments, words in (
        (("run", "--day", "24/11/2026"), "is no date"),
        (("run", "--day", today), "is not over"),
        (("report", "--day", YESTERDAY), "was not run yet"),
    ):
        done = jisr("--config", config, "--lang", "en", "reconcile", *arguments)
        assert done.returncode == 1
        assert words in done.stderr
