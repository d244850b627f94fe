"""Doubt: what looks like a slip of something written to more often earns no trust by repetition."""

from __future__ import annotations

import pytest

from nixie.core.doubt import cleared_for_all, cleared_for_author, doubts, relation_of, same_owner
from nixie.core.facts import Counts, History
from nixie.core.organisation import Organisation, Partner
from support.knowing import OURS, sent


@pytest.mark.parametrize(
    "wrong, right, doubted",
    [(5, 41, True), (0, 1, True), (13, 41, True), (14, 41, False), (41, 41, False), (0, 0, False)],
)
def test_a_domain_is_doubted_for_one_written_to_three_times_as_often(wrong, right, doubted):
    found = doubts({"army.ml": sent(wrong), "army.mil": sent(right)}, {"army.ml": ("army.mil",)}, OURS)

    assert [(d.domain, d.instead, d.sent, d.instead_sent) for d in found] == (
        [("army.ml", "army.mil", wrong, right)] if doubted else []
    )


def test_a_neighbour_of_like_size_keeps_its_counts():
    counts = {"smu.edu": sent(90), "msu.edu": sent(110)}

    assert doubts(counts, {"smu.edu": ("msu.edu",), "msu.edu": ("smu.edu",)}, OURS) == ()


def test_an_own_domain_is_reason_enough_whatever_was_counted():
    (found,) = doubts({"ministri.example": sent(500)}, {"ministri.example": ("ministry.example",)}, OURS)

    assert found.instead == "ministry.example"


def test_a_partner_is_never_doubted_because_the_configuration_is_a_persons_word():
    ours = Organisation(own_domains=("ministry.example",), partners=(Partner("Forces", ("army.ml",)),))

    assert doubts({"army.ml": sent(1), "army.mil": sent(99)}, {"army.ml": ("army.mil",)}, ours) == ()


def test_hosts_of_one_registered_domain_have_one_owner_and_raise_no_doubt():
    counts = {"kernel.org": sent(10), "lists.kernel.org": sent(900)}

    assert doubts(counts, {"kernel.org": ("lists.kernel.org",)}, OURS) == ()
    assert same_owner("kernel.org", "lists.kernel.org")
    assert not same_owner("gov.uk", "gov.ug")


def test_what_no_slip_connects_is_not_doubted():
    assert doubts({"zoo.example": sent(1), "army.mil": sent(99)}, {"zoo.example": ("army.mil",)}, OURS) == ()


@pytest.mark.parametrize(
    "counts, for_author, for_all",
    [
        (History(author=Counts(released_by_sender=1)), True, False),
        (History(organisation=Counts(released_by_sender=1)), False, False),
        (History(organisation=Counts(released_by_reviewer=1)), True, True),
        (History(organisation=Counts(confirmed=1)), True, True),
        (History(organisation=Counts(sent=99, wrote_to_us=99, replied=99)), False, False),
    ],
)
def test_only_a_persons_word_clears_an_address(counts, for_author, for_all):
    assert (cleared_for_author(counts), cleared_for_all(counts)) == (for_author, for_all)


def test_who_lists_a_wildcard_means_the_domain_above_it_too():
    ours = Organisation(own_domains=("*.army.mil",), partners=(Partner("Zoo", ("*.zoo.example",)),))

    assert relation_of("army.mil", ours) == ("own", "")
    assert relation_of("zoo.example", ours) == ("partner", "Zoo")
    assert relation_of("elsewhere.example", ours) == ("", "")
