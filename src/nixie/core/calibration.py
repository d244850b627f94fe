"""By how much this installation's slips differ from the shipped rates, estimated from what people answered.

Only copies that somebody was asked about have an answer, and they are not like the others: rules ask about the likely ones. So
each answer counts with the inverse of the chance that such a copy was asked about and answered (Horvitz and Thompson 1952). The chance is the
share of answered copies among all in the same cell: same range of probability, a domain of ours or not, inside the budget's reach or
not. It is a chance because thresholds move with traffic and differ by sender, and people do not always answer. Nobody is asked at random for the
sake of an estimate: a question that nobody believes in is what the budget is there to prevent. Where a cell was never asked about
nothing is known, and nothing is claimed.

A scale multiplies the odds. The one proposed makes the stated probabilities of the answered copies add up to the slips among
them, drawn towards 1 as if by answers of its own: log scale ~ Normal(0, `SPREAD`), the most probable value of which is found by halving.
First one scale for all kinds is fitted, then one for each kind given that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, fsum, log
from typing import TYPE_CHECKING

from nixie.core.budget import OUTSIDE
from nixie.core.scales import LEAST, MOST, Scales

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nixie.core.suspicion import Suspicion

SPREAD = log(2.0)
"""How far scales of sites are thought to lie apart, as a standard deviation of their logarithm: a factor of two."""

LEAST_ANSWERS = 30
"""Answers below which no scale for all kinds is proposed."""

LEAST_ANSWERS_OF_KIND = 10
"""Answers below which a kind gets no scale of its own."""

LARGEST_WEIGHT = 10.0
"""The most that one answer may count, so that a single odd one cannot lead."""

RANGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Where the ranges of probability begin in which copies are alike."""

SMALL = 0.05
"""A scale this near to 1 (as a logarithm) is left at 1."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a proposal rests on, for one kind or (`kind` empty) for all.

    `suspected` copies, `answered` of them, `slips` among those; `stated` is how many slips the answered copies' probabilities add
    up to with the shipped rates, `weighted_slips` and `weighted_stated` the same with each answer weighted by its chance, of `weight` in all.
    `scale` is what is proposed; `enough` whether there are answers enough for one.
    """

    kind: str
    suspected: int
    answered: int
    slips: int
    stated: float
    weighted_slips: float
    weighted_stated: float
    weight: float
    scale: float
    enough: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """The scales that are proposed, the counts behind each, and how many copies lie where nobody was ever asked."""

    scales: Scales
    all: Counts
    kinds: tuple[Counts, ...] = ()
    never_asked: int = 0
    found_later: int = 0
    """How many of the copies that nobody was asked about were slips, as bounces and readers told."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answered copy: its kind, its log-odds with the shipped rates, what it was, and how much it counts."""

    kind: str
    odds: float
    slip: bool
    weight: float


def propose(suspicions: Iterable[Suspicion]) -> Proposal:
    """Return the scales that the outcomes speak for. Everything is 1 where there are too few."""
    everything = list(suspicions)
    cells: dict[tuple[int, bool, bool], list[Suspicion]] = {}
    for one in everything:
        cells.setdefault(_cell(one), []).append(one)
    answers: list[_Answer] = []
    never_asked = 0
    for cell in cells.values():
        answered = [one for one in cell if one.outcome.answered]
        never_asked += 0 if answered else len(cell)
        weight = min(LARGEST_WEIGHT, len(cell) / len(answered)) if answered else 0.0
        answers += [_Answer(one.kind, _shipped_odds(one), one.outcome.caught, weight) for one in answered]
    suspected: dict[str, int] = {}
    for one in everything:
        suspected[one.kind] = suspected.get(one.kind, 0) + 1
    both = _counted("", len(everything), answers, LEAST_ANSWERS, 1.0)
    kinds = tuple(
        _counted(kind, number, [a for a in answers if a.kind == kind], LEAST_ANSWERS_OF_KIND, both.scale)
        for kind, number in sorted(suspected.items())
    )
    moved = tuple((k.kind, k.scale) for k in kinds if k.scale != 1.0)
    later = sum(one.outcome.slip and not one.outcome.caught for one in everything)
    return Proposal(Scales(both.scale, moved), both, kinds, never_asked, later)


def _cell(one: Suspicion) -> tuple[int, bool, bool]:
    return sum(one.probability >= start for start in RANGES), one.ours, one.kind in OUTSIDE


def _shipped_odds(one: Suspicion) -> float:
    """Return the log-odds that the shipped rates would have stated: an accepted scale is taken out again."""
    probability = min(max(one.probability, 1e-6), 1 - 1e-6)
    return log(probability / (1 - probability)) - log(one.scale)


def _counted(kind: str, suspected: int, answers: Sequence[_Answer], least: int, before: float) -> Counts:
    """Return the counts of some answers and the scale that they speak for, on top of the scale `before`."""
    enough = len(answers) >= least
    scale = _fitted(answers, log(before)) if enough else 1.0
    return Counts(
        kind,
        suspected,
        len(answers),
        sum(a.slip for a in answers),
        fsum(_probability(a.odds) for a in answers),
        fsum(a.weight for a in answers if a.slip),
        fsum(a.weight * _probability(a.odds) for a in answers),
        fsum(a.weight for a in answers),
        scale,
        enough,
    )


def _fitted(answers: Sequence[_Answer], offset: float) -> float:
    """Return the most probable scale within its bounds, to two digits.

    The weights are brought down to the number of answers that they are worth (Kish 1965), so that a few heavy ones do not
    drown the prior.
    """
    whole = fsum(a.weight for a in answers)
    worth = whole * whole / fsum(a.weight * a.weight for a in answers)
    low, high = log(LEAST), log(MOST)
    for _ in range(40):
        middle = (low + high) / 2
        missing = fsum(a.weight * (a.slip - _probability(a.odds + offset + middle)) for a in answers) * worth / whole
        if missing > middle / (SPREAD * SPREAD):
            low = middle
        else:
            high = middle
    found = (low + high) / 2
    return 1.0 if abs(found) < SMALL else min(MOST, max(LEAST, round(exp(found), 2)))


def _probability(odds: float) -> float:
    return 1 / (1 + exp(-odds))
