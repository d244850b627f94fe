"""Topics: what a subject is about, whatever marks of answering stand before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.topic import topic_of

BUDGET = topic_of("Budget for May")[0]


@pytest.mark.parametrize(
    "subject",
    ["Re: Budget for May", "RE: FW: budget  for May", "AW: [plans] Budget for May", "[plans] Re[2]: Budget for May", "Fwd: Re: Budget for May"],
)  # fmt: skip
def test_marks_of_answering_change_no_topic(subject):
    assert topic_of(subject) == (BUDGET, True)


@pytest.mark.parametrize("subject", ["", "Re:", "Re: hi", "  ", "Re: 42"])
def test_a_subject_that_says_nothing_has_no_topic(subject):
    assert topic_of(subject)[0] == 0


def test_a_new_subject_is_no_answer():
    assert topic_of("[plans] Budget for May") == (BUDGET, False)
    assert topic_of("Regarding the budget for May") == (topic_of("regarding the Budget for may")[0], False)


@given(st.text())
def test_any_subject_has_an_answer(subject):
    number, _ = topic_of(subject)

    assert 0 <= number < 1 << 63
