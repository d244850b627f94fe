"""The yardstick: what an opaque model would get from what Nixie knows. It is measured beside the product and is no part of it.

Gradient-boosted trees over the factors that the product states for each copy, the probability it makes of them, and the plain counts of the baselines' walk; no text
but through the product's own factors. Fitted on the tuning half, every kind with one share of the slips, as the baselines are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from baselines import FACTS
from boosting import boosted
from learners import scored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baselines import Facts
    from table import Bools, Floats, Table
    from values import OrgRun

NAME = "yardstick"
NOT_KNOWN = ("random", "text", "log text")
"""What the walk notes and the product does not know."""

MOST_ROWS = 40_000
"""Rows that are fitted on; of more, evenly spaced ones."""

ENOUGH = 1_000
"""Injected copies in a tuning half from which on an organisation has a fit of its own (`learners.scored`)."""


def factors_of(
    runs: Sequence[OrgRun], tables: Sequence[Table], facts: Sequence[Facts]
) -> tuple[tuple[str, ...], list[Facts]]:
    """Return the names of the columns, and for each organisation what is known of each copy of its table, nan where not stated."""
    stated = sorted({name for run in runs for s in run.samples for r in s.recipients for name in r.factors})
    counts = [i for i, name in enumerate(FACTS) if name not in NOT_KNOWN]
    number = {name: i for i, name in enumerate(stated)}
    matrices = []
    for run, table, noted in zip(runs, tables, facts, strict=True):
        matrix = np.full((len(table.message), len(stated) + len(counts) + 3), np.nan)
        row = 0
        for kept in table.kept.tolist():
            for r in run.samples[kept].recipients:
                if r.counted:
                    for name, value in r.factors.items():
                        matrix[row, number[name]] = value
                    row += 1
        matrix[:, len(stated) : -3] = noted[:, counts]
        matrix[:, -3] = table.stated
        matrix[:, -2] = np.diff(table.start)[table.message]
        matrix[:, -1] = table.reply[table.message]
        matrices.append(matrix)
    return (*stated, *(FACTS[i] for i in counts), "stated", "recipients", "reply"), matrices


def add_yardstick(tables: Sequence[Table], matrices: Sequence[Facts]) -> None:
    """Put the yardstick's score into the tables; rows of `matrices` are those of `factors_of`."""
    for table, scores in zip(tables, scored(tables, matrices, _fit, ENOUGH), strict=True):
        table.detectors[NAME] = scores


def _fit(x: Facts, y: Bools, w: Floats) -> Callable[[Facts], Floats]:
    """Return the trees of at most `MOST_ROWS` of the rows."""
    step = max(1, -(-len(y) // MOST_ROWS))
    return boosted(x[::step], y[::step], w[::step])
