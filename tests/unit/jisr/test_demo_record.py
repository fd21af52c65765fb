"""What the demonstration remembers."""

import stat

import pytest

from jisr.demo import FREE, PAID, body_of
from jisr.demo_record import Record
from jisr.errors import CommandError


def test_a_key_is_on_disk_before_it_is_used_and_the_same_after_a_restart(tmp_path):
    wish = Record(tmp_path / "r.json").add(PAID, body_of(PAID, 0))

    [again] = Record(tmp_path / "r.json").open_wishes()

    assert (again.key, again.body) == (wish.key, wish.body)


def test_an_action_keeps_its_key_after_a_restart(tmp_path):
    record = Record(tmp_path / "r.json")
    key = record.action_key(record.add(PAID, body_of(PAID, 0)), "a1")

    again = Record(tmp_path / "r.json")

    assert again.action_key(again.wishes[0], "a1") == key
    assert again.action_key(again.wishes[0], "a2") != key


def test_a_closed_wish_is_not_resumed(tmp_path):
    record = Record(tmp_path / "r.json")
    record.add(FREE, body_of(FREE, 0)).closed = "document"
    record.save()

    assert Record(tmp_path / "r.json").open_wishes() == []


def test_only_the_owner_reads_it(tmp_path):
    Record(tmp_path / "r.json").add(FREE, body_of(FREE, 0))

    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"service": 1}]'])
def test_a_damaged_record_is_one_sentence(tmp_path, content):
    (tmp_path / "r.json").write_text(content)

    with pytest.raises(CommandError, match="damaged"):
        Record(tmp_path / "r.json")


def test_every_run_pays_from_another_number():
    assert body_of(PAID, 1)["payment"] != body_of(PAID, 2)["payment"]
