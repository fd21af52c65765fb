"""Settings: three layers, and one sentence for whatever is wrong with them."""

import pytest

from gateway.settings import SettingsError, load


@pytest.fixture(autouse=True)
def _away_from_any_settings_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_hold_and_the_database_lies_in_the_data_folder(tmp_path):
    settings = load(environment={})

    assert settings.port == 8080
    assert settings.uses_sqlite
    assert settings.database_url == f"sqlite:///{tmp_path / 'var/jisr/jisr.sqlite'}"
    assert settings.keyring_path == tmp_path / "var/jisr/keyring.json"


def test_the_file_overrides_defaults_and_the_environment_overrides_the_file(tmp_path):
    (tmp_path / "jisr.toml").write_text("port = 1111\n[dispatch]\nlease_seconds = 60\nmax_tries = 9\n")

    settings = load(environment={"JISR_DISPATCH__LEASE_SECONDS": "90"})

    assert (settings.port, settings.dispatch.lease_seconds, settings.dispatch.max_tries) == (1111, 90.0, 9)


def test_relative_paths_of_a_file_are_meant_from_where_it_lies(tmp_path):
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "secret").write_text("sealed\n")
    (folder / "j.toml").write_text(
        'data_dir = "data"\nservices_paths = ["mine"]\n[connectors.education]\npassword = "file:secret"\n'
    )

    settings = load(folder / "j.toml", environment={})

    assert settings.data_dir == folder / "data"
    assert settings.services_paths == (folder / "mine",)
    assert settings.connector("education") == {"password": "sealed"}


def test_the_environment_reaches_a_connectors_settings(monkeypatch):
    monkeypatch.setenv("WALLET_PASSWORD", "only-in-memory")

    settings = load(environment={"JISR_CONNECTORS__SYRIATEL_CASH__PASSWORD": "env:WALLET_PASSWORD"})

    assert settings.connectors == {"syriatel_cash": {"password": "env:WALLET_PASSWORD"}}
    assert settings.connector("syriatel_cash") == {"password": "only-in-memory"}
    assert settings.connector("unknown") == {}


def test_lists_come_from_the_environment_too():
    settings = load(environment={"JISR_SERVICES_PATHS": "/a:/b", "JISR_DISPATCH__INQUIRY_SECONDS": "1, 2.5"})

    assert [str(path) for path in settings.services_paths] == ["/a", "/b"]
    assert settings.dispatch.inquiry_seconds == (1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "'prot'"),
        ("[dispatch]\nlease = 1", "'dispatch.lease'"),
        ('port = "many"', "port"),
        ("port = 70000", "port"),
        ("[dispatch]\nmax_tries = 0", "dispatch.max_tries"),
        ("[dispatch]\nsend_window_seconds = 30", "dispatch.send_window_seconds"),
        ("[dispatch]\ninquiry_seconds = []", "dispatch.inquiry_seconds"),
        ('[log]\nformat = "xml"', "log.format"),
        ('database_url = "mysql://x"', "database_url"),
        ("port = ", "not valid TOML"),
        ("[sandbox]\nbase_port = 0", "sandbox.base_port"),
        ("max_body_bytes = 1", "max_body_bytes"),
        ("idempotency_days = 0", "idempotency_days"),
        ("idempotency_days = 399", "idempotency_days"),
        ("dispatch = 5", "dispatch"),
        ("services_paths = 5", "services_paths"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path, text, named):
    (tmp_path / "jisr.toml").write_text(text)

    with pytest.raises(SettingsError) as raised:
        load(environment={})

    assert named in str(raised.value)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "variable", ["JISR_PROT", "JISR_DISPATCH__LEASE", "JISR_CONNECTORS__EDUCATION", "JISR_PORT__DEEPER"]
)
def test_a_variable_that_names_no_setting_is_refused(variable):
    with pytest.raises(SettingsError, match=variable):
        load(environment={variable: "1"})


@pytest.mark.parametrize("variable", ["JISR_KEY", "JISR_URL", "JISR_LANG", "JISR_KEY_FILE", "JISR_CRASH_AT"])
def test_variables_of_the_command_line_are_no_settings(variable):
    assert load(environment={variable: "x"}).port == 8080


def test_a_settings_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read: no such file"):
        load(tmp_path / "nowhere.toml", environment={})


def test_a_settings_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "jisr.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="not UTF-8"):
        load(environment={})


@pytest.mark.parametrize("value", ["env:JISR_TEST_NOT_SET_ANYWHERE", "file:/nowhere/secret"])
def test_a_secret_that_is_missing_is_told_without_its_value(value):
    settings = load(environment={"JISR_CONNECTORS__EDUCATION__PASSWORD": value})

    with pytest.raises(SettingsError, match=r"connectors\.education\.password names the"):
        settings.connector("education")
