"""Exact intervals around what was counted: alarms are few, and a rate without its interval says more than it knows.

A number of alarms is Poisson: the limits are those of Garwood (1936), found by bisection on the distribution itself. A share
(of injected messages that were caught) is binomial: Wilson's score interval (1927). No statistics package is needed.
"""

from __future__ import annotations

from math import exp, lgamma, log, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEVEL = 0.95
Z = 1.959963984540054
"""Standard normal quantile of `LEVEL`, two-sided."""

ENOUGH = 10
"""Where fewer alarms than this are expected a rate is not measurable."""


def poisson_interval(count: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the lower and upper limit of a Poisson mean after `count` events (rounded to whole events, >= 0)."""
    seen, tail = round(count), (1 - level) / 2
    low = 0.0 if seen == 0 else _bisect(lambda mean: _at_least(seen, mean) < tail, 0.0, float(seen))
    high = _bisect(lambda mean: _at_most(seen, mean) > tail, float(seen), seen + 12 * sqrt(seen + 1) + 12)
    return low, high


def wilson_interval(hits: float, trials: float) -> tuple[float, float]:
    """Return the limits of a share after `hits` of `trials`; (0, 1) where nothing was tried."""
    if trials <= 0:
        return 0.0, 1.0
    share, square = hits / trials, Z * Z / trials
    middle = (share + square / 2) / (1 + square)
    half = Z * sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _at_most(count: int, mean: float) -> float:
    """Return P(X <= count) for a mean above the count: the terms fall from the last one downwards."""
    term = exp(count * log(mean) - mean - lgamma(count + 1)) if mean > 0 else float(count == 0)
    total, n = 0.0, count
    while n >= 0 and term > total * 1e-17:
        total += term
        term *= n / mean
        n -= 1
    return total


def _at_least(count: int, mean: float) -> float:
    """Return P(X >= count) for a mean below the count: the terms fall from the first one upwards."""
    term = exp(count * log(mean) - mean - lgamma(count + 1)) if mean > 0 else 0.0
    total, n = 0.0, count
    while term > total * 1e-17:
        total += term
        n += 1
        term *= mean / n
    return total


def _bisect(below: Callable[[float], bool], low: float, high: float) -> float:
    """Return where `below(x)` turns from true to false between `low` and `high`."""
    for _ in range(80):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
