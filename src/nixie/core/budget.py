"""The annoyance budget: how many questions people are to be asked, turned into a probability from which they are asked.

A policy states questions per 1,000 outside messages, and questions per sender and quarter. From both and from what was
suspected lately follows a *threshold*, set ahead of time (each night, or by `nixie knowledge budget --set`): the least probability
whose questions would have stayed within the budget. At the moment of sending nothing is counted, so that no question is cancelled
because others were asked before it; and what is as probable as `STRONG` is asked about whatever was spent.

Questions are counted per message, however many copies and transactions it has. A sender's own threshold leaves out the messages
that turned out to be slips: whoever slips often must not be asked less often for it.

Outside the budget are confused endings (`OUTSIDE`): that mail goes to another country or to somebody who collects it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, isclose
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nixie.core.suspicion import Suspicion

WITHIN_BUDGET = "misdirected.within_budget"
"""The value by which the rules of a policy ask whether the budget lets them ask."""

STRONG = 0.9
"""A question as probable as this is asked, whatever the budget says."""

OUTSIDE = frozenset(("tld_confusion", "suffix_confusion"))
"""Kinds of slip whose questions are neither counted nor held back."""

SPANS_DAYS = (28, 91, 364, 728)
"""Traffic from which the threshold for everybody is read: the shortest span with enough of it. Whole weeks, so that weekends
weigh the same each night; longer ones for small houses, where four weeks say nothing."""

QUARTER_DAYS = 91
LEAST_MESSAGES = 1_000
"""Outside messages that are enough. In a house with fewer in the longest span the rules' own numbers hold."""

PARTS = 1_000
"""Thresholds are whole thousandths: a night that changes little writes nothing."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Budget:
    """What a policy allows; None where it says nothing of it."""

    per_1000_messages: float | None = None
    per_sender_per_quarter: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The last so many days, and how many messages to outside they had."""

    days: int
    messages: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least probability that is asked about: for everybody, and for senders (by number) who need a higher one. 0.0: any."""

    everybody: float = 0.0
    senders: Mapping[int, float] = field(default_factory=dict)


def within(probability: float, kind: str, asked_from: float) -> bool:
    """Return whether the budget lets a rule ask about a copy, with the threshold that is in force for its author."""
    return probability >= min(asked_from, STRONG) or kind in OUTSIDE


def enough_traffic(budget: Budget, messages_in: Callable[[int], int]) -> Span | None:
    """Return the shortest span of which the budget allows a whole question, else the longest that has enough messages.

    `messages_in` counts the messages of the last days. None when even the longest span has too few.
    """
    wanted = max(LEAST_MESSAGES, ceil(1000 / budget.per_1000_messages) if budget.per_1000_messages else 0)
    found = None
    for days in SPANS_DAYS:
        messages = messages_in(days)
        if messages >= LEAST_MESSAGES:
            found = Span(days, messages)
        if messages >= wanted:
            break
    return found


def thresholds(budget: Budget, suspicions: Iterable[Suspicion], span: Span | None, now: int) -> Thresholds:
    """Return the thresholds that keep to the budget, had they been in force lately.

    `suspicions` are those of the span and of the last quarter, `span` is that of `enough_traffic`, `now` is in milliseconds since
    1970. Only what the rules want to ask about counts.
    """
    counted = [s for s in suspicions if s.wanted and s.kind not in OUTSIDE]
    everybody = 0.0
    if budget.per_1000_messages is not None and span is not None:
        recent = _by_message(s for s in counted if s.at > now - span.days * DAY_MS)
        everybody = threshold(budget.per_1000_messages, span.messages, [p for p, _ in recent.values()])
    senders: dict[int, float] = {}
    if budget.per_sender_per_quarter is not None:
        by_sender: dict[int, list[float]] = {}
        quarter = _by_message(s for s in counted if s.author and s.at > now - QUARTER_DAYS * DAY_MS)
        for (author, _), (probability, slip) in quarter.items():
            if not slip:
                by_sender.setdefault(author, []).append(probability)
        for author, stated in by_sender.items():
            own = _above(stated, budget.per_sender_per_quarter)
            if own > everybody:
                senders[author] = own
    return Thresholds(everybody, senders)


def threshold(per_1000: float, messages: int, stated: Iterable[float]) -> float:
    """Return the least threshold by which at most `per_1000` of 1,000 messages are asked about; one question is always allowed.

    `stated` has the highest probability of each message that was suspected.
    """
    return _above(list(stated), max(1, floor(per_1000 * messages / 1000)))


def _above(stated: list[float], allowed: int) -> float:
    """Return the least threshold, in whole parts, that at most `allowed` of the probabilities reach; at most `STRONG`."""
    if len(stated) <= allowed:
        return 0.0
    first_too_many = sorted(stated, reverse=True)[allowed] * PARTS
    part = round(first_too_many) if isclose(first_too_many, round(first_too_many)) else floor(first_too_many)
    return min(STRONG, (part + 1) / PARTS)


def _by_message(suspicions: Iterable[Suspicion]) -> dict[tuple[int, bytes], tuple[float, bool]]:
    """Return, by author and message, the highest probability, and whether any copy was a slip."""
    found: dict[tuple[int, bytes], tuple[float, bool]] = {}
    for one in suspicions:
        place = one.author, one.message
        probability, slip = found.get(place, (0.0, False))
        found[place] = max(probability, one.probability), slip or one.outcome.slip
    return found
