"""Gradient-boosted trees by histograms: what the yardstick needs and no more, in numpy.

Logistic loss, second-order gains and leaf values as in XGBoost (Chen & Guestrin 2016), at most 63 bins a column by quantiles and one
for what is missing, trees grown level by level to an even depth. Deterministic: no sampling, ties go to the first column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from table import Bools, Floats, Ints

    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
    Bins = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

BINS = 64
"""Bin 0 is for what is missing, which goes left of every split."""

RIDGE = 1.0
LEAST_HESSIAN = 2.0
"""Least sum of second derivatives on each side of a split, in rows of average weight."""


@dataclass(frozen=True)
class Tree:
    """One tree of an even depth: for each inner node in level order the column and the last bin that goes left; leaf values."""

    columns: np.ndarray[tuple[int], np.dtype[np.int64]]
    lasts: np.ndarray[tuple[int], np.dtype[np.int64]]
    leaves: Floats

    def values(self, bins: Bins) -> Floats:
        """Return the tree's value for each row."""
        node: Ints = np.zeros(len(bins), np.int64)
        rows: Ints = np.arange(len(bins))
        for _ in range((len(self.columns) + 1).bit_length() - 1):
            node = 2 * node + 1 + (bins[rows, self.columns[node]] > self.lasts[node])
        values: Floats = self.leaves[node - len(self.columns)]
        return values


def boosted(
    x: Matrix, y: Bools, w: Floats, trees: int = 100, depth: int = 4, rate: float = 0.15
) -> Callable[[Matrix], Floats]:
    """Return a function from rows (nan is missing) to probabilities, fitted to rows, outcomes and weights."""
    edges = [_edges(x[:, column]) for column in range(x.shape[1])]
    bins, w = binned(x, edges), w / w.mean()
    start = float(np.clip(np.average(y, weights=w), 1e-6, 1 - 1e-6))
    offset = float(np.log(start / (1 - start)))
    raw, grown = np.full(len(y), offset), []
    for _ in range(trees):
        p = 1 / (1 + np.exp(-raw))
        tree = _tree(bins, w * (p - y), w * p * (1 - p), depth, rate)
        raw += tree.values(bins)
        grown.append(tree)

    def predict(rows: Matrix) -> Floats:
        here, total = binned(rows, edges), np.full(len(rows), offset)
        for tree in grown:
            total += tree.values(here)
        chance: Floats = 1 / (1 + np.exp(-np.clip(total, -35, 35)))
        return chance

    return predict


def _edges(column: Floats) -> Floats:
    """Return the upper edges of bins 1, 2, ... of a column: every value where they are few, else quantiles."""
    seen = np.unique(column[~np.isnan(column)])
    if len(seen) > BINS - 1:
        quantiles = np.quantile(column[~np.isnan(column)], np.linspace(0, 1, BINS)[1:-1])
        seen = np.unique(np.append(quantiles, np.quantile(seen, np.linspace(0, 1, 9)[1:-1])))[: BINS - 2]
    return seen[:-1] if len(seen) > 1 else seen[:0]


def binned(x: Matrix, edges: list[Floats]) -> Bins:
    """Return the bin of each value: 0 for nan, 1 for values up to the first edge, and so on."""
    found = np.zeros(x.shape, np.uint8)
    for column, edge in enumerate(edges):
        values = x[:, column]
        found[:, column] = np.where(np.isnan(values), 0, 1 + np.searchsorted(edge, values, side="left"))
    return found


def _tree(bins: Bins, gradient: Floats, hessian: Floats, depth: int, rate: float) -> Tree:
    inner = 2**depth - 1
    columns, lasts = np.zeros(inner, np.int64), np.full(inner, BINS, np.int64)
    node: Ints = np.zeros(len(bins), np.int64)
    rows = np.arange(len(bins))
    for level in range(depth):
        count, first = 2**level, 2**level - 1
        best = np.full(count, 1e-9)
        for column in range(bins.shape[1]):
            code = (node - first) * BINS + bins[:, column]
            g = np.bincount(code, gradient, count * BINS).reshape(count, BINS)
            h = np.bincount(code, hessian, count * BINS).reshape(count, BINS)
            gain = _gains(g.astype(np.float64), h.astype(np.float64))
            last = gain.argmax(axis=1)
            top = gain[np.arange(count), last]
            better = np.flatnonzero(top > best)
            best[better], columns[first + better], lasts[first + better] = top[better], column, last[better]
        node = 2 * node + 1 + (bins[rows, columns[node]] > lasts[node])
    leaf = node - inner
    total_g, total_h = np.bincount(leaf, gradient, inner + 1), np.bincount(leaf, hessian, inner + 1)
    return Tree(columns, lasts, -rate * total_g / (total_h + RIDGE))


def _gains(g: Matrix, h: Matrix) -> Matrix:
    """Return the gain of cutting each node after each bin; 0 where a side would be too light."""
    left_g, left_h = g.cumsum(axis=1), h.cumsum(axis=1)
    all_g, all_h = left_g[:, -1:], left_h[:, -1:]
    right_g, right_h = all_g - left_g, all_h - left_h
    gain = left_g**2 / (left_h + RIDGE) + right_g**2 / (right_h + RIDGE) - all_g**2 / (all_h + RIDGE)
    found: Matrix = np.where((left_h >= LEAST_HESSIAN) & (right_h >= LEAST_HESSIAN), gain, 0.0)
    return found
