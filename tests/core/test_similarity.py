from __future__ import annotations

import time
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.keyboard import LAYOUTS, beside, neighbours
from nixie.core.similarity import Edit, SmallIndex, cut, domain_keys, edit_kind, narrow_first

LABEL = st.text("abcmnrluo01-", min_size=1, max_size=8)
DOMAIN = st.builds(
    "{}.{}".format,
    st.lists(LABEL, min_size=1, max_size=3).map(".".join),
    st.sampled_from(("com", "co.uk", "mil", "gov.uk", "com.au", "xn--p1ai")),
)


@pytest.mark.parametrize(
    ("intended", "written", "edit"),
    [
        ("army.mil", "army.ml", Edit("omission", 6, "i", "")),
        ("gmail.com", "gmaill.com", Edit("doubling", 5, "", "l")),
        ("gmail.com", "gmaikl.com", Edit("insertion", 4, "", "k", neighbour=True)),
        ("gmail.com", "gmaitl.com", Edit("insertion", 4, "", "t")),
        ("gmail.com", "gmaik.com", Edit("substitution", 4, "l", "k", neighbour=True)),
        ("gmail.com", "gmaix.com", Edit("substitution", 4, "l", "x")),
        ("gmail.com", "gmial.com", Edit("swap", 2, "ai", "ia")),
        ("book", "bok", Edit("omission", 2, "o", "")),
        ("", "a", Edit("insertion", 0, "", "a")),
        ("a", "", Edit("omission", 0, "a", "")),
        ("ab", "ba", Edit("swap", 0, "ab", "ba")),
    ],
)
def test_one_slip_has_a_kind_a_place_and_characters(intended, written, edit):
    assert edit_kind(intended, written) == edit


@pytest.mark.parametrize(
    ("one", "other"), [("", ""), ("abc", "abc"), ("abcd", "badc"), ("abc", "cba"), ("a", "abc"), ("abc", "xbx")]
)
def test_equal_texts_and_texts_further_apart_have_no_slip(one, other):
    assert edit_kind(one, other) is None


def _written(text: str, edit: Edit) -> str:
    return text[: edit.position] + edit.to_char + text[edit.position + len(edit.from_char) :]


@given(st.text("abc.", max_size=9), st.text("abc.", max_size=9))
def test_an_edit_applied_to_the_intended_text_gives_the_written_one(intended, written):
    edit = edit_kind(intended, written)

    if edit is not None:
        assert _written(intended, edit) == written


@given(st.text("abc.", min_size=1, max_size=9), st.data())
def test_every_text_one_slip_away_is_seen_as_one(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(_around(text, at, "abz")))

    assert (edit_kind(text, other) is None) == (text == other)


def _around(text: str, at: int, alphabet: str) -> list[str]:
    """All texts one slip at a place away: omission, insertions, substitutions, swap."""
    head, tail = text[:at], text[at:]
    return [
        head + tail[1:],
        head + tail[1::-1] + tail[2:],
        *(head + c + tail for c in alphabet),
        *(head + tail[:1] + c + tail[1:] for c in alphabet),
        *(head + c + tail[1:] for c in alphabet),
    ]


def test_a_slip_in_a_long_text_is_found_in_linear_time():
    started = time.perf_counter()

    assert edit_kind("a" * 200_000 + "b", "a" * 200_000) == Edit("omission", 200_000, "b", "")
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_neighbour_keys_are_mutual_on_every_layout(layout):
    near = neighbours(layout)

    assert all(char in near[other] for char, others in near.items() for other in others)
    assert set(ascii_lowercase) <= near.keys()


@pytest.mark.parametrize(
    ("layout", "char", "others"),
    [("us", "g", "ftyhbv"), ("us", "q", "1!2@wa"), ("uk", "z", "\\|asx"), ("de", "y", "<>|asx"), ("fr", "a", "1&2éqz")],
)
def test_a_key_touches_the_keys_around_it(layout, char, others):
    assert neighbours(layout)[char] == set(others)


def test_neighbours_on_any_layout_count():
    assert beside("z", "t")
    assert beside("A", "s")
    assert not beside("a", "l")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("army.mil", "army.ml"),
        ("example.com", "exarnple.com"),
        ("example.com", "examp1e.com"),
        ("paypal.com", "xn--pypal-4ve.com"),
        ("xn--mller-kva.de", "muller.de"),
        ("xn--mller-kva.de", "xn--mllr-0ra.de"),
        ("army.mod.uk", "armymod.uk"),
        ("army.mod.uk", "arm.ymod.uk"),
        ("ex-ample.com", "example.com"),
        ("mod-uk.org", "mo-duk.org"),
        ("cba.com", "cba.com.au"),
        ("army.mil", "army.mod.uk"),
        ("x.org", "x.co.uk"),
        ("mail.cba.com", "mail.cba.com.au"),
        ("dept.gov", "dept.gov.uk"),
        ("dept.gouv.ug", "dept.gov.uk"),
        ("council.uk.com", "council.co.uk"),
        ("clerk.police.uk", "clerk.policeuk.com"),
        ("ward.nhs.uk", "ward.nhs.net"),
        ("army.mil", "mail.army.mil"),
        ("a.c.example.org", "a.b.c.example.org"),
        ("a.b.c.example.org", "a.b.example.org"),
    ],
)
def test_domains_that_could_be_meant_for_each_other_share_a_key(one, other):
    assert set(domain_keys(one)) & set(domain_keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dept.gov.uk", "town.gov.uk"),
        ("army.mod.uk", "fleet.mod.uk"),
        ("cba.com.au", "example.com.au"),
        ("alice.github.io", "robert.github.io"),
        ("gov.uk", "dept.gov.uk"),
        ("example.org", "something.net"),
    ],
)
def test_a_zone_is_no_neighbourhood(one, other):
    assert not set(domain_keys(one)) & set(domain_keys(other))


@given(DOMAIN, st.data())
def test_every_domain_one_slip_away_shares_a_key(domain, data):
    at = data.draw(st.integers(0, len(domain) - 1))
    keys = set(domain_keys(domain))

    assert all(keys & set(domain_keys(other)) for other in _around(domain, at, "amz0.-") if other)


def test_keys_are_the_same_on_every_machine():
    """Indices on disk hold them: a change here is a change of the file's format."""
    assert tuple(sorted(domain_keys("ab.com")))[:3] == (1218952739925983694, 1567605295757459694, 5369028012855657009)


@pytest.mark.parametrize("domain", ["", "[192.0.2.1]", "a" * 254, "a." * 127 + "com"])
def test_what_is_no_domain_has_no_keys(domain):
    assert domain_keys(domain) == ()


@given(st.text(max_size=40))
def test_keys_never_fail_and_fit_64_bits(text):
    assert all(0 <= key < 1 << 64 for key in domain_keys(text))


def test_keys_of_a_domain_of_many_labels_stay_few():
    assert len(domain_keys(".".join("a" * 120))) < 300


def test_a_small_index_proposes_in_its_own_order_and_never_the_domain_itself():
    index = SmallIndex(("army.mil", "navy.mil", "mail.army.mil", "army.mil"))

    assert len(index) == 3
    assert index.near("army.ml", 8) == ("army.mil", "mail.army.mil")
    assert index.near("army.mil", 8) == ("mail.army.mil",)
    assert index.near("army.ml", 1) == ("army.mil",)
    assert index.near("army.ml", 0) == ()


@given(DOMAIN, st.data())
def test_a_cut_never_loses_what_is_one_slip_away(domain, data):
    at = data.draw(st.integers(0, len(domain) - 1))
    for other in _around(domain, at, "am."):
        assert other == domain or cut(("x", "y", other), domain, 1) == [other]


def test_a_near_twin_stays_when_hundreds_share_a_common_name():
    crowd = [f"mail.{chr(97 + i // 26)}{chr(97 + i % 26)}xyz.com" for i in range(600)]
    index = SmallIndex((*crowd, "mail.com"))

    assert "mail.com" in index.near("mial.com", 3)
    assert "mail.azxyz.com" in index.near("mail.azxyzz.com", 3)


def test_ranks_come_from_the_narrowest_bucket_first_and_once():
    assert list(narrow_first(([1, 2, 3], [7], [2, 9]))) == [7, 2, 9, 1, 3]
