"""`jisr demo --all`: every service of the catalogue ends with its result, and programs can read the table."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from gateway.catalogue import Catalogue
from gateway.settings import BUILTIN_SERVICES

ROOT = Path(__file__).resolve().parents[2]


def test_every_service_of_the_catalogue_comes_to_its_result_and_nothing_is_done_twice(tmp_path):
    report = tmp_path / "services.json"
    command = [sys.executable, "-m", "jisr", "--lang", "en", "demo", "--all"]
    command += ["--json", str(report), "--dir", str(tmp_path / "demo")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    rows = {row["service"]: row for row in json.loads(report.read_text("utf-8"))}
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert set(rows) == {service.id for service in Catalogue.load([BUILTIN_SERVICES])}
    for row in rows.values():
        assert list(row) == ["service", "wire", "state", "ms", "document_sha256", "ledger_effects"]
        assert (row["state"], set(row["ledger_effects"].values()) <= {1}) == ("completed", True), row
        assert re.fullmatch("[0-9a-f]{64}", row["document_sha256"]), row
        assert row["wire"]
    assert rows["education.basic-certificate-copy"]["ledger_effects"] == {
        "education.copy": 1,
        "syriatel_cash.debit": 1,
    }
