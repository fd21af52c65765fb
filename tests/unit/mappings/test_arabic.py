"""Arabic digits and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.arabic import fold, fold_digits, likeness

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
ARABIC = st.text(st.sampled_from("ابتثجحخدذرزسشصضطظعغفقكلمنهوي "), max_size=20)


@pytest.mark.parametrize(
    ("written", "folded"),
    [("٠١٢٣٤٥٦٧٨٩", "0123456789"), ("۰۱۲۳۴۵۶۷۸۹", "0123456789"), ("رقم ۱۲٣4", "رقم 1234"), ("", "")],
)
def test_arabic_indic_and_persian_digits_become_ascii(written, folded):
    assert fold_digits(written) == folded


@given(TEXT)
def test_folding_digits_changes_nothing_but_digits(text):
    folded = fold_digits(text)
    assert len(folded) == len(text)
    for before, after in zip(text, folded, strict=True):
        assert before == after or (after.isascii() and int(after) == int(before))


@given(st.integers(min_value=0))
def test_a_number_reads_the_same_in_three_scripts(number):
    latin = str(number)
    for zero in "٠۰":
        assert fold_digits("".join(chr(ord(zero) + int(digit)) for digit in latin)) == latin


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أحمد", "احمد"),
        ("إيمان", "ايمان"),
        ("آمال", "امال"),
        ("ٱلله", "الله"),
        ("فاطمة", "فاطمه"),
        ("يحيى", "يحيي"),
        ("کریم", "كريم"),
        ("مـحـمـد", "محمد"),
        ("مُحَمَّد", "محمد"),
        ("رؤوف", "رووف"),
        ("هانئ", "هاني"),
        ("سماء", "سما"),
        ("  عبد   الله ", "عبد الله"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("SAMIR", "samir"),
        ("شقة ١٢", "شقه 12"),
        ("علي\u200f", "علي"),
    ],
)
def test_two_spellings_of_one_name_fold_to_one_text(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("سامر", "سمير"), ("خالد", "خلود"), ("نور", "نورا")])
def test_different_names_stay_different(one, other):
    assert fold(one) != fold(other)


@given(TEXT)
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(ARABIC)
def test_tatweel_and_diacritics_never_matter(name):
    decorated = "".join(letter + "\u0640\u064e\u0651" for letter in name)
    assert fold(decorated).replace(" ", "") == fold(name).replace(" ", "")


@given(ARABIC, ARABIC)
def test_likeness_is_symmetric_and_one_only_for_equal_folds(one, other):
    score = likeness(one, other)
    assert 0.0 <= score <= 1.0
    assert score == likeness(other, one)
    assert (score == 1.0) == (fold(one) == fold(other))


def test_likeness_counts_edits():
    assert likeness("سامر", "سامي") == 0.75
    assert likeness("", "سامر") == 0.0
