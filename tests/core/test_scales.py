"""Accepted scales multiply the odds of a slip, by its kind, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from nixie.core.intent import weigh
from nixie.core.scales import Scales
from support.knowing import Known, case, sent

KNOWN = Known().domain("army.mil", sent(41)).address("ops@army.mil", sent(12), sent(30))


def log_odds(scales: Scales) -> float:
    (finding,) = weigh(replace(case(KNOWN, "ops@army.ml"), scales=scales))
    probability = float(dict(finding.values)["probability"])
    return log(probability / (1 - probability))


@pytest.mark.parametrize(
    ("scales", "factor"),
    [
        (Scales(0.25), 0.25),
        (Scales(0.5, (("tld_confusion", 0.5),)), 0.25),
        (Scales(1.0, (("omission", 4.0),)), 1.0),
        (Scales(2.0, (("omission", 0.25), ("tld_confusion", 2.0))), 4.0),
    ],
)
def test_a_scale_moves_the_odds_of_its_kind(scales, factor):
    assert log_odds(scales) - log_odds(Scales()) == pytest.approx(log(factor), abs=1e-3)


def test_what_was_accepted_is_a_fact_of_its_own():
    (finding,) = weigh(replace(case(KNOWN, "ops@army.ml"), scales=Scales(2.0)))

    assert [(e.code, dict(e.values), e.weight) for e in finding.candidates[0].evidence if e.code == "site-scale"] == [
        ("site-scale", {"times": 2.0}, pytest.approx(log(2)))
    ]
