"""The command line as a person meets it: its exit status and its sentences."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from jisr.cli import main
from jisr.terminal import language_of

ROOT = Path(__file__).parents[3]

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("JISR_", "LANG", "LC_"))}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def jisr(capsys, monkeypatch):
    """Runs a command in this process. No traceback is ever shown, whatever it does."""
    for name in os.environ.keys() - CLEAN.keys():
        monkeypatch.delenv(name)

    def run(*arguments, **environment):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["jisr", *map(str, arguments)])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def process(*arguments, **environment):
    """Runs a command in a process of its own, as a shell does."""
    done = subprocess.run(
        [sys.executable, "-m", "jisr", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**CLEAN, **environment},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def installation(tmp_path, jisr):
    """The settings file of a fresh installation."""
    assert jisr("init", tmp_path / "new").returncode == 0
    return tmp_path / "new" / "jisr.toml"


def test_an_installation_is_made_and_the_next_steps_are_told(jisr, tmp_path):
    done = jisr("init", tmp_path / "new")

    assert done.returncode == 0
    assert f"jisr --config {tmp_path / 'new/jisr.toml'} serve" in done.stdout
    again = jisr("init", tmp_path / "new")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "nothing was changed" in again.stderr


def test_a_channels_key_is_shown_once_and_alone_on_standard_output(jisr, installation):
    added = jisr("-c", installation, "channel", "add", "web", "--service", "education.*", "--priority", "desk")
    listed = jisr("-c", installation, "channel", "list")

    assert added.stdout.startswith("jisr_channel_")
    assert added.stdout.count("\n") == 1
    assert added.stdout.strip() not in listed.stdout + listed.stderr
    assert listed.stdout.splitlines()[1].split()[:4] == ["web", "education.*", "desk", "valid"]


def test_a_revoked_channel_is_listed_as_such(jisr, installation):
    jisr("-c", installation, "channel", "add", "web")

    assert jisr("-c", installation, "channel", "revoke", "web").returncode == 0
    assert "revoked" in jisr("-c", installation, "channel", "list").stdout
    assert jisr("-c", installation, "channel", "revoke", "web").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("channel", "add", "web", "--service", "nonsense"), "There is no service 'nonsense'"),
        (("channel", "add", "web", "--priority", "first"), "There is no priority 'first'"),
        (("request", "list", "--state", "lost"), "There is no state 'lost'"),
        (("request", "show", "01999999-0000-7000-8000-000000000000"), "There is no request"),
        (("sandbox", "nobody"), "There is no sandbox 'nobody'"),
        (("worker",), "PostgreSQL"),
        (("docs", "show", "poems"), "There is no page 'poems'"),
        (("request", "submit", "/nowhere.json"), "A channel's key is needed"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_on_standard_error(jisr, installation, arguments, sentence):
    done = jisr("-c", installation, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_is_taken_is_told(jisr, installation):
    jisr("-c", installation, "operator", "add", "layla")

    done = jisr("-c", installation, "operator", "add", "layla")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "The name 'layla' is taken by another operator."


@pytest.mark.parametrize("arguments", [("nonsense",), ("channel",), ("channel", "add"), ("--lang", "fr", "doctor")])
def test_wrong_usage_ends_with_2(jisr, arguments):
    assert jisr(*arguments).returncode == 2


def test_a_wrong_setting_is_one_sentence(jisr, installation):
    done = jisr("-c", installation, "serve", JISR_PORT="many")

    assert (done.returncode, done.stderr) == (1, "The setting port is wrong: expected `int`, got `str`.\n")


def test_a_port_in_use_is_one_sentence(jisr, installation):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = process("-c", installation, "serve", "--port", port)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} on 127.0.0.1 is in use")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["serve", "worker", "doctor"])
def test_an_unreachable_database_is_one_sentence(jisr, installation, command):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    done = jisr(
        "-c", installation, command, JISR_DATABASE_URL=f"postgresql://jisr@127.0.0.1:{port}/jisr", JISR_PORT="0"
    )

    assert done.returncode == 1
    said = done.stdout if command == "doctor" else done.stderr
    assert "at 127.0.0.1 cannot be used: the server cannot be reached" in said
    assert command == "doctor" or done.stderr.count("\n") == 1


def test_a_keyring_that_others_can_read_is_refused(jisr, installation):
    (installation.parent / "data/keyring.json").chmod(0o644)

    done = jisr("-c", installation, "serve", JISR_PORT="0")

    assert done.returncode == 1
    assert "can be read by others (mode 0644)" in done.stderr


def test_a_damaged_service_file_is_one_sentence_with_file_and_key(jisr, installation, tmp_path):
    (tmp_path / "services").mkdir()
    (tmp_path / "services/mine.toml").write_text('id = "mine"\n')

    done = jisr("-c", installation, "serve", JISR_SERVICES_PATHS=str(tmp_path / "services"), JISR_PORT="0")

    assert done.returncode == 1
    assert "mine.toml:1: input: the key is missing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wsdl_that_does_not_match_the_manifest_of_a_used_connector_is_one_sentence(jisr, installation, tmp_path):
    package, services = tmp_path / "archive", tmp_path / "services"
    shutil.copytree(ROOT / "connectors/education", package)
    manifest = (package / "manifest.toml").read_text("utf-8")
    manifest = manifest.replace('name = "education"', 'name = "archive"').replace('"CheckRecord"', '"CheckNothing"')
    (package / "manifest.toml").write_text(manifest, "utf-8")
    services.mkdir()
    service = (ROOT / "config/services/education.employment-statement.toml").read_text("utf-8")
    service = service.replace('"education"', '"archive"').replace("education.employment", "archive.employment")
    (services / "archive.employment-statement.toml").write_text(service, "utf-8")
    given = installation.read_text("utf-8")
    settings = '[connectors.archive]\nbase_url = "http://127.0.0.1:9"\nusername = "a"\npassword = "b"\n'
    folders = f'connector_paths = ["{package}"]\nservices_paths = ["{services}"]\n'
    installation.write_text(f"{folders}{given}\n{settings}", "utf-8")

    done = jisr("-c", installation, "serve", JISR_PORT="0")

    assert done.returncode == 1
    assert "CheckNothing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_doctor_names_every_thing_that_is_wrong_and_ends_with_1(jisr, installation):
    (installation.parent / "data/keyring.json").unlink()
    done = jisr("-c", installation, "doctor", "--help")
    assert done.returncode == 0

    done = jisr("-c", installation, "doctor", JISR_CONNECTORS__EDUCATION__PASSWORD="env:NOT_SET_ANYWHERE")

    wrong = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert done.returncode == 1
    assert any("keyring" in line for line in wrong)
    assert any("NOT_SET_ANYWHERE" in line for line in wrong)
    assert any(line.startswith("✓  services") for line in done.stdout.splitlines())


def test_messages_are_arabic_when_the_locale_or_the_option_says_so(jisr, installation):
    assert "لا توجد حالة" in jisr("-c", installation, "request", "list", "--state", "x", LANG="ar_SY.UTF-8").stderr
    assert "لا توجد حالة" in jisr("-c", installation, "--lang", "ar", "request", "list", "--state", "x").stderr


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ar_SY.UTF-8"}, "ar"),
        ({"LANG": "ar_SY.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "JISR_LANG": "ar"}, "ar"),
    ],
)
def test_the_language_comes_from_the_environment(environment, language):
    assert language_of(environment) == language


def test_a_fault_of_the_program_is_a_sentence_and_a_report_without_the_message(installation, tmp_path):
    """A settings object that is broken from inside: nothing a person could have done."""
    program = (
        "import sys; sys.argv = ['jisr', '-c', sys.argv[1], 'doctor']\n"
        "import jisr.checks\n"
        "def explode(settings): raise RuntimeError('99000000017')\n"
        "jisr.checks.examine = explode\n"
        "from jisr.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(installation)], capture_output=True, text=True, check=False, env=CLEAN
    )

    [report] = (installation.parent / "data").glob("jisr-crash-*.txt")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "RuntimeError" in done.stderr
    assert str(report) in done.stderr
    assert "explode" in report.read_text()
    assert "99000000017" not in report.read_text() + done.stderr
    assert report.stat().st_mode & 0o777 == 0o600


def test_the_version_is_that_of_the_project(jisr):
    assert jisr("--version").stdout.startswith("jisr ")


def test_every_command_explains_itself_with_an_example(jisr):
    text = jisr("docs", "show", "cli").stdout
    parts = [part for part in text.split("\n## ")[1:] if not part.startswith("`jisr`")]
    groups = {
        "`jisr channel`",
        "`jisr operator`",
        "`jisr request`",
        "`jisr db`",
        "`jisr docs`",
        "`jisr connector`",
        "`jisr mapping`",
        "`jisr reconcile`",
        "`jisr reconcile break`",
        "`jisr webhook`",
        "`jisr deadletter`",
        "`jisr doubt`",
        "`jisr schedule`",
    }
    without = [part.splitlines()[0] for part in parts if "Example" not in part and part.splitlines()[0] not in groups]

    assert len(parts) > 20
    assert without == []


def test_the_api_description_can_be_printed(jisr):
    assert json.loads(jisr("docs", "show", "openapi").stdout)["openapi"].startswith("3.1")


def test_webhooks_are_added_pinged_rotated_and_removed_by_the_operator(jisr, installation):
    def webhook(*arguments, lang="en"):
        return jisr("--lang", lang, "--config", installation, "webhook", *arguments)

    assert jisr("--config", installation, "channel", "add", "web-site").returncode == 0
    added = webhook("add", "web-site", "https://93.184.216.34/jisr", "-e", "jisr.request.completed")
    assert added.stdout.startswith("whsec_"), added.stderr
    listed = webhook("list", "--channel", "web-site").stdout.splitlines()[1].split()
    assert (listed[2], listed[3:]) == ("https://93.184.216.34/jisr", ["active", "0", "0"])
    rotated = webhook("rotate", listed[0], "--hours", "0")
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout != added.stdout
    event = webhook("ping", listed[0]).stdout.split()[2]
    (line,) = webhook("log", listed[0], "--state", "waiting").stdout.splitlines()[1:]
    assert line.split()[:4] == [event, "jisr.webhook.ping", "waiting", "0"]
    assert webhook("redeliver", listed[0], event).stdout == "In line again: 1.\n"
    assert webhook("redeliver", listed[0], "--failed").stdout == "In line again: 0.\n"
    assert webhook("disable", listed[0]).returncode == webhook("enable", listed[0]).returncode == 0
    for lang, arguments, said in (
        ("en", ("add", "web-site", "https://10.0.0.1/"), "a private, local or reserved network"),
        ("ar", ("add", "web-site", "https://10.0.0.1/"), "شبكة خاصة"),
        ("ar", ("add", "nobody", "https://93.184.216.34/"), "لا توجد قناة"),
        ("en", ("redeliver", listed[0]), "--failed"),
        ("en", ("log", listed[0], "--state", "lost"), "There is no state"),
    ):
        refused = webhook(*arguments, lang=lang)
        assert (refused.returncode, refused.stderr.count("\n"), said in refused.stderr) == (1, 1, True), refused.stderr
    assert webhook("remove", listed[0]).returncode == 0
    assert webhook("list").stdout == "There is none yet.\n"
