"""How baselines and yardstick are fitted: on whose copies, with which weights, and never scored on what they were fitted to.

An organisation with a test half is scored by a fit on its tuning half. One that is all for tuning (the lists) is scored in thirds, each by
a fit on the other two, so that an opaque model does not meet messages that it has by heart. One with too little to fit on is scored by a fit on
the tuning halves of all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from table import Bools, Floats, Table

    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

    Fitter = Callable[[Matrix, Bools, Floats], Callable[[Matrix], Floats]]

RIDGE = 1e-4
FOLDS = 3


def tuned(table: Table, only: str = "") -> tuple[Bools, Floats]:
    """Return which copies may be fitted on, and the weight of every copy (0 for the others).

    Right copies of untouched messages of the tuning half, and injected copies of it; of one kind, where `only` names it. Both sides weigh the
    same; each kind has one share, however many of it were made.
    """
    usable = table.tuning[table.message]
    label = np.array([e[:1] for e in table.label.tolist()], dtype=np.str_)[table.message]
    right = usable & (label == "") & table.clean[table.message]
    weight = np.zeros(len(label))
    weight[right] = 1 / max(1, right.sum())
    kinds = [only] if only else sorted(set(label[usable & table.slip].tolist()))
    for kind in kinds:
        mask = usable & table.slip & (label == kind)
        weight[mask] = 1 / len(kinds) / max(1, mask.sum())
    return weight > 0, weight


def scored(
    tables: Sequence[Table], matrices: Sequence[Matrix], fitter: Fitter, enough: int, only: str = ""
) -> list[Floats]:
    """Return the score of every copy of each table; rows of `matrices` belong to copies, `enough` are injected copies for a fit of one's own.

    With `only` the slips of one kind alone are fitted to.
    """
    usable = [tuned(table, only) for table in tables]
    found = []
    for own, (table, x, (which, weight)) in enumerate(zip(tables, matrices, usable, strict=True)):
        if table.slip[which].sum() < enough:
            others = [i for i in range(len(tables)) if i != own and tables[i].slip[usable[i][0]].any()]
            found.append(_borrowed([(tables[i], matrices[i], *usable[i]) for i in others], fitter, x))
        elif (table.clean & ~table.tuning).any():
            found.append(fitter(x[which], table.slip[which], weight[which])(x))
        else:
            found.append(_in_turns(table, x, which, weight, fitter))
    return found


def _borrowed(others: Sequence[tuple[Table, Matrix, Bools, Floats]], fitter: Fitter, x: Matrix) -> Floats:
    if not others:
        return np.full(len(x), 0.5)
    rows = np.concatenate([m[which] for _, m, which, _ in others])
    slips = np.concatenate([t.slip[which] for t, _, which, _ in others])
    return fitter(rows, slips, np.concatenate([w[which] for _, _, which, w in others]))(x)


def _in_turns(table: Table, x: Matrix, which: Bools, weight: Floats, fitter: Fitter) -> Floats:
    fold = (table.original % FOLDS)[table.message]
    found = np.zeros(len(x))
    for turn in range(FOLDS):
        learn, judge = which & (fold != turn), fold == turn
        found[judge] = fitter(x[learn], table.slip[learn], weight[learn])(x[judge])
    return found


def logistic(x: Matrix, y: Bools, w: Floats) -> Callable[[Matrix], Floats]:
    """Return a function from rows to probabilities in (0, 1), fitted to rows `x`, outcomes `y` and weights `w`."""
    if not y.any() or y.all():
        return lambda rows: np.full(len(rows), 0.5)
    w = w / w.sum()
    mean = w @ x
    scale = np.sqrt(w @ (x - mean) ** 2)
    scale[scale < 1e-9] = 1.0

    def design(rows: Matrix) -> Matrix:
        return np.concatenate([np.ones((len(rows), 1)), np.clip((rows - mean) / scale, -20, 20)], axis=1)

    z, beta, ridge = design(x), np.zeros(x.shape[1] + 1), np.diag([1e-9] + [RIDGE] * x.shape[1])

    def loss(b: Floats) -> float:
        return float(w @ (np.logaddexp(0, z @ b) - y * (z @ b)) + b @ ridge @ b / 2)

    for _ in range(50):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (w * (y - p)) - ridge @ beta
        step = np.linalg.solve((z * (w * p * (1 - p))[:, None]).T @ z + ridge, gradient)
        before = loss(beta)
        while loss(beta + step) > before and np.abs(step).max() > 1e-9:
            step /= 2
        beta = beta + step
        if np.abs(step).max() < 1e-7:
            break
    return lambda rows: 1 / (1 + np.exp(-np.clip(design(rows) @ beta, -35, 35)))
