from __future__ import annotations

import subprocess
import sys

import pytest

from nixie.core import tables
from nixie.core.suffix_pairs import PROSE_CONFUSIONS
from nixie.core.tables import (
    GENERIC_CCTLDS,
    NO_COUNTRY,
    country_of,
    generic_cctld,
    government_suffix,
    personal_provider,
    suffix_cuts,
    tld_confusions,
)


@pytest.mark.parametrize(
    ("lookalike", "intended", "likelihood"),
    [
        ("ml", "mil", "high"),
        ("co", "com", "high"),
        ("mi", "mil", "high"),
        ("com", "com.au", "high"),
        ("uk.com", "co.uk", "high"),
        ("gov", "gov.uk", "high"),
        ("mod.gi", "mod.uk", "high"),
        ("nhs.net", "nhs.uk", "info"),
        ("nn", None, None),
    ],
)
def test_a_written_suffix_names_those_that_may_have_been_meant(lookalike, intended, likelihood):
    found = {item.intended: item.likelihood for item in tld_confusions().get(lookalike, ())}

    assert found.get(intended) == likelihood


def test_confusions_are_in_order_of_likelihood_and_each_pair_once():
    order = {"high": 0, "medium": 1, "low": 2, "info": 3}

    for lookalike, items in tld_confusions().items():
        assert [order[item.likelihood] for item in items] == sorted(order[item.likelihood] for item in items)
        assert len({item.intended for item in items}) == len(items)
        assert lookalike not in {item.intended for item in items}


def test_no_pair_of_the_literal_table_stands_twice():
    pairs = [(intended, lookalike) for intended, lookalike, _, _ in PROSE_CONFUSIONS]

    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("domain", "suffix", "code", "kind"),
    [
        ("army.mod.uk", "mod.uk", "GB", "military"),
        ("a.b.gov.uk", "gov.uk", "GB", "government"),
        ("gov.uk", "gov.uk", "GB", "government"),
        ("army.mil", "mil", "US", "military"),
        ("x.nato.int", "nato.int", "", "military"),
        ("sub.police.uk", "police.uk", "GB", "police"),
        ("defence.gov.ck", "gov.ck", "CK", "government"),
        ("units.mil.np", "mil.np", "NP", "military"),
    ],
)
def test_the_longest_government_zone_on_label_boundaries_counts(domain, suffix, code, kind):
    found = government_suffix(domain)

    assert found is not None
    assert (found.suffix, found.code, found.kind) == (suffix, code, kind)
    assert found.military == (kind == "military")


@pytest.mark.parametrize("domain", ["", "notmod.uk", "xgov.uk", "army.ml", "[192.0.2.1]", "example.com"])
def test_other_domains_lie_in_no_government_zone(domain):
    assert government_suffix(domain) is None


@pytest.mark.parametrize(
    ("domain", "code", "name", "basis"),
    [
        ("army.ml", "ML", "Mali", "cctld"),
        ("dept.gov.uk", "GB", "United Kingdom", "government"),
        ("x.uk", "GB", "United Kingdom", "cctld"),
        ("council.uk.com", "GB", "United Kingdom", "suffix"),
        ("x.io", "IO", "British Indian Ocean Territory", "generic-cctld"),
        ("x.xn--p1ai", "RU", "Russia", "cctld"),
        ("army.mil", "US", "United States", "government"),
        ("ncia.nato.int", "", "NATO", "international"),
        ("ec.europa.eu", "", "European Union", "international"),
        ("bundeswehr.org", "DE", "Germany", "government"),
    ],
)
def test_a_domain_stands_for_a_country(domain, code, name, basis):
    found = country_of(domain)

    assert (found.code, found.name, found.basis) == (code, name, basis)
    assert domain.endswith(found.suffix)


@pytest.mark.parametrize("domain", ["", "example.com", "example.org", "x.tk2", "[192.0.2.1]"])
def test_a_global_domain_stands_for_no_country(domain):
    assert country_of(domain) == NO_COUNTRY


def test_generic_country_domains_are_country_domains():
    assert all(country_of(f"x.{tld}").basis == "generic-cctld" for tld in GENERIC_CCTLDS)
    assert generic_cctld("io")
    assert not generic_cctld("ml")


@pytest.mark.parametrize(
    "domain", ["gmail.com", "yahoo.co.uk", "hotmail.fr", "live.com.au", "gmx.net", "web.de", "qq.com", "nate.com"]
)
def test_anybody_can_have_a_mailbox_at_a_personal_provider(domain):
    assert personal_provider(domain)


@pytest.mark.parametrize(
    "domain", ["", "yahoo", "yahoo.example.com", "mail.gmail.com", "army.mil", "yahoo-inc.com", "live.gov.uk"]
)
def test_other_domains_are_no_personal_providers(domain):
    assert not personal_provider(domain)


@pytest.mark.parametrize(
    ("domain", "cuts"),
    [
        ("army.mil", (1,)),
        ("cba.com.au", (1, 2)),
        ("army.mod.uk", (1, 2)),
        ("mod.uk", (1,)),
        ("x.mod.uk.com", (1, 2, 3)),
        ("uk", ()),
    ],
)
def test_a_suffix_may_be_cut_in_more_than_one_place(domain, cuts):
    assert suffix_cuts(domain.split(".")) == cuts


def test_importing_the_tables_reads_no_file():
    code = "import nixie.core.tables as t; print(t._governments.cache_info().currsize, t._cctlds.cache_info().currsize)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert result.stdout.split() == ["0", "0"]
    assert tables.DATA.is_dir()
