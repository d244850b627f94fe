from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.skeleton import (
    ASCII_TWINS,
    CONFUSABLES,
    ascii_lookalike,
    lookalike_form,
    mixed_scripts,
    scripts,
    skeleton,
    to_unicode,
    unicode_version,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("раураl", "paypal"),
        ("ѕсоре", "scope"),
        ("ａｐｐｌｅ", "apple"),
        ("googIe", "google"),
        ("µ", "μ"),
        ("ﬁ", "fi"),
        ("modern", "modem"),
    ],
)
def test_texts_that_look_alike_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("army", "navy"), ("bücher", "bucher"), ("abc", "acb")])
def test_texts_that_do_not_look_alike_have_different_skeletons(one, other):
    assert skeleton(one) != skeleton(other)


def test_characters_that_show_nothing_do_not_count():
    assert skeleton("pay\u200bpal\u00ad") == skeleton("paypal")


@given(st.text(max_size=20))
def test_a_skeleton_is_decomposed(text):
    assert unicodedata.is_normalized("NFD", skeleton(text))


def test_the_data_name_their_unicode_version_and_licence():
    head = CONFUSABLES.read_text("utf-8").split("\n")[:2]

    assert unicode_version().split(".")[0].isdigit()
    assert "Unicode License" in head[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("modern", "modem"),
        ("vvard", "ward"),
        ("club", "dub"),
        ("o0", "0o"),
        ("li1", "ill"),
        ("5ale", "sale"),
        ("qoogle", "google"),
    ],
)
def test_plain_letters_of_small_print_fold_together(one, other):
    assert ascii_lookalike(one) == ascii_lookalike(other)


@given(st.text("abcdlmnoqrsvw015i.-", min_size=1, max_size=15), st.sampled_from(sorted(ASCII_TWINS.items())))
def test_exchanging_a_twin_anywhere_keeps_the_folded_form(text, twin):
    for one, other in (twin, twin[::-1]):
        for at in range(len(text)):
            if text.startswith(one, at):
                exchanged = text[:at] + other + text[at + len(one) :]
                assert lookalike_form(exchanged) == lookalike_form(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("xn--80ak6aa92e.com", "apple.com"),
        ("xn--mller-kva.de", "muller.de"),
        ("ex-ample.com", "exam.plecom"),
        ("xn--bcher-kva.example", "bücher.example"),
    ],
)
def test_domains_that_look_alike_have_one_form(one, other):
    assert lookalike_form(one) == lookalike_form(other)


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("xn--p1ai", "рф"),
        ("a.xn--mller-kva.de", "a.müller.de"),
        ("xn--99999999999", "xn--99999999999"),
        ("xn--", "xn--"),
        ("plain.org", "plain.org"),
    ],
)
def test_labels_are_decoded_or_left_alone(domain, shown):
    assert to_unicode(domain) == shown


@given(st.text("xn-.abz0129é", max_size=40).map("xn--".__add__))
def test_hostile_labels_never_fail(domain):
    assert lookalike_form(domain) is not None
    assert mixed_scripts(domain) is not None


def test_scripts_are_those_of_letters():
    assert scripts("paypal-1") == {"LATIN"}
    assert scripts("pаypal") == {"LATIN", "CYRILLIC"}
    assert scripts("東京とカナ") == {"HAN", "HIRAGANA", "KATAKANA"}


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("paypal.com", ()),
        ("pаypal.com", ("CYRILLIC", "LATIN")),
        ("xn--pypal-4ve.com", ("CYRILLIC", "LATIN")),
        ("пример.com", ()),
        ("東京とカナabc.jp", ()),
        ("αβγд.example", ("CYRILLIC", "GREEK")),
    ],
)
def test_a_label_of_scripts_that_are_not_written_together_is_mixed(domain, found):
    assert mixed_scripts(domain) == found
