"""The budget sets thresholds ahead of time, per message, and never touches a strong question or a confused ending."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.budget import (
    DAY_MS,
    LEAST_MESSAGES,
    STRONG,
    Budget,
    Span,
    Thresholds,
    enough_traffic,
    threshold,
    thresholds,
    within,
)  # fmt: skip
from nixie.core.suspicion import Outcome, Suspicion

NOW = 1_790_000_000_000
ANN, BOB = 1, 2


def suspicion(probability, *, author=ANN, message=None, days=1, kind="omission", **more):
    name = message or f"{probability}{author}{days}{kind}"
    return Suspicion(NOW - days * DAY_MS, author, name.encode(), kind, probability, **more)


def everybody(per_1000, stated, messages=2_000, **more):
    found = [suspicion(p, **more) for p in stated]
    return thresholds(Budget(per_1000), found, enough_traffic(Budget(per_1000), lambda _: messages), NOW).everybody


def test_the_threshold_lets_as_many_messages_through_as_the_budget_allows():
    assert everybody(1.0, [0.8, 0.7, 0.6, 0.5]) == 0.601


def test_within_the_budget_everything_is_asked():
    assert everybody(2.0, [0.8, 0.7, 0.6, 0.5]) == 0.0


def test_one_question_is_always_allowed():
    assert everybody(0.001, [0.8, 0.7]) == 0.701


def test_too_little_traffic_sets_no_threshold_for_everybody():
    assert everybody(0.1, [0.8, 0.7, 0.6], messages=LEAST_MESSAGES - 1) == 0.0


def test_a_small_house_is_judged_by_a_longer_span():
    slowly = enough_traffic(Budget(1.0), lambda days: days * 4)

    assert slowly == Span(364, 1_456)
    found = [suspicion(p, days=200) for p in (0.8, 0.7, 0.6)]
    assert thresholds(Budget(1.0), found, slowly, NOW).everybody == 0.701
    assert thresholds(Budget(1.0), found, Span(28, 1_456), NOW).everybody == 0.0


def test_the_span_is_long_enough_for_one_allowed_question():
    traffic = lambda days: days * 50  # noqa: E731 - a word for messages in days

    spans = [enough_traffic(Budget(per_1000), traffic) for per_1000 in (2.0, 0.5, 0.1, 0.01)]
    assert spans == [Span(28, 1_400), Span(91, 4_550), Span(364, 18_200), Span(728, 36_400)]
    assert enough_traffic(Budget(0.5), lambda _: LEAST_MESSAGES - 1) is None


def test_a_threshold_never_reaches_what_is_strong():
    assert everybody(0.5, [0.99, 0.98, 0.97]) == STRONG


def test_many_copies_and_transactions_of_a_message_are_one_question():
    copies = [suspicion(0.8, message="one"), suspicion(0.79, message="one"), suspicion(0.3)]

    assert thresholds(Budget(1.0), copies, Span(28, 2_000), NOW).everybody == 0.0


def test_what_no_rule_wants_to_ask_costs_nothing():
    assert everybody(1.0, [0.8, 0.7, 0.6], wanted=False) == 0.0


def test_old_suspicions_count_no_more():
    assert everybody(1.0, [0.8, 0.7, 0.6, 0.5], days=40) == 0.0


@pytest.mark.parametrize("kind", ["tld_confusion", "suffix_confusion"])
def test_confused_endings_are_neither_counted_nor_held_back(kind):
    assert everybody(0.5, [0.8, 0.7, 0.6], kind=kind) == 0.0
    assert within(0.1, kind, STRONG)


def test_a_sender_who_would_be_asked_too_often_gets_a_threshold_of_their_own():
    asked = [suspicion(p, days=60) for p in (0.8, 0.7, 0.6)] + [suspicion(0.5, author=BOB)]

    found = thresholds(Budget(None, 2), asked, None, NOW)

    assert found == Thresholds(0.0, {ANN: 0.601})


def test_a_sender_whose_questions_were_right_is_not_asked_less_often():
    right = [suspicion(p, outcome=Outcome.CORRECTED) for p in (0.8, 0.7, 0.6)]

    assert thresholds(Budget(None, 1), right, None, NOW).senders == {}


def test_mail_of_nobody_has_no_sender_to_spare():
    assert thresholds(Budget(None, 1), [suspicion(p, author=0) for p in (0.8, 0.7)], None, NOW).senders == {}


@pytest.mark.parametrize(
    ("probability", "asked_from", "asked"),
    [(0.5, 0.0, True), (0.5, 0.5, True), (0.499, 0.5, False), (0.9, 0.95, True), (0.89, 0.9, False)],
)
def test_within_the_budget(probability, asked_from, asked):
    assert within(probability, "omission", asked_from) is asked


@given(st.lists(st.floats(0.01, 1.0), max_size=60), st.floats(0.01, 20.0), st.integers(1_000, 20_000))
def test_at_most_the_allowed_number_of_weaker_questions_stays(stated, per_1000, messages):
    least = threshold(per_1000, messages, stated)

    allowed = max(1, int(per_1000 * messages / 1000))
    assert sum(p >= least for p in stated if p < STRONG) <= allowed
    assert 0.0 <= least <= STRONG
