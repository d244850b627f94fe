"""What each setting of the annoyance budget would have asked and caught, from what was suspected and what came of it.

The answer to *asked* is exact: every probability was recorded. The answer to *caught* is as good as what is known: a copy that
nobody was asked about shows nothing unless it bounced or its reader spoke up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.budget import OUTSIDE, STRONG, threshold
from nixie.core.suspicion import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nixie.core.suspicion import Suspicion

SETTINGS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Questions per 1,000 outside messages that are tried."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Messages that are asked about: those that were slips as far as known, those released as they were, the others."""

    questions: int = 0
    caught: int = 0
    in_vain: int = 0

    @property
    def unknown(self) -> int:
        """Return of how many nobody knows what they were."""
        return self.questions - self.caught - self.in_vain

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.questions + other.questions, self.caught + other.caught, self.in_vain + other.in_vain)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the threshold that it leads to, what it would have asked, in all and by kind of slip."""

    per_1000: float
    asked_from: float
    all: Tally
    kinds: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All settings over a span of `messages` outside messages, `suspected` of them with a suspicion within the budget's reach.

    `outside` counts the kinds that no budget touches; `answered` is how many questions have an answer.
    """

    messages: int
    suspected: int
    answered: int
    settings: tuple[Setting, ...]
    outside: Mapping[str, Tally] = field(default_factory=dict)


def what_if(suspicions: Iterable[Suspicion], messages: int, tried: Sequence[float] = SETTINGS) -> WhatIf:
    """Return what each of the settings would have asked and caught, as if rules asked by the budget alone."""
    likeliest: dict[tuple[int, bytes], Suspicion] = {}
    told: dict[tuple[int, bytes], list[Outcome]] = {}
    for one in suspicions:
        place = one.author, one.message
        told.setdefault(place, []).append(one.outcome)
        before = likeliest.get(place)
        if before is None or _rank(one) > _rank(before):
            likeliest[place] = one
    tallies = [(one, _tally(told[place])) for place, one in likeliest.items()]
    counted = [(one, tally) for one, tally in tallies if one.kind not in OUTSIDE]
    stated = [one.probability for one, _ in counted]
    settings = []
    for per_1000 in tried:
        least = min(STRONG, threshold(per_1000, messages, stated))
        asked = [(one.kind, tally) for one, tally in counted if one.probability >= least]
        settings.append(Setting(per_1000, least, sum((t for _, t in asked), Tally()), _by_kind(asked)))
    answered = sum(tally.caught + tally.in_vain for _, tally in tallies)
    outside = _by_kind([(one.kind, tally) for one, tally in tallies if one.kind in OUTSIDE])
    return WhatIf(messages, len(counted), answered, tuple(settings), outside)


def _rank(one: Suspicion) -> tuple[bool, float]:
    return one.kind in OUTSIDE, one.probability


def _tally(outcomes: Iterable[Outcome]) -> Tally:
    known = list(outcomes)
    caught = any(outcome.slip for outcome in known)
    return Tally(1, int(caught), int(not caught and Outcome.RELEASED in known))


def _by_kind(asked: Iterable[tuple[str, Tally]]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for kind, tally in asked:
        found[kind] = found.get(kind, Tally()) + tally
    return dict(sorted(found.items(), key=lambda item: (-item[1].questions, item[0])))
