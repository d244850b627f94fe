"""Calibration and traffic on made-up messages whose true rates are known."""

import numpy as np
import pytest
from calibration import calibration, logit, logit_fit, moved, weights
from table import table_of
from traffic import QUARTER, per_sender, questions, right_shares

from support.misdirected import ORG, sample


def test_one_message_in_so_many_is_a_slip_and_each_kind_has_one_share() -> None:
    samples = [sample(n, {"ann": 0.1}) for n in range(998)]
    samples += [sample(2000 + n, {"ann": 0.5}, kind="E", wrong="ann") for n in range(10)]
    samples += [sample(3000 + n, {"ann": 0.5}, kind="F", wrong="ann") for n in range(30)]
    samples += [sample(4000, {"ann": 0.5}, kind="D", wrong="ann")]
    table = table_of(ORG, samples)

    found = weights(table, 500)

    assert found.sum() == pytest.approx(1000)
    assert [found[table.label == k].sum() for k in "EFD"] == pytest.approx([1, 1, 0])


def test_fit_finds_the_line_that_made_the_outcomes() -> None:
    # Each stated log-odds stands twice, weighted by the true chance of a slip and of none: the fit has no noise to fit.
    x = np.linspace(-4, 4, 50)
    chance = 1 / (1 + np.exp(-(0.3 + 0.8 * x)))

    found = logit_fit(np.tile(x, 2), np.repeat([1.0, 0.0], 50), np.concatenate([chance, 1 - chance]))

    assert found == pytest.approx((0.3, 0.8), abs=1e-6)


def test_true_probabilities_have_slope_one_and_bins_that_agree() -> None:
    # Stated 0.5 and 0.1; at one slip in 101 messages 1,000 untouched ones stand against slips of weight 10.
    clean = [sample(n, {"ann": 0.5}) for n in range(5)] + [sample(10 + n, {"ann": 0.1}) for n in range(45)]
    clean += [sample(100 + n, {"ann": 0.0}) for n in range(950)]
    slips = [sample(2000 + n, {"ann": 0.5 if n < 50 else 0.1}, kind="E", wrong="ann") for n in range(100)]
    table = table_of(ORG, clean + slips)

    found = calibration(table, 101)

    assert (found["slope"], found["intercept"]) == pytest.approx((1.0, 0.0), abs=1e-6)
    assert [(b["stated"], b["observed"]) for b in found["bins"]] == [
        pytest.approx((0.1, 0.1)),
        pytest.approx((0.5, 0.5)),
    ]
    assert found["bins"][1]["observed_interval"] == pytest.approx(
        [5 / (5 + 11.67), 5 / (5 + 1.62)], abs=1e-3
    )  # five untouched: 1.62 to 11.67
    assert found["log_loss"] < found["log_loss_of_guess"]


def test_stated_probability_moves_with_the_base_rate() -> None:
    assert moved(np.array([0.5]), 2_501, 101) == pytest.approx([1 / 26])
    assert logit(np.array([0.5, 1.0])) == pytest.approx([0.0, 13.8155], abs=1e-3)


def test_questions_are_counted_per_message_sender_and_quarter() -> None:
    samples = [sample(n, {"ann": 0.5}, sender=f"p{n % 4}", stopped=["ann"] if n % 4 == 0 else []) for n in range(40)]
    samples += [
        sample(100 + n, {"ann": 0.5, "bob": 0.5}, kind="E", wrong="bob", stopped=[["bob"], ["ann"]][n])
        for n in range(2)
    ]
    table = table_of(ORG, samples)

    found = questions(table)

    assert (found["asked"], found["per_1000"]) == (10, 250.0)
    assert (found["per_sender_quarter"], found["per_sender_quarter_mean"], found["per_sender_week_p99"]) == (
        0.0,
        2.5,
        10.0,
    )
    assert found["recall"] == {"E": 0.5}  # asking about the right copy is not finding the wrong one


def test_a_sender_who_was_never_asked_counts_in_the_median() -> None:
    table = table_of(ORG, [sample(n, {"ann": 0.5}, sender=f"p{n}") for n in range(3)])

    assert per_sender(table, np.array([True, False, False]), QUARTER, 50) == 0.0


def test_share_of_right_questions() -> None:
    # One slip in 500, half found; one untouched message in 1,000 asked about.
    assert right_shares(0.001, {"C": 0.4, "E": 0.6})["500"] == pytest.approx(0.001 / (0.001 + 0.001 * 499 / 500))
