"""The quick look before the slip kinds are asked changes no answer."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.slips import SLIPS, explain, explain_with
from nixie.core.tables import tld_confusions, zone_suffixes

EXAMPLES = [pair for kind in SLIPS for pair in (*kind.FIRES, *kind.QUIET)]
SUFFIXES = (
    "com",
    "org",
    "co.uk",
    "uk",
    "com.au",
    "au",
    "ml",
    "mil",
    "gov.uk",
    "mod.uk",
    "police.uk",
    "ck",
    "github.io",
    "co",
)
LABEL = st.from_regex(r"[a-cmnr01]{1,4}(-[a-c]{1,2})?", fullmatch=True)
DOMAIN = st.builds(
    lambda labels, suffix: ".".join((*labels, suffix)), st.lists(LABEL, max_size=3), st.sampled_from(SUFFIXES)
)


@pytest.mark.parametrize("intended, written", [*EXAMPLES, *((b, a) for a, b in EXAMPLES)])
def test_every_example_is_explained_as_the_kinds_explain_it(intended, written):
    assert explain(intended, written) == (explain_with(SLIPS, intended, written) if intended != written else None)


@given(DOMAIN, st.data())
def test_one_change_anywhere_is_explained_as_the_kinds_explain_it(domain, data):
    at = data.draw(st.integers(0, len(domain) - 1))
    char = data.draw(st.sampled_from("abcmnr01.-"))
    length = data.draw(st.integers(0, 3))
    for written in (
        domain[:at] + char + domain[at + length :],
        domain[:at] + domain[at + length :],
        domain[:at] + char + domain[at:],
    ):
        assert explain(domain, written) == explain_with(SLIPS, domain, written)


@given(DOMAIN, DOMAIN)
def test_any_two_domains_are_explained_as_the_kinds_explain_them(one, other):
    assert explain(one, other) == explain_with(SLIPS, one, other)


def test_endings_of_the_tables_are_explained_as_the_kinds_explain_them():
    dice = random.Random(3)
    endings = sorted({*tld_confusions(), *zone_suffixes(), *SUFFIXES})
    names = ("", "army.", "mail.army.", "ab.cd.ef.", "police.")
    for _ in range(5000):
        name = dice.choice(names)
        pair = name + dice.choice(endings), dice.choice((name, dice.choice(names))) + dice.choice(endings)
        assert explain(*pair) == explain_with(SLIPS, *pair), pair
