"""The page of a sandbox: whole, in both languages, and every switch has words."""

import re

from connectors.kit.sandbox.faults import ALL_MODES
from connectors.kit.sandbox.page import page


def test_every_switch_is_offered_with_words_in_both_languages():
    text = page("office", "المكتب", "The office", ["submit"])
    offered = dict(re.findall(r"<option value=(\w+)>(.*?)</option>", text))
    assert list(offered) == list(ALL_MODES)
    for words in offered.values():
        ar, _, en = words.partition(" · ")
        assert ar.strip()
        assert re.fullmatch(r"[ -~]+", en)


def test_names_of_the_package_are_text_and_never_markup():
    text = page("<script>alert(1)</script>", "<b>", "a & b", ["<i>"])
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "a &amp; b" in text
