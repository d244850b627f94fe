"""Scales are estimated from answers that are no fair sample, and moved only as far as answers carry."""

import random
from math import exp, log

import pytest

from nixie.core.calibration import LEAST_ANSWERS, propose
from nixie.core.scales import LEAST, MOST, UNCHANGED, Scales, scales_of
from nixie.core.suspicion import Outcome, Suspicion


def stated(probability, scale):
    odds = probability / (1 - probability) * scale
    return odds / (1 + odds)


def world(number, true_scale, *, seed=1, kind="omission", asked_share=lambda p: 1.0 if p >= 0.5 else 0.1, accepted=1.0):
    """Return copies of a site whose slips are `true_scale` times as likely as the shipped rates say."""
    chance = random.Random(seed)
    found = []
    for n in range(number):
        shipped = 1 / (1 + exp(-chance.uniform(-4, 3)))
        slip = chance.random() < stated(shipped, true_scale)
        answered = chance.random() < asked_share(shipped)
        outcome = (Outcome.CORRECTED if slip else Outcome.RELEASED) if answered else Outcome.UNKNOWN
        probability = stated(shipped, accepted)
        found.append(Suspicion(n, 1, b"%d" % n, kind, probability, scale=accepted, asked=answered, outcome=outcome))
    return found


@pytest.mark.parametrize("true_scale", [0.4, 1.0, 2.5])
def test_the_scale_of_a_site_is_found_from_a_selected_sample(true_scale):
    proposed = propose(world(4_000, true_scale))

    assert abs(log(proposed.scales.all / true_scale)) < log(1.25)


def test_a_scale_that_was_accepted_before_is_taken_out_again():
    assert propose(world(4_000, 2.0, accepted=3.0)).scales.all == pytest.approx(2.0, rel=0.25)


def test_a_kind_that_differs_gets_its_own_scale_on_top():
    proposed = propose([*world(3_000, 1.0), *world(600, 3.5, seed=2, kind="swap")])

    assert proposed.scales.of("swap") == pytest.approx(3.5, rel=0.35)
    assert proposed.scales.of("omission") == pytest.approx(1.0, rel=0.2)


def test_few_answers_move_nothing():
    everybody = lambda _: 1.0  # noqa: E731 - a word for a share
    proposed = propose(world(LEAST_ANSWERS - 1, 4.0, asked_share=everybody))

    assert proposed.scales.all == 1.0
    assert not proposed.all.enough


def test_answers_that_are_few_are_drawn_towards_one():
    few = propose(world(LEAST_ANSWERS + 4, 4.0, asked_share=lambda _: 1.0)).scales.all
    many = propose(world(3_000, 4.0, asked_share=lambda _: 1.0)).scales.all

    assert 1.0 < few < many


@pytest.mark.parametrize(("true_scale", "bound"), [(100.0, MOST), (0.001, LEAST)])
def test_no_scale_leaves_its_bounds(true_scale, bound):
    assert propose(world(3_000, true_scale)).scales.all == bound


def test_where_nobody_was_ever_asked_nothing_is_claimed():
    proposed = propose(world(1_000, 1.0, asked_share=lambda p: float(p >= 0.5)))

    assert proposed.never_asked > 300
    assert proposed.all.weight == pytest.approx(proposed.all.answered)


def test_the_counts_say_what_the_proposal_rests_on():
    told = propose(world(1_000, 1.0)).all

    assert (told.suspected, told.enough) == (1_000, True)
    assert 0 < told.slips < told.answered < 1_000
    assert told.weight > told.answered


def test_nothing_recorded_proposes_nothing():
    assert propose([]).scales == UNCHANGED


def test_scales_survive_json_and_refuse_what_is_out_of_bounds():
    scales = Scales(1.5, (("omission", 0.5), ("swap", 2.0)))

    assert scales_of(scales.to_json()) == scales
    assert (scales.of("swap"), scales.of("dot")) == (3.0, 1.5)
    for bad in (
        {"all": 5.0, "kinds": {}},
        {"all": 1.0, "kinds": {"swap": 0.1}},
        {"all": 1.0},
        {"all": "x", "kinds": 1},
    ):
        with pytest.raises(ValueError, match="scale"):
            scales_of(bad)
