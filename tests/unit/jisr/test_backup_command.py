"""`jisr backup` and `jisr restore` as an operator meets them: sentences in both languages, and exit statuses."""

import pytest

from gateway.security.keyring import Keyring
from jisr.setup import create
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]


@pytest.fixture
def installed(tmp_path):
    """An installation without a record yet."""
    return create(tmp_path / "here", port=1, base_port=1, connectors={}).data_dir.parent / "jisr.toml"


def test_a_backup_is_taken_looked_through_and_put_back(installed, jisr, tmp_path):
    assert jisr("--config", installed, "db", "upgrade").returncode == 0
    took = jisr("--config", installed, "backup", tmp_path / "backups", "--with-keys")
    assert took.returncode == 0, took.stderr
    (folder,) = (tmp_path / "backups").iterdir()
    assert "in clear" in took.stdout
    assert Keyring.load(folder / "secrets" / "keyring.json").active
    looked = jisr("--config", installed, "restore", "--check", folder)
    assert (looked.returncode, "is whole" in looked.stdout) == (0, True)
    back = jisr("--config", installed, "restore", folder)
    assert (back.returncode, "in restore mode" in back.stdout) == (0, True), back.stderr
    assert "وضع الاستعادة قائم" in jisr("--config", installed, "--lang", "ar", "restore", "--status").stdout
    assert jisr("--config", installed, "restore", "--finish").returncode == 0
    again = jisr("--config", installed, "restore", "--finish")
    assert (again.returncode, again.stderr.strip()) == (1, "Restore mode is not on.")


@pytest.mark.parametrize(("lang", "words"), [("en", "There is no database at"), ("ar", "لا توجد قاعدة بيانات في")])
def test_where_there_is_nothing_yet_one_sentence_says_so(installed, jisr, tmp_path, lang, words):
    done = jisr("--config", installed, "--lang", lang, "backup", tmp_path / "backups")
    assert (done.returncode, words in done.stderr) == (1, True)
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("asked", [(), ("--force",), ("--status", "--finish"), ("somewhere", "--status")])
def test_what_makes_no_sense_together_is_refused(installed, jisr, asked):
    done = jisr("--config", installed, "restore", *asked)
    assert (done.returncode, done.stderr.startswith("Name one")) == (1, True)
