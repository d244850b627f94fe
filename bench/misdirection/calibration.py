"""Are stated probabilities true? Untouched copies against injected ones, re-weighted to how rarely people slip.

Injections are made by the thousand, slips happen once in hundreds of messages: so each injected message weighs so much that one message
in 463 (Cut Once) or one in 2,500 is a slip, every kind with one share. Looked at are copies with a stated probability of at
least 0.02: below, a constant near nought is always right and says nothing.
"""

from __future__ import annotations

import itertools
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
from intervals import poisson_interval
from metrics import untouched

if TYPE_CHECKING:
    from table import Bools, Floats, Table

BASE_RATES = (463, 2_500)
MODEL_ONE_IN = 2_500
"""The base rate for which the product states its probabilities (`nixie.core.intent.ONE_SLIP_IN`)."""

LEAST = 0.02
BINS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Edges of stated probability; the last bin includes 1."""

ENOUGH_COPIES = 50
CLOSE = 1e-6
"""Stated probabilities are kept this far from 0 and 1 before logarithms are taken."""

NO_SHARE = ("D",)
"""Kinds without a share in the mix: a stranger who resembles nobody is no model of a slip, but of not knowing."""


def weights(table: Table, one_in: float) -> Floats:
    """Return the weight of each reported message so that one in `one_in` is a slip; 0 for the others."""
    clean = untouched(table)
    found = clean.astype(float)
    kinds = kinds_of(table)
    for mask in kinds.values():
        found[mask] = clean.sum() / (one_in - 1) / len(kinds) / mask.sum()
    return found


def kinds_of(table: Table) -> dict[str, Bools]:
    """Return the reported injected messages by letter of their kind, those with a share in the mix."""
    letters = np.array([label[:1] for label in table.label])
    masks = {k: (letters == k) & table.tested for k in sorted(set(letters.tolist()) - {"", *NO_SHARE})}
    return {k: mask for k, mask in masks.items() if mask.any()}


def calibration(table: Table, one_in: float, stated: Floats | None = None) -> dict[str, Any]:
    """Return slope and intercept of the logit fit, bins, and log losses, JSON-ready; `stated` is the product's where not given.

    Copies that are right in an injected message count too, as right ones.
    """
    stated = table.stated if stated is None else stated
    weight = weights(table, one_in)[table.message]
    which = (stated >= LEAST) & (weight > 0)
    p, wrong, w = stated[which], table.slip[which], weight[which]
    told: dict[str, Any] = {"one_in": one_in, "copies": int(which.sum()), "untouched": int((which & ~table.slip).sum())}
    if not wrong.any() or wrong.all():
        return {**told, "slope": None, "intercept": None, "bins": [], "log_loss": None, "log_loss_of_guess": None}
    intercept, slope = logit_fit(logit(p), wrong.astype(float), w)
    share = float(np.average(wrong, weights=w))
    return {
        **told,
        "slope": slope,
        "intercept": intercept,
        "bins": _bins(p, wrong, w),
        "log_loss": log_loss(p, wrong, w),
        "log_loss_of_guess": log_loss(np.full(len(p), share), wrong, w),
        "guess": share,
    }


def _bins(p: Floats, wrong: Bools, w: Floats) -> list[dict[str, Any]]:
    """Return the bins that hold anything. The limits of `observed` are those of the number of untouched copies, which is Poisson."""
    found = []
    for low, high in itertools.pairwise(BINS):
        inside = (p >= low) & ((p < high) | (high == BINS[-1]))
        count = int(inside.sum())
        if not count:
            continue
        slips, total = float(w[inside & wrong].sum()), float(w[inside].sum())
        untouched_ones = int((inside & ~wrong & (w == 1.0)).sum())
        fewest, most = poisson_interval(untouched_ones)
        rest = total - untouched_ones
        found.append(
            {
                "from": low,
                "to": high,
                "copies": count,
                "untouched": untouched_ones,
                "stated": float(np.average(p[inside], weights=w[inside])),
                "observed": slips / total,
                "observed_interval": [slips / (rest + most), slips / (rest + fewest) if rest + fewest else 0.0],
                "counts": count >= ENOUGH_COPIES,
            }
        )
    return found


def logit(p: Floats) -> Floats:
    """Return log-odds, of probabilities kept `CLOSE` away from 0 and 1."""
    kept = np.clip(p, CLOSE, 1 - CLOSE)
    return np.log(kept / (1 - kept))


def moved(stated: Floats, one_in: float, meant_for: float) -> Floats:
    """Return the probabilities that a model stating them for one base rate would state for another: odds times the ratio."""
    odds = np.clip(stated, 0, 1 - CLOSE) / (1 - np.clip(stated, 0, 1 - CLOSE)) * ((meant_for - 1) / (one_in - 1))
    return odds / (1 + odds)


def log_loss(p: Floats, wrong: Bools, w: Floats) -> float:
    """Return the weighted mean of -log P(what happened)."""
    kept = np.clip(p, CLOSE, 1 - CLOSE)
    return float(np.average(-np.where(wrong, np.log(kept), np.log(1 - kept)), weights=w))


def logit_fit(x: Floats, y: Floats, w: Floats) -> tuple[float, float]:
    """Return intercept and slope of the weighted logistic regression of `y` on `x`, by Newton's method with damping."""
    share = float(np.average(y, weights=w))
    beta, scaled = np.array([log(share / (1 - share)), 0.0]), w / w.sum()
    design = np.stack([np.ones_like(x), x], axis=1)

    def loss(b: Floats) -> float:
        return float(scaled @ (np.logaddexp(0, design @ b) - y * (design @ b)))

    for _ in range(60):
        mean = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (scaled * (y - mean))
        curvature = (design * (scaled * mean * (1 - mean))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        before = loss(beta)
        while loss(beta + step) > before and np.abs(step).max() > 1e-10:
            step /= 2
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(beta[1])
