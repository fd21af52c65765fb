"""An installation that is made: what it holds, who may read it, and that nothing is overwritten."""

import math
import stat
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.keyring import Keyring
from jisr.errors import CommandError
from jisr.setup import create, toml, write_settings

SETTINGS = {"education": {"base_url": "http://127.0.0.1:9101", "password": 'a"b\\c'}}


def test_an_installation_can_be_read_back_and_its_secrets_only_by_the_owner(tmp_path):
    settings = create(tmp_path / "new", port=8090, base_port=9200, connectors=SETTINGS)

    assert (settings.port, settings.sandbox.base_port, settings.connectors) == (8090, 9200, SETTINGS)
    assert stat.S_IMODE((tmp_path / "new/jisr.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert Keyring.load(settings.keyring_path).active


@pytest.mark.parametrize("there", ["jisr.toml", "data"])
def test_nothing_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("precious")

    with pytest.raises(CommandError, match="nothing was changed"):
        create(tmp_path, port=1, base_port=1, connectors={})

    assert (tmp_path / there).read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_written_settings_leave_no_part_behind(tmp_path):
    write_settings(tmp_path, port=1, base_port=1, connectors=SETTINGS)
    write_settings(tmp_path, port=2, base_port=1, connectors=SETTINGS)

    assert [path.name for path in tmp_path.iterdir()] == ["jisr.toml"]


_SCALARS = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-", min_size=1)


@given(st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=8))
def test_whatever_is_written_as_toml_reads_back_the_same(value):
    assert tomllib.loads(f"key = {toml(value)}")["key"] == value


def test_what_toml_cannot_say_is_refused():
    with pytest.raises(TypeError):
        toml(None)
    assert math.isclose(tomllib.loads(f"key = {toml(1.5)}")["key"], 1.5)
