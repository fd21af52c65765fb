"""`jisr connector init|list|show|lock` at a terminal, in both languages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jisr.cli import app
from jisr.terminal import Front
from tests.unit.connectors.kit.importing.contracts import openapi, write, wsdl


def run(*words: str, language: str = "en", config: Path | None = None) -> Result:
    """One command."""
    options = ["--config", str(config)] if config else []
    return CliRunner().invoke(app, [*options, "connector", *words], obj=Front(language=language))


def test_init_says_where_the_package_is_and_how_many_operations_it_has(tmp_path):
    result = run("init", "city", "--wsdl", write(tmp_path, "c.wsdl", wsdl()), "--into", str(tmp_path))

    assert result.exit_code == 0
    assert "operations: 2" in result.stdout.replace("\n", " ")
    assert (tmp_path / "city/manifest.toml").is_file()


def test_init_of_an_openapi_document_speaks_arabic(tmp_path):
    result = run(
        "init", "city", "--openapi", write(tmp_path, "c.json", openapi()), "--into", str(tmp_path), language="ar"
    )

    assert result.exit_code == 0
    assert "العمليات: 3" in result.stdout


def test_what_stands_in_brackets_is_not_taken_for_a_colour(tmp_path):
    document = openapi(openapi="3.1.0", webhooks={"issued[/red]": {"post": {"responses": {}}}})

    result = run("init", "city", "--openapi", write(tmp_path, "c.json", document), "--into", str(tmp_path))

    assert result.exit_code == 0
    assert "(issued[/red]): declare that as [callbacks.NAME] of manifest.toml." in result.stdout


@pytest.mark.parametrize(("language", "says"), [("en", "is not well-formed XML"), ("ar", "ليس XML سليم البناء")])
def test_a_broken_contract_is_one_sentence_and_status_1_as_a_program(tmp_path, language, says):
    source = write(tmp_path, "c.wsdl", "<a>\n<b></a>")
    command = [
        sys.executable,
        "-m",
        "jisr",
        "--lang",
        language,
        "connector",
        "init",
        "city",
        "--wsdl",
        source,
        "--into",
        str(tmp_path),
    ]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])

    assert ended.returncode == 1
    assert says in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.wsdl"]


@pytest.mark.parametrize("words", [(), ("--wsdl", "a", "--openapi", "b")])
def test_init_wants_one_contract(tmp_path, words):
    result = run("init", "city", *words, "--into", str(tmp_path))

    assert result.exit_code == 1
    assert "either --wsdl or --openapi" in str(result.exception)


def test_init_refuses_the_name_of_a_connector_of_the_program(tmp_path):
    result = run("init", "education", "--wsdl", write(tmp_path, "c.wsdl", wsdl()), "--into", str(tmp_path))

    assert result.exit_code == 1
    assert "has a connector education" in str(result.exception)


def test_list_knows_packages_of_the_program_and_of_the_ministry(tmp_path):
    run("init", "city", "--wsdl", write(tmp_path, "c.wsdl", wsdl()), "--into", str(tmp_path))
    config = tmp_path / "jisr.toml"
    config.write_text('connector_paths = ["."]\n', encoding="utf-8")

    result = run("list", "--json", config=config)

    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert {"education", "transport", "syriatel_cash", "city"} <= set(rows)
    assert rows["city"]["operations"] == 2


def test_list_shows_a_broken_package_with_its_fault_and_ends_with_1(tmp_path):
    write(tmp_path, "broken/manifest.toml", "name = 3")
    config = tmp_path / "jisr.toml"
    config.write_text('connector_paths = ["."]\n', encoding="utf-8")

    result = run("list", config=config)

    assert result.exit_code == 1
    assert "broken/manifest.toml" in result.stdout
    assert "education" in result.stdout


def test_show_marks_secrets_and_never_has_a_value(tmp_path):
    result = run("show", "education", "--json")

    shown = json.loads(result.stdout)
    assert {row["name"]: row["secret"] for row in shown["settings"]} == {
        "base_url": False,
        "username": False,
        "password": True,
    }
    assert {row["name"]: row["effect"] for row in shown["operations"]} == {
        "check": "safe",
        "submit": "inquirable",
        "inquire": "safe",
    }
    assert "sandbox-only" not in result.stdout


def test_show_says_how_calls_are_proven_and_which_settings_may_be_left_out():
    shown = json.loads(run("show", "interior", "--json").stdout)

    assert shown["authentication"] == ["mutual_tls", "x509_signature"]
    assert [row["name"] for row in shown["settings"] if not row["required"]] == ["authority"]
    assert "authentication: mutual_tls, x509_signature" in run("show", "interior").stdout


def test_show_names_the_contract_and_its_hash(tmp_path):
    run("init", "city", "--wsdl", write(tmp_path, "c.wsdl", wsdl()), "--into", str(tmp_path))

    result = run("show", str(tmp_path / "city"))

    assert "c.wsdl" in result.stdout
    assert "sha256:" in result.stdout
