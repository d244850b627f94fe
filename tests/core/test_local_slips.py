"""The slip kinds of the local part: each fires on its examples, stays quiet on the others, and has a rate with a source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.slips import LOCAL_SLIPS, SLIPS, explain_local, explain_with

FIRES = [(kind.KIND, kind, *pair) for kind in LOCAL_SLIPS for pair in kind.FIRES]
QUIET = [(kind.KIND, kind, *pair) for kind in LOCAL_SLIPS for pair in kind.QUIET]
LOCALS = st.from_regex(r"[a-d]{1,4}([._-][a-d]{1,4}){0,2}[0-9]{0,2}", fullmatch=True)


@pytest.mark.parametrize("name, kind, intended, written", FIRES)
def test_a_kind_explains_its_own_examples(name, kind, intended, written):
    assert 0.0 < kind.likelihood(intended, written) <= 1.0


@pytest.mark.parametrize("name, kind, intended, written", QUIET)
def test_a_kind_is_silent_about_the_others(name, kind, intended, written):
    assert kind.likelihood(intended, written) == 0.0


def test_every_kind_says_what_it_is_and_where_its_rate_comes_from():
    assert all(kind.PART == "local" for kind in LOCAL_SLIPS)
    assert all(kind.SOURCE and kind.WHAT and kind.FIRES and kind.QUIET for kind in LOCAL_SLIPS)
    assert len({kind.KIND for kind in LOCAL_SLIPS}) == len(LOCAL_SLIPS)


def test_the_typed_kinds_of_both_parts_have_the_same_words():
    typed = {"omission", "insertion", "doubling", "substitution", "swap"}

    assert typed < {kind.KIND for kind in LOCAL_SLIPS}
    assert typed < {kind.KIND for kind in SLIPS}


@pytest.mark.parametrize(
    "intended, written, kind",
    [
        ("john.smith", "jonh.smith", "swap"),
        ("john.smith", "john.smth", "omission"),
        ("john.smith", "john.smiith", "doubling"),
        ("john.smith", "johb.smith", "substitution"),
        ("john.smith", "johnh.smith", "insertion"),
        ("john.smith", "johnsmith", "separator"),
        ("j.smith1", "j.smith", "digit"),
        ("john.j.smith", "john.smith", "initial"),
        ("John.Smith", "JOHN.SMTH", "omission"),
    ],
)
def test_a_slip_is_named_by_the_kind_that_tells_most(intended, written, kind):
    slip = explain_local(intended, written)

    assert slip is not None
    assert (slip.kind, slip.part) == (kind, "local")


@pytest.mark.parametrize(
    "intended, written",
    [
        ("john.smith", "john.smith"),
        ("john.smith", "John.Smith"),
        ("anna", "otto"),
        ("john.smith", "jon.smit"),
        ("", ""),
    ],
)
def test_what_no_hand_does_is_no_slip(intended, written):
    assert explain_local(intended, written) is None


@pytest.mark.parametrize(
    "layout, meant, near", [("us", "anna", "amna"), ("de", "paul", "pazl"), ("fr", "helen", "hemen")]
)
def test_neighbours_on_each_layout_are_likelier_than_other_letters(layout, meant, near):
    substitution = next(kind for kind in LOCAL_SLIPS if kind.KIND == "substitution")
    at = next(i for i, (a, b) in enumerate(zip(meant, near, strict=True)) if a != b)
    far = meant[:at] + "q" + meant[at + 1 :]

    assert substitution.likelihood(meant, near) > 10 * substitution.likelihood(meant, far)


@given(LOCALS, LOCALS)
def test_every_likelihood_is_a_probability_and_every_explanation_has_a_kind(intended, written):
    for kind in LOCAL_SLIPS:
        assert 0.0 <= kind.likelihood(intended, written) <= 1.0
    slip = explain_local(intended, written)
    assert slip is None or (0.0 < slip.probability < 1.0 and slip.kind in {kind.KIND for kind in LOCAL_SLIPS})


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_a_slip_kind(intended, written):
    explain_with(LOCAL_SLIPS, intended, written)


@given(LOCALS, st.data())
def test_every_character_left_out_is_explained(local, data):
    at = data.draw(st.integers(0, len(local) - 1))
    written = local[:at] + local[at + 1 :]

    assert explain_local(local, written) is not None
