"""What an answer may ask of the citizen and what a price looks like; anything else is one sentence."""

from datetime import UTC, datetime

import pytest

from connectors.kit.asking import read_asked, read_quote

MONEY = {"amount_minor": 2500, "currency": "SYP", "denomination": "SYP-new"}


def test_an_asking_has_its_kind_details_choices_and_time():
    asked = read_asked(
        {
            "kind": "choose_slot",
            "details": {"why": "taken", "left": 2},
            "choices": {"slot": ["monday", {"value": "tuesday", "ar": "الثلاثاء", "en": "Tuesday"}]},
            "expires_in_seconds": 3600,
            "expires_at": "2026-11-25T09:00:00+03:00",
        }
    )
    assert asked is not None
    assert asked.choices["slot"][0] == {"value": "monday"}
    assert asked.expires_at == datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert read_asked(None) is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("photo", "next_action must be a mapping"),
        ({"kind": "Photo!"}, "next_action.kind must be a name"),
        ({"kind": "photo", "colour": "red"}, "next_action may have choices, "),
        ({"kind": "photo", "details": {"why": ["x"]}}, "texts and whole numbers only"),
        ({"kind": "photo", "details": {"why": True}}, "texts and whole numbers only"),
        ({"kind": "photo", "choices": {"slot": "monday"}}, "needs lists"),
        ({"kind": "photo", "choices": {"slot": [{"ar": "x"}]}}, "a choice is a text"),
        ({"kind": "photo", "choices": {"slot": ["x"] * 201}}, "at most 200"),
        ({"kind": "photo", "expires_in_seconds": 0}, "a number above zero"),
        ({"kind": "photo", "expires_at": "tomorrow"}, "as RFC 3339 has it"),
        ({"kind": "photo", "expires_at": "2026-11-25T09:00:00"}, "must have its time zone"),
    ],
)
def test_an_asking_that_does_not_fit_is_one_sentence(raw, words):
    with pytest.raises(ValueError, match=words):
        read_asked(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"amount": MONEY}, "quote.id must be text"),
        ({"id": "Q", "amount": "25.00"}, "money above zero"),
        ({"id": "Q", "amount": MONEY | {"amount_minor": 0}}, "money above zero"),
        ({"id": "Q", "amount": MONEY, "valid_until": "soon"}, "as RFC 3339 has it"),
    ],
)
def test_a_quote_that_does_not_fit_is_one_sentence(raw, words):
    with pytest.raises(ValueError, match=words):
        read_quote(raw)
    assert read_quote({"id": "Q", "amount": MONEY}) is not None
