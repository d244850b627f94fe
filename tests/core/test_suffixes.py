"""Registrable domains by the Public Suffix List."""

from __future__ import annotations

import pytest
from publicsuffixlist import PublicSuffixList

from nixie.core.suffixes import name_label, public_suffix, registrable, suffix_list


@pytest.mark.parametrize(
    ("domain", "suffix", "owner", "label"),
    [
        ("army.mil", "mil", "army.mil", "army"),
        ("mail.cba.com.au", "com.au", "cba.com.au", "cba"),
        ("com.au", "com.au", "", ""),
        ("dft.gov.uk", "gov.uk", "dft.gov.uk", "dft"),
        ("localhost", "localhost", "", ""),
        ("xn--bcher-kva.example", "example", "xn--bcher-kva.example", "xn--bcher-kva"),
        ("www.ck", "ck", "www.ck", "www"),
        ("someone.github.io", "github.io", "someone.github.io", "someone"),
        ("[192.0.2.1]", "", "", ""),
        ("a..example", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_domain_is_cut_where_registration_begins(domain: str, suffix: str, owner: str, label: str) -> None:
    assert (public_suffix(domain), registrable(domain), name_label(domain)) == (suffix, owner, label)


def test_a_site_may_keep_a_newer_list(tmp_path) -> None:
    newer = tmp_path / "list.dat"
    newer.write_text("// ours\nexample\nmail.example\n")

    assert registrable("a.mail.example", str(newer)) == "a.mail.example"
    assert registrable("a.mail.example") == "mail.example"


def test_a_name_longer_than_any_domain_has_no_owner() -> None:
    assert registrable("a." * 200 + "example") == ""


def test_every_rule_of_the_list_is_read_as_the_package_reads_it() -> None:
    theirs, ours = PublicSuffixList(), suffix_list("")
    rules = {rule.lstrip("!*.") for rule in theirs._publicsuffix}
    names = [name for rule in rules for name in (rule, f"a.{rule}", f"b.a.{rule}", f"c.b.a.{rule}")]

    for accept in (True, False):
        told = [ours.publicsuffix(name, accept_unknown=accept) for name in names]
        assert told == [theirs.publicsuffix(name, accept_unknown=accept) for name in names]


@pytest.mark.parametrize(
    "name", ["", ".", "a.", "A.CO.UK", "a..b", ".uk", "unheard-of", "x.unheard-of", "www.city.kobe.jp"]
)
def test_odd_names_are_read_as_the_package_reads_them(name: str) -> None:
    assert suffix_list("").publicsuffix(name) == PublicSuffixList().publicsuffix(name)
