"""Proposals: the circle of a message, and the bounded list of those who may have been meant."""

from __future__ import annotations

from nixie.core.organisation import Organisation, Partner
from nixie.core.proposals import PER_MESSAGE, PER_RECIPIENT, by_ending, circle_of, known_key, outside, shortlist
from support.knowing import OURS, address, envelope, message

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def test_the_circle_is_envelope_and_header_together_each_address_once():
    circle = circle_of(message("Ann@a.example", "cc@c.example"), envelope("ann@a.example", "bcc@b.example"))

    assert [a.key for a in circle] == ["ann@a.example", "bcc@b.example", "cc@c.example"]


def test_only_addresses_that_leave_the_house_and_have_a_domain_are_looked_at():
    circle = tuple(map(address, ("a@ministry.example", "b@zoo.example", "c@[192.0.2.1]")))

    assert [a.domain for a in outside(circle, OURS)] == ["zoo.example"]


def test_a_proposal_that_no_slip_explains_is_dropped():
    found, cut = shortlist((address("ops@army.ml"),), {"army.ml": ("army.mil", "zoo.example")}, OURS)

    assert [(p.domain, p.intended.key) for p in found] == [("army.mil", "ops@army.mil")]
    assert cut == 0


def test_one_recipient_has_a_bounded_number_of_proposals_and_the_cut_is_counted():
    near = tuple(f"mail{a}.example" for a in LETTERS) + tuple(f"{a}mail.example" for a in LETTERS)
    found, cut = shortlist((address("a@mail.example"),), {"mail.example": near}, OURS)

    assert len(found) == PER_RECIPIENT
    assert len(found) + cut == len({n for n in near if n != "mail.example"})


def test_one_message_has_a_bounded_number_of_proposals_whatever_the_order():
    near = tuple(f"mail{a}.example" for a in LETTERS)
    circle = tuple(address(f"u{n}@mail.example") for n in range(30))
    found, cut = shortlist(circle, {"mail.example": near}, OURS)
    turned, _ = shortlist(circle[::-1], {"mail.example": near}, OURS)

    assert (len(found), cut) == (PER_MESSAGE, 30 * 26 - PER_MESSAGE)
    assert set(found) == set(turned)


def test_hosts_below_a_named_wildcard_are_proposed():
    ours = Organisation(own_domains=("ministry.example",), partners=(Partner("Forces", ("*.army.mil",)),))
    found, _ = shortlist((address("ops@hq.army.ml"),), {}, ours)

    assert [p.domain for p in found] == ["hq.army.mil"]


def test_an_ending_that_exists_proposes_nothing_by_itself():
    assert by_ending("example.ml") == ()
    assert by_ending("example.con") == ("example.com",)


def test_knowledge_lends_no_trust_to_a_forwarder_that_wears_a_known_name():
    forwarded = address("SRS0=aa=bb=army.mil=ops@elsewhere.example")

    assert known_key(forwarded) == forwarded
    assert known_key(address("ops+1@army.mil")).key == "ops@army.mil"
