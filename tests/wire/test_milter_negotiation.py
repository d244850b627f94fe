"""Actions and steps that were not offered are not used, whatever the peer's version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.milter import Action, ProtocolError, Step
from nixie.wire.milter.constants import ALL_ACTIONS, ALL_STEPS
from nixie.wire.milter.events import Offer
from nixie.wire.milter.negotiation import WANTED_ACTIONS, WANTED_STEPS, agree, answered, is_answered

BEFORE_THE_END = frozenset(b"CHMRTLNBU")


def test_a_version_6_peer_is_asked_for_silence_and_leading_space() -> None:
    agreed = agree(Offer(6, ALL_ACTIONS, ALL_STEPS))

    assert agreed.version == 6
    assert agreed.actions == WANTED_ACTIONS | Action.SETSYMLIST
    assert agreed.steps & Step.HDR_LEADSPC
    assert not agreed.steps & Step.RCPT_REJ
    assert answered(agreed.steps) == frozenset(b"U")


def test_a_version_2_peer_gets_an_answer_to_everything_and_no_macro_lists() -> None:
    agreed = agree(Offer(2, 0x3F, 0x7F))

    assert (agreed.version, agreed.actions, agreed.steps, agreed.macros) == (2, int(WANTED_ACTIONS), 0, ())
    assert answered(agreed.steps) == BEFORE_THE_END


@pytest.mark.parametrize("offered, spoken", [(2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 6), (2**32 - 1, 6)])
def test_the_older_version_is_spoken(offered: int, spoken: int) -> None:
    assert agree(Offer(offered, 0x3F, 0x7F)).version == spoken


@pytest.mark.parametrize("offered", [0, 1])
def test_a_version_before_2_is_not_spoken(offered: int) -> None:
    with pytest.raises(ProtocolError, match="2 to 6"):
        agree(Offer(offered, 0x0F, 0))


@given(st.integers(2, 9), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_nothing_is_taken_that_was_not_offered_and_wanted(version: int, actions: int, steps: int) -> None:
    agreed = agree(Offer(version, actions, steps))

    assert not agreed.actions & ~actions
    assert not agreed.steps & ~steps
    assert not agreed.steps & ~WANTED_STEPS
    assert bool(agreed.macros) == bool(actions & Action.SETSYMLIST)


def test_macro_lists_name_the_login_and_the_queue_id() -> None:
    lists = dict(agree(Offer(6, ALL_ACTIONS, ALL_STEPS)).macros)

    assert b"auth_authen" in lists[2]
    assert b"i" in lists[5]


def test_the_end_of_a_message_is_always_answered() -> None:
    assert is_answered(ord("E"), int(ALL_STEPS))
    assert not is_answered(ord("A"), 0)
