"""The ledger of a sandbox."""

from connectors.kit.sandbox.ledger import Ledger


def test_the_same_effect_again_raises_the_count() -> None:
    ledger = Ledger()
    assert [
        ledger.record("a", "submit", "copy"),
        ledger.record("a", "submit", "copy"),
        ledger.record("b", "submit", "copy"),
    ] == [1, 2, 1]
    assert [(row["operation_id"], row["count"]) for row in ledger.effects()] == [("a", 2), ("b", 1)]
    assert [row["count"] for row in ledger.effects("b")] == [1]


def test_a_ledger_with_a_file_survives_its_process(tmp_path) -> None:
    first = Ledger(tmp_path / "deep" / "ledger.jsonl")
    first.record("a", "submit", "copy")
    first.remember("a", {"left": 2})
    first.remember("a", {"left": 1})
    second = Ledger(tmp_path / "deep" / "ledger.jsonl")  # the first was never closed: as after SIGKILL
    assert second.memory == {"a": {"left": 1}}
    assert second.record("a", "submit", "copy") == 2
    first.close()
    second.close()


def test_a_line_that_a_kill_cut_in_half_is_dropped(tmp_path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = Ledger(path)
    first.record("a", "submit", "copy")
    first.close()
    path.write_bytes(path.read_bytes() + b'{"effect": ["b", "sub')
    second = Ledger(path)
    second.record("c", "submit", "copy")
    second.close()
    third = Ledger(path)
    assert [row["operation_id"] for row in third.effects()] == ["a", "c"]
    third.close()


def test_a_reset_empties_the_file_too(tmp_path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.record("a", "submit", "copy")
    ledger.reset()
    ledger.record("b", "submit", "copy")
    ledger.close()
    again = Ledger(path)
    assert [row["operation_id"] for row in again.effects()] == ["b"]
    again.close()
