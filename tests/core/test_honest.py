"""The honest newcomer: rates learned in counts, and how probable one certain new domain is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.facts import Totals
from nixie.core.honest import NEW_ADDRESS, NEW_DOMAIN, Newcomers, domain_share, local_share, real_suffix


def test_without_counts_the_base_rates_hold():
    assert Newcomers.learned(Totals()) == Newcomers(pytest.approx(NEW_ADDRESS), pytest.approx(NEW_DOMAIN))


def test_an_organisation_that_meets_many_people_is_not_surprised_by_one_more():
    few = Newcomers.learned(Totals(0, 10_000, 100, 10))
    many = Newcomers.learned(Totals(0, 10_000, 4_000, 3_000))

    assert many.address > 10 * few.address
    assert many.domain > few.domain


@pytest.mark.parametrize(
    "likelier, rarer",
    [
        ("ministry.com", "ministry.ml"),
        ("ann.com", "annabell.com"),
        ("health.gov.uk", "health.ml"),
        ("smu.edu", "smu.tk"),
        ("mail.com", "mial.com"),
        ("hotmail.gr", "hotmail.cm"),
        ("example.com", "mail7.example.com"),
        ("example.ml", "example.con"),
    ],
)
def test_some_domains_are_met_more_often(likelier, rarer):
    assert domain_share(likelier) > domain_share(rarer)


def test_a_government_zone_is_a_small_register_even_where_the_public_list_knows_no_suffix():
    assert domain_share("dept.mod.uk") > 100 * domain_share("a.dept.mod.uk")


@pytest.mark.parametrize("suffix, real", [("com", True), ("ml", True), ("co.uk", True), ("con", False), ("mik", False)])
def test_an_ending_exists_or_not(suffix, real):
    assert real_suffix(suffix) is real


def test_one_info_says_less_than_one_name():
    assert local_share("Info") > 50 * local_share("ann.lee")


@given(st.text(max_size=60))
def test_every_text_has_a_share(domain):
    assert 0.0 < domain_share(domain) < 1.0
