"""Proposals: the circle of a message, and the bounded list of those who may have been meant."""

from __future__ import annotations

import pytest

from nixie.core.address import Address
from nixie.core.organisation import Organisation, Partner
from nixie.core.proposals import (
    PER_MESSAGE,
    PER_RECIPIENT,
    Shortlist,
    by_ending,
    circle_of,
    known_key,
    outside,
    shortlist,
)
from support.knowing import OURS, address, envelope, message

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def test_the_circle_is_envelope_and_header_together_each_address_once():
    circle = circle_of(message("Ann@a.example", "cc@c.example"), envelope("ann@a.example", "bcc@b.example"))

    assert [a.key for a in circle] == ["ann@a.example", "bcc@b.example", "cc@c.example"]


def test_only_addresses_that_leave_the_house_and_have_a_domain_are_looked_at():
    circle = tuple(map(address, ("a@ministry.example", "b@zoo.example", "c@[192.0.2.1]")))

    assert [a.domain for a in outside(circle, OURS)] == ["zoo.example"]


def test_a_proposal_that_no_slip_explains_is_dropped():
    found = shortlist((address("ops@army.ml"),), {"army.ml": ("army.mil", "zoo.example")}, OURS)

    assert [(p.intended.domain, p.intended.key) for p in found.proposals] == [("army.mil", "ops@army.mil")]
    assert (found.left_out, found.crowded) == (0, frozenset())


def test_one_recipient_has_a_bounded_number_of_proposals_and_the_cut_is_counted():
    near = tuple(f"mail{a}.example" for a in LETTERS) + tuple(f"{a}mail.example" for a in LETTERS)
    found = shortlist((address("a@mail.example"),), {"mail.example": near}, OURS)

    assert len(found.proposals) == PER_RECIPIENT
    assert PER_RECIPIENT + found.left_out == len({n for n in near if n != "mail.example"})
    assert found.crowded == frozenset()


def crowd(people: int, *, back: bool = False) -> Shortlist:
    """Return the proposals of so many people at mail.example, which is one letter from 26 known domains."""
    circle = tuple(Address(f"u{n}", "mail.example") for n in range(people))
    return shortlist(
        circle[::-1] if back else circle, {"mail.example": tuple(f"mail{a}.example" for a in LETTERS)}, OURS
    )


def test_one_message_has_a_bounded_number_of_proposals_whatever_the_order():
    found, turned = crowd(3_000), crowd(3_000, back=True)

    assert PER_MESSAGE - 3_000 < len(found.proposals) <= PER_MESSAGE
    assert len(found.proposals) + found.left_out == 3_000 * 26
    assert set(found.proposals) == set(turned.proposals)
    assert found.crowded == turned.crowded == {"mail.example"}


@pytest.mark.parametrize("people", [30, 500, 3_000])
def test_every_address_of_a_domain_has_the_same_possibilities_and_at_least_one(people):
    domains: dict[str, set[str]] = {}
    for one in crowd(people).proposals:
        domains.setdefault(one.written.local, set()).add(one.intended.domain)

    assert len(domains) == people
    assert len({frozenset(one) for one in domains.values()}) == 1


def test_where_the_bound_bites_own_and_partners_domains_are_weighed_first():
    ours = Organisation(own_domains=("ministry.example",), partners=(Partner("Post", ("mailz.example",)),))
    circle = tuple(Address(f"u{n}", "mail.example") for n in range(PER_MESSAGE))
    found = shortlist(circle, {"mail.example": tuple(f"mail{a}.example" for a in LETTERS)}, ours)

    assert {p.intended.domain for p in found.proposals} == {"mailz.example"}
    assert len(found.proposals) == PER_MESSAGE


def test_hosts_below_a_named_wildcard_are_proposed():
    ours = Organisation(own_domains=("ministry.example",), partners=(Partner("Forces", ("*.army.mil",)),))
    found = shortlist((address("ops@hq.army.ml"),), {}, ours)

    assert [p.intended.domain for p in found.proposals] == ["hq.army.mil"]


def test_an_ending_that_exists_proposes_nothing_by_itself():
    assert by_ending("example.ml") == ()
    assert by_ending("example.con") == ("example.com",)


def test_knowledge_lends_no_trust_to_a_forwarder_that_wears_a_known_name():
    forwarded = address("SRS0=aa=bb=army.mil=ops@elsewhere.example")

    assert known_key(forwarded) == forwarded
    assert known_key(address("ops+1@army.mil")).key == "ops@army.mil"
