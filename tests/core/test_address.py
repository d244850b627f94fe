"""Addresses as values: comparison, SMTP paths, domains, rewritings."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import (
    NULL,
    Address,
    AddressError,
    canonical,
    normal_domain,
    parse_address,
    parse_path,
    rewriting,
    unicode_domain,
    without_tag,
)


@pytest.mark.parametrize(
    ("raw", "local", "domain"),
    [
        (b"<ops@army.example>", "ops", "army.example"),
        (b"Ops@ARMY.Example", "Ops", "army.example"),
        (b"<ops@army.example.>", "ops", "army.example"),
        (b'"quoted string"@b.example', "quoted string", "b.example"),
        (rb'<"a\"b"@c.example>', 'a"b', "c.example"),
        (b'<"a@b"@c.example>', "a@b", "c.example"),
        (b"<@x.example,@y.example:a@b.example>", "a", "b.example"),
        (b"<@[IPv6:2001:db8::1]:a@b.example>", "a", "b.example"),
        ("<josé@straße.example>".encode(), "josé", "xn--strae-oqa.example"),
        (b"<\xff@b.example>", "\udcff", "b.example"),
        (b"<a%b.example@c.example>", "a%b.example", "c.example"),
        (b"<a@[192.0.2.1]>", "a", "[192.0.2.1]"),
        (b"<a@[IPv6:2001:DB8::1]>", "a", "[ipv6:2001:db8::1]"),
        (b"<a@x..test>", "a", "x..test"),
        (b"<Postmaster>", "Postmaster", ""),
        (b"<>", "", ""),
        (b" < a@b.example > ", "a", "b.example"),
    ],
)
def test_a_path_is_an_address(raw: bytes, local: str, domain: str) -> None:
    assert parse_path(raw) == Address(local, domain)


@pytest.mark.parametrize(
    "raw",
    [
        b"<a@b",
        b"<@b.example>",
        b"<a@>",
        b"<a@.>",
        b'<"x"y@b c>',
        b"<a\r\n@b>",
        b"a\x00@b",
        b"x" * 5000,
        b"<a@b c.example>",
    ],
)
def test_a_path_that_nobody_could_mean_is_an_error_without_its_text(raw: bytes) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(raw)

    assert str(caught.value).startswith("path: ")
    assert "b" not in str(caught.value).removeprefix("path: ").split()


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_path_is_read_or_refused(raw: bytes) -> None:
    try:
        address = parse_path(raw)
    except AddressError:
        return

    assert "@" not in address.domain
    assert not set(str(address)) & set("\r\n\x00")


@settings(deadline=None)
@given(st.text(alphabet='ab.@"\\ +é(),', min_size=1, max_size=12), st.sampled_from(["b.example", "[192.0.2.1]"]))
def test_what_an_address_prints_reads_back_as_itself(local: str, domain: str) -> None:
    address = Address(local, domain)

    assert parse_path(f"<{address}>".encode()) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@a.example", "ann@A.Example"),
        ("JOSÉ@a.example", "jose\u0301@a.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@a.example.", "a@a.example"),
        ("a@日本語。example", "a@日本語.example"),
    ],
)
def test_addresses_are_compared_by_key(one: str, other: str) -> None:
    first, second = parse_address(one), parse_address(other)

    assert first is not None
    assert second is not None
    assert first.key == second.key


def test_the_null_sender_has_no_key() -> None:
    assert NULL.is_null
    assert (NULL.key, str(NULL)) == ("", "")
    assert not Address("postmaster", "").is_null


def test_a_repr_shows_the_domain_alone() -> None:
    assert repr(Address("secret", "a.example")) == "Address(@a.example)"


def test_an_address_travels_between_processes() -> None:
    address = Address("Ann", "a.example")

    assert pickle.loads(pickle.dumps(address)).key == "ann@a.example"


@pytest.mark.parametrize("text", ["", "nobody", "a@b.example, c@d.example", "a@", "<>", "@b.example"])
def test_a_text_that_is_not_one_mailbox_is_no_address(text: str) -> None:
    assert parse_address(text) is None


def test_a_lone_surrogate_of_json_becomes_a_character_that_can_be_written() -> None:
    address = parse_address("a\ud800@b.example")

    assert address is not None
    assert address.key.encode("utf-8", "surrogateescape") == "a\ufffd@b.example".encode()


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Army.MIL", "army.mil"),
        ("army.mil.", "army.mil"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("☃.example", "☃.example"),
        ("under_score.example", "under_score.example"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("x..test", "x..test"),
        ("é" * 300, "é" * 300),
        ("", ""),
    ],
)
def test_a_domain_has_one_spelling(text: str, domain: str) -> None:
    assert normal_domain(text) == domain


@settings(deadline=None)
@given(st.text(max_size=30))
def test_normalising_a_domain_twice_changes_nothing(text: str) -> None:
    once = normal_domain(text)

    assert normal_domain(once) == once


def test_a_domain_is_shown_in_its_own_script() -> None:
    assert unicode_domain("xn--bcher-kva.example") == "bücher.example"
    assert unicode_domain("xn--\x80broken.example") == "xn--\x80broken.example"


@pytest.mark.parametrize(
    ("address", "person", "worn"),
    [
        ("SRS0=ab1c=XX=army.example=ops@fwd.example", "ops@army.example", "srs"),
        ("SRS0+ab1c=XX=Army.Example=ops@fwd.example", "ops@army.example", "srs"),
        ("SRS1=zz9=other.example==ab1c=XX=army.example=ops@fwd.example", "ops@army.example", "srs"),
        ("ann+SRS=fs5Oj=BX=army.example=ops@fwd.example", "ops@army.example", "srs"),
        ("prvs=0123456789=joe@a.example", "joe@a.example", "batv"),
        ("btv1==0123ab==joe@a.example", "joe@a.example", "batv"),
        ("talk-bounce+ops=army.example@list.example", "talk-bounce@list.example", "verp"),
        ("talk-bounces-ops=army.example@list.example", "talk-bounces@list.example", "verp"),
        ("talk-return-17-ops=army.example@list.example", "talk-return@list.example", "verp"),
        ("prvs=0123456789=SRS0=ab1c=XX=army.example=ops+x@fwd.example", "ops@army.example", "batv"),
        ("joe+tag+more@a.example", "joe@a.example", ""),
        ("ann-marie@a.example", "ann-marie@a.example", ""),
        ("+tag@a.example", "+tag@a.example", ""),
        ("a=b@a.example", "a=b@a.example", ""),
        ("SRS0=broken@a.example", "SRS0=broken@a.example", ""),
    ],
)
def test_the_person_behind_a_rewriting(address: str, person: str, worn: str) -> None:
    parsed = parse_path(address.encode())

    assert str(canonical(parsed)) == person
    assert rewriting(parsed) == worn


@settings(deadline=None)
@given(st.text(alphabet="SRS01=+-prvsab.return", max_size=60))
def test_undoing_rewritings_never_raises_and_leaves_a_local_part(local: str) -> None:
    assert bool(canonical(Address(local, "a.example")).local) == bool(local)


def test_a_tag_is_what_follows_the_first_plus() -> None:
    assert without_tag(Address("a+b", "c.example")) == Address("a", "c.example")
