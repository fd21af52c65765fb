"""`jisr sandbox`: packages of the tree and of connector_paths, where the settings look for them, until Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from jisr import sandboxes
from jisr.setup import create
from tests.gateways import free_port
from tests.sandboxes import ROOT
from tests.unit.connectors.kit.sandbox.packages import copy_of, replaced
from tests.unit.connectors.kit.sandbox.test_tls import SETTINGS, guarded_ministry


@pytest.fixture
def municipality(tmp_path):
    """A package of a folder of its own."""
    folder = copy_of("transport", tmp_path / "packages").rename(tmp_path / "packages" / "municipality")
    replaced(folder / "manifest.toml", 'name = "transport"', 'name = "municipality"')
    return folder


def started(config: Path, *names: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "jisr", "--lang", "en", "--config", str(config), "sandbox", *names]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.Popen(command, cwd=config.parent, env=environment, stdout=subprocess.PIPE, text=True)


def name_at(port: int) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with closing(opener.open(f"http://127.0.0.1:{port}/_sandbox/health", timeout=10)) as answer:
        return str(json.load(answer)["name"])


def test_packages_of_a_folder_and_of_the_tree_listen_where_the_settings_look_and_one_interrupt_ends_them(
    tmp_path, municipality
):
    ports = free_port(), free_port()
    connectors = {"transport": {"base_url": f"http://127.0.0.1:{ports[0]}"}}
    create(tmp_path / "own", port=1, base_port=ports[1], connectors=connectors)
    config = tmp_path / "own" / "jisr.toml"
    replaced(config, "port = 1\n", f"port = 1\nconnector_paths = [{json.dumps(str(municipality.parent))}]\n")
    replaced(
        config,
        "[connectors.transport]",
        f'[connectors.municipality]\nbase_url = "http://localhost:{ports[1]}"\n\n[connectors.transport]',
    )
    process = started(config, "transport", "municipality")
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        assert [line.split()[1] for line in lines[:2]] == ["transport", "municipality"]
        assert [name_at(port) for port in ports] == ["transport", "municipality"]
        assert (tmp_path / "own/data/sandboxes/ledgers/municipality.ledger").is_file()
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "Ended.\n")
    with pytest.raises(OSError):
        name_at(ports[0])


def test_what_the_settings_do_not_place_gets_the_next_port_that_is_free_among_them():
    connectors = {"b": {"base_url": "http://127.0.0.1:9101"}, "c": {"base_url": "https://service.example:9102"}}
    assert sandboxes.ports(["a", "b", "c", "d"], 9101, connectors) == {"a": 9102, "b": 9101, "c": 9103, "d": 9104}


def test_certificates_are_made_once_for_an_installation_and_its_settings_name_their_files(tmp_path):
    folder = guarded_ministry(tmp_path / "packages")
    (tmp_path / "own").mkdir()
    places = {"education": folder}, {"education": 9101}, tmp_path / "own/data/sandboxes", tmp_path / "own"
    (first,), (second,) = sandboxes.find(*places), sandboxes.find(*places)
    assert first.settings == second.settings
    assert first.settings["client_key"] == "file:data/sandboxes/certificates/education/client.key"
    for name in SETTINGS:
        named = tmp_path / "own" / str(first.settings[name]).removeprefix("file:")
        assert named.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("word", "sentence"),
    [("./nothing", "./nothing holds no package with a sandbox"), ("nobody", "There is no sandbox 'nobody'")],
)
def test_what_is_no_sandbox_is_one_sentence(tmp_path, word, sentence):
    create(tmp_path / "own", port=1, base_port=9101, connectors={})
    command = [sys.executable, "-m", "jisr", "--lang", "en", "--config", "jisr.toml", "sandbox", word]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, cwd=tmp_path / "own", env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
