"""Exact limits against published tables."""

import pytest
from intervals import poisson_interval, wilson_interval

# Garwood 1936; Ulm 1990: exact 95 % limits of a Poisson mean.
GARWOOD = [(0, 0.0, 3.689), (1, 0.0253, 5.572), (3, 0.619, 8.767), (10, 4.795, 18.390), (100, 81.36, 121.63)]


@pytest.mark.parametrize("count, low, high", GARWOOD)
def test_poisson_limits_are_those_of_the_table(count, low, high) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), rel=5e-4, abs=5e-4)


def test_poisson_limits_of_many_come_near_the_normal_ones() -> None:
    low, high = poisson_interval(40_000)

    assert (low, high) == pytest.approx((40_000 - 392, 40_000 + 392), abs=3)


def test_wilson_limits_of_half_of_ten() -> None:
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_nothing_tried_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
