"""What a detector is worth: who is ranked first, and what is caught at a stated number of false alarms.

Everything is per organisation and per kind, never pooled. A false alarm is an untouched message of which at least one copy is flagged;
it counts once. A threshold is set on the untouched messages that are reported, and the same one holds for replies and new messages.
Where scores are tied at the threshold, only the share of them that fits the allowance is flagged (the expectation of drawing them by
lot), so that a yes-or-no detector stands at any allowance where it stands on the line between its point and saying nothing. A score of
0.0 is silence and never flagged. A slip counts as caught when the wrong copy itself is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from intervals import ENOUGH, poisson_interval, wilson_interval
from table import STRATA

if TYPE_CHECKING:
    from table import Bools, Floats, Table

BUDGETS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""False alarms per 1,000 untouched messages."""

OF_RIGHT_RECIPIENTS = 0.005
"""The published allowance of Zilberman et al. (2013): this part of the right recipients is flagged."""

NOT_IN_MEAN = ("D",)
"""An unseen stranger who replaces nobody and resembles nobody cannot be told from an honest one; it is reported, not averaged."""

CURVE = tuple(round(10 ** (i / 8), 3) for i in range(-8, 17))
"""Allowances of the curves, 0.1 to 100 per 1,000, eight to a factor of ten."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold: flagged is what scores above `over`, and the part `ties` of what scores exactly that."""

    over: float
    ties: float

    def share(self, scores: Floats) -> float:
        """Return the expected share of the scores that is flagged, nan of none."""
        if not len(scores):
            return float("nan")
        return float((scores > self.over).mean() + self.ties * (scores == self.over).mean())


def rising(scores: Floats) -> Floats:
    """Return the scores that are not silent, lowest first: what thresholds are found in."""
    return np.sort(scores[scores > 0.0])


def cut_at(ordered: Floats, allowed: float) -> Cut:
    """Return the threshold at which `allowed` of the scores (of `rising`) are flagged; fewer, where more of them are silent."""
    if allowed >= len(ordered):
        return Cut(0.0, 0.0)
    over = float(ordered[len(ordered) - 1 - int(allowed)])
    first, last = (int(np.searchsorted(ordered, over, side)) for side in ("left", "right"))
    return Cut(over, (allowed - (len(ordered) - last)) / (last - first))


def first_rate(table: Table, scores: Floats, which: Bools) -> float:
    """Return Prec@1: how often the injected copy has the highest score of its message; of tied ones each wins its share.

    Only messages with at least two copies are ranked; nan where there are none.
    """
    which = which & (np.diff(table.start) > 1)
    wrong, top = table.wrong(scores), table.highest(scores)
    tied = np.add.reduceat((scores == top[table.message]).astype(float), table.start[:-1])
    return float(np.where(wrong == top, 1 / tied, 0.0)[which].mean()) if which.any() else float("nan")


def of_cases(table: Table, label: str) -> Bools:
    """Return which messages are reported under a label: those outside the tuned half, A of the published last tenth alone."""
    mask: Bools = (table.label == label) & table.tested
    last_tenth: Bools = mask & table.split
    return last_tenth if label == "A" and last_tenth.any() else mask


def untouched(table: Table) -> Bools:
    """Return which messages the false alarms are counted on."""
    found: Bools = table.clean & (table.label == "") & table.tested
    return found


def rates(table: Table, detector: str) -> dict[str, Any]:
    """Return everything about one detector in one organisation, JSON-ready: allowances, and kinds by replies and new messages."""
    scores = table.detectors[detector]
    top, clean = table.highest(scores), untouched(table)
    first = np.maximum.reduceat(table.first_sender, table.start[:-1])
    copies = clean[table.message]
    ordered, total = rising(top[clean]), int(clean.sum())
    cuts = {b: cut_at(ordered, b / 1000 * total) for b in BUDGETS}
    by_copy = cut_at(rising(scores[copies]), OF_RIGHT_RECIPIENTS * copies.sum())
    return {
        "untouched": int(clean.sum()),
        "right_recipients": int(copies.sum()),
        "budgets": {f"{b:g}": _budget(b, cuts[b], top, clean, table, first) for b in BUDGETS},
        "kinds": {
            label: {name: _kind(table, scores, of_cases(table, label) & table.stratum(name), cuts, by_copy, ordered, total) for name in STRATA}
            for label in table.labels()
        },
        "curves": {label: curve(table, scores, of_cases(table, label), ordered, total) for label in table.labels()},
    }  # fmt: skip


def _budget(budget: float, cut: Cut, top: Floats, clean: Bools, table: Table, first: Bools) -> dict[str, Any]:
    """Return what an allowance means here: its interval, its threshold, and whose false alarms they are."""
    count, allowed = int(clean.sum()), budget / 1000 * int(clean.sum())
    low, high = poisson_interval(allowed) if allowed else (0.0, float("inf"))
    parts = {"replies": table.reply, "new": ~table.reply, "first_contact": first, "known_contact": ~first}
    return {
        "measurable": allowed >= ENOUGH,
        "allowed": round(allowed, 2),
        "alarms": round(float(cut.share(top[clean]) * count), 2) if count else 0.0,
        "interval": [1000 * low / count, 1000 * high / count] if count else [0.0, float("inf")],
        "threshold": cut.over,
        **{f"per_1000_{name}": 1000 * cut.share(top[clean & mask]) for name, mask in parts.items()},
    }


def _kind(
    table: Table, scores: Floats, which: Bools, cuts: dict[float, Cut], by_copy: Cut, ordered: Floats, total: int
) -> dict[str, Any]:
    wrong = table.wrong(scores)[which]
    distinct = len(np.unique(table.original[which]))
    if not len(wrong):
        return {"injected": 0}
    return {
        "injected": len(wrong),
        "messages": distinct,
        **_first(table, scores, which),
        "recall": {f"{b:g}": _recall(wrong, cut, b, ordered, total, distinct) for b, cut in cuts.items()},
        "at_right_recipients": by_copy.share(wrong),
        "silent": float((wrong <= 0.0).mean()),
        "suggested": suggested(table, which, wrong, cuts[1.0]),
    }


def _first(table: Table, scores: Floats, which: Bools) -> dict[str, Any]:
    share, distinct = (
        first_rate(table, scores, which),
        len(np.unique(table.original[which & (np.diff(table.start) > 1)])),
    )
    if not distinct:
        return {"prec1": None}
    return {"prec1": share, "prec1_interval": wilson_interval(share * distinct, distinct)}


def _recall(wrong: Floats, cut: Cut, budget: float, ordered: Floats, total: int, distinct: int) -> dict[str, Any]:
    """Return a recall with two intervals: from the few injected messages, and from where the threshold may truly lie.

    The second is the recall at the limits of the number of false alarms: the true rate at this threshold may be either.
    """
    allowed, share = budget / 1000 * total, cut.share(wrong)
    if allowed < ENOUGH:
        return {"measurable": False, "value": share}
    low, high = poisson_interval(allowed)
    ends = [cut_at(ordered, allowed * allowed / limit).share(wrong) for limit in (high, low)]
    return {
        "measurable": True,
        "value": share,
        "by_alarms": ends,
        "by_cases": wilson_interval(share * distinct, distinct),
    }


def suggested(table: Table, which: Bools, wrong: Floats, cut: Cut) -> dict[str, Any]:
    """Return how often the product's first suggestion is the true address, of known ones: of all injected, of those flagged."""
    nameable, named = np.zeros(len(which), bool), np.zeros(len(which), bool)
    nameable[table.message[table.nameable]] = True
    named[table.message[table.named]] = True
    known, right = nameable[which], named[which]
    flagged = known & (wrong > cut.over)
    return {
        "known": int(known.sum()),
        "of_all": float(right[known].mean()) if known.any() else None,
        "flagged": int(flagged.sum()),
        "of_flagged": float(right[flagged].mean()) if flagged.any() else None,
    }


def curve(table: Table, scores: Floats, which: Bools, ordered: Floats, total: int) -> list[tuple[float, float]]:
    """Return (false alarms per 1,000, recall) at each of `CURVE` at which at least one alarm is expected."""
    wrong = table.wrong(scores)[which]
    if not len(wrong):
        return []
    return [(b, cut_at(ordered, b / 1000 * total).share(wrong)) for b in CURVE if b / 1000 * total >= 1]


def equal_share(kinds: dict[str, Any], stratum: str = "all") -> float:
    """Return the mean recall at `OF_RIGHT_RECIPIENTS` in which each kind but those of `NOT_IN_MEAN` has one share.

    The cases of one kind (B single and B several, C known and unknown, C2) make up the share of their letter, each injection the same.
    """
    letters: dict[str, list[tuple[int, float]]] = {}
    for label, strata in kinds.items():
        told = strata[stratum]
        if label not in NOT_IN_MEAN and told["injected"]:
            letters.setdefault(label[0], []).append((told["injected"], told["at_right_recipients"]))
    means = [sum(n * r for n, r in told) / sum(n for n, _ in told) for told in letters.values()]
    return float(np.mean(means)) if means else float("nan")
