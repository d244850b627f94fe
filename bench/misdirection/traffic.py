"""What people would feel: questions per sender, per week and quarter, and how many of the questions are right.

Questions are counted per message: three doubtful copies of one message are one question. What asks is the shipped policy's answer
(`stopped`), or a detector at a threshold.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from calibration import kinds_of
from intervals import poisson_interval
from metrics import BUDGETS, cut_at, rising, untouched

if TYPE_CHECKING:
    from table import Bools, Table

RIGHT_AT = (500, 2_500, 10_000)
"""Base rates, one slip in so many messages, for which the share of right questions is given."""

WEEK, QUARTER = 7 * 86_400, 365.25 * 86_400 / 4


def questions(table: Table) -> dict[str, Any]:
    """Return the questions of the shipped policy on untouched messages: per 1,000, per sender, and the recall that they buy."""
    asked, clean = np.maximum.reduceat(table.stopped, table.start[:-1]), untouched(table)
    count, total = int((asked & clean).sum()), int(clean.sum())
    low, high = poisson_interval(count)
    caught = np.zeros(len(asked), bool)
    caught[table.message[table.stopped & table.slip]] = True
    recall = {kind: float(caught[mask].mean()) for kind, mask in kinds_of(table).items()}
    return {
        "untouched": total,
        "asked": count,
        "per_1000": 1000 * count / total if total else None,
        "interval": [1000 * low / total, 1000 * high / total] if total else None,
        "per_sender_quarter": per_sender(table, asked & clean, QUARTER, 50),
        "per_sender_quarter_mean": mean_per_sender(table, asked & clean, QUARTER),
        "per_sender_week_p99": per_sender(table, asked & clean, WEEK, 99),
        "recall": recall,
        "right": right_shares(count / total if total else 0.0, recall),
    }


def per_sender(table: Table, asked: Bools, span: float, percentile: float) -> float | None:
    """Return a percentile of the questions over the spans (weeks, quarters) in which a sender wrote at all."""
    counts = _spans(table, asked, span)
    return float(np.percentile(counts, percentile, method="inverted_cdf")) if counts else None


def mean_per_sender(table: Table, asked: Bools, span: float) -> float | None:
    """Return the mean of the questions over the spans in which a sender wrote at all."""
    counts = _spans(table, asked, span)
    return float(np.mean(counts)) if counts else None


def _spans(table: Table, asked: Bools, span: float) -> list[int]:
    clean = untouched(table)
    number = (table.moment // span).astype(int)
    wrote = set(zip(table.sender[clean].tolist(), number[clean].tolist(), strict=True))
    hit = Counter(zip(table.sender[asked].tolist(), number[asked].tolist(), strict=True))
    return [hit[e] for e in wrote]


def right_shares(false_alarms: float, recall: dict[str, float]) -> dict[str, float | None]:
    """Return the expected share of right questions for each of `RIGHT_AT`, each kind of slip being as frequent as the others.

    `false_alarms` is the share of untouched messages that are asked about.
    """
    mean = float(np.mean(list(recall.values()))) if recall else 0.0
    found: dict[str, float | None] = {}
    for one_in in RIGHT_AT:
        right, cried = mean / one_in, false_alarms * (1 - 1 / one_in)
        found[str(one_in)] = right / (right + cried) if right + cried else None
    return found


def right_by_budget(table: Table, detector: str) -> dict[str, Any]:
    """Return the expected share of right questions at each allowance of false alarms."""
    scores, clean = table.detectors[detector], untouched(table)
    top, wrong = table.highest(scores)[clean], table.wrong(scores)
    ordered, found = rising(top), {}
    for budget in BUDGETS:
        cut = cut_at(ordered, budget / 1000 * len(top))
        recall = {kind: cut.share(wrong[mask]) for kind, mask in kinds_of(table).items()}
        found[f"{budget:g}"] = right_shares(cut.share(top) if len(top) else 0.0, recall)
    return found
