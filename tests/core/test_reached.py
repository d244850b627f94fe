"""How a recipient was reached: what To and Cc show, what known lists and aliases add, and what is left for Bcc."""

import pytest

from nixie.core.facts import Expansion
from nixie.core.message import NOT_GIVEN, Message
from nixie.core.reached import Reached, not_shown, reached
from support.knowing import address, envelope, message

STAFF, TEAM, INFO = "staff@ministry.example", "team@ministry.example", "info@ministry.example"
ON_STAFF = {"bob@army.example": Expansion(lists=frozenset((STAFF, TEAM)))}
BEHIND_INFO = {"bob@army.example": Expansion(aliases=frozenset((INFO,)))}


@pytest.mark.parametrize(
    ("shown", "known", "way"),
    [
        (["bob@army.example"], {}, Reached.TYPED),
        (["Bob@ARMY.example"], {}, Reached.TYPED),
        (["bob+x@army.example"], {}, Reached.TYPED),
        (["bob@army.example", STAFF], ON_STAFF, Reached.TYPED),
        ([STAFF], ON_STAFF, Reached.EXPANDED),
        ([TEAM], ON_STAFF, Reached.EXPANDED),
        ([INFO], BEHIND_INFO, Reached.REWRITTEN),
        ([STAFF], {}, Reached.BLIND),
        ([INFO], ON_STAFF, Reached.BLIND),
        ([], ON_STAFF, Reached.BLIND),
    ],
)
def test_a_recipient_was_reached_by_the_first_way_that_explains_it(shown, known, way) -> None:
    assert reached(message(*shown), envelope("bob@army.example"), known) == (way,)


def test_cc_shows_a_recipient_as_well_as_to() -> None:
    both = Message(to=message("ann@army.example").to, cc=message("bob@army.example").to)

    assert reached(both, envelope("bob@army.example", "ann@army.example"), {}) == (Reached.TYPED, Reached.TYPED)


def test_a_header_that_nobody_saw_says_nothing() -> None:
    unseen = Message(to=NOT_GIVEN, cc=NOT_GIVEN)

    assert reached(unseen, envelope("bob@army.example"), ON_STAFF) == ()
    assert not_shown(unseen, envelope("bob@army.example")) == ()


def test_only_what_the_header_does_not_show_is_asked_for_each_once() -> None:
    to = envelope("bob@army.example", "bob+1@army.example", "carl+x@army.example", "ann@army.example")

    assert not_shown(message("ann@army.example", "carl@army.example"), to) == (address("bob@army.example"),)
    assert not_shown(message("ann@army.example"), envelope("ann@army.example")) == ()
    assert not_shown(message(), to) == ()


def test_a_forwarders_rewriting_lends_no_membership() -> None:
    worn = "SRS0=ab=cd=army.example=bob@elsewhere.example"

    assert reached(message(STAFF), envelope(worn), ON_STAFF) == (Reached.BLIND,)


@pytest.mark.parametrize(
    ("way", "by_table"), [("typed", False), ("blind", False), ("expanded", True), ("rewritten", True)]
)
def test_nobody_typed_what_a_table_put_there(way, by_table) -> None:
    assert Reached(way).by_table is by_table
