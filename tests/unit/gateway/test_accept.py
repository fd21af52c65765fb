"""Which idempotency keys count as new, so that a channel that repeats itself costs the institution no question."""

from gateway.accept import FreshKeys


def test_d1_a_key_is_new_once_and_for_each_channel():
    keys = FreshKeys()

    assert [keys.add("web", "k"), keys.add("web", "k"), keys.add("desk", "k"), keys.add("web", "l")] == [
        True,
        False,
        True,
        True,
    ]


def test_no_more_keys_are_remembered_than_allowed_and_the_oldest_goes_first():
    keys = FreshKeys(most=2)
    for key in ("a", "b", "c"):
        assert keys.add("web", key)

    assert not keys.add("web", "c")
    assert not keys.add("web", "b")
    assert keys.add("web", "a")
