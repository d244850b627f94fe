"""The slip kinds: each fires on its examples, stays quiet on the others, and has a rate with a source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.slips import SLIPS, explain, explain_with
from nixie.core.slips.typed import TYPED_LETTERS

FIRES = [(kind.KIND, kind, *pair) for kind in SLIPS for pair in kind.FIRES]
QUIET = [(kind.KIND, kind, *pair) for kind in SLIPS for pair in kind.QUIET]
DOMAINS = st.from_regex(r"[a-e]{1,5}(-[a-e]{1,3})?(\.[a-e]{1,3}){0,2}\.(com|org|co\.uk|com\.au|ml)", fullmatch=True)


@pytest.mark.parametrize("name, kind, intended, written", FIRES)
def test_a_kind_explains_its_own_examples(name, kind, intended, written):
    assert 0.0 < kind.likelihood(intended, written) <= 1.0


@pytest.mark.parametrize("name, kind, intended, written", QUIET)
def test_a_kind_is_silent_about_the_others(name, kind, intended, written):
    assert kind.likelihood(intended, written) == 0.0


def test_shares_are_parts_of_one_whole_and_name_their_source():
    assert 0.0 < sum(kind.SHARE for kind in SLIPS) < 1.0
    assert all(kind.SOURCE and kind.WHAT and kind.FIRES and kind.QUIET for kind in SLIPS)
    assert len({kind.KIND for kind in SLIPS}) == len(SLIPS)


def test_the_letters_of_the_table_are_a_distribution():
    assert sum(TYPED_LETTERS.values()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "intended, written, kind",
    [
        ("army.mil", "army.ml", "tld_confusion"),
        ("cba.com.au", "cba.com", "suffix_confusion"),
        ("gmail.com", "gmial.com", "swap"),
        ("gmail.com", "gmailc.om", "dot"),
        ("intel.com", "inte.com", "omission"),
        ("uni-kiel.example", "unikiel.example", "hyphen"),
        ("gmail.com", "gmai1.com", "lookalike"),
    ],
)
def test_a_slip_is_named_by_the_kind_that_tells_most(intended, written, kind):
    slip = explain(intended, written)

    assert slip is not None
    assert slip.kind == kind


@pytest.mark.parametrize(
    "intended, written",
    [("x.org", "x.org.uk"), ("dept.gov.uk", "dept.mod.uk"), ("gmail.com", "gmail.com"), ("ann.example", "bob.example")],
)
def test_what_no_hand_does_is_no_slip(intended, written):
    assert explain(intended, written) is None


def test_a_near_key_is_likelier_than_a_far_one_and_an_inner_letter_than_the_first():
    def chance(written):
        slip = explain("gmail.com", written)
        assert slip is not None
        return slip.probability

    assert chance("gnail.com") > chance("gzail.com")
    assert chance("gail.com") > chance("mail.com")


@given(DOMAINS, DOMAINS)
def test_every_likelihood_is_a_probability_and_every_explanation_has_a_kind(intended, written):
    for kind in SLIPS:
        assert 0.0 <= kind.likelihood(intended, written) <= 1.0
    slip = explain(intended, written)
    assert slip is None or (0.0 < slip.probability < 1.0 and slip.kind in {kind.KIND for kind in SLIPS})


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_a_slip_kind(intended, written):
    explain_with(SLIPS, intended, written)


@given(DOMAINS, st.data())
def test_every_letter_left_out_is_explained(domain, data):
    at = data.draw(st.integers(0, len(domain) - 1))
    written = domain[:at] + domain[at + 1 :]

    assert written == domain or domain[at] == "." or explain(domain, written) is not None
