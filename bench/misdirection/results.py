"""All figures of a run as one JSON-ready value: what `report` words and `plots` draws. It holds counts, never an address."""

from __future__ import annotations

import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import baselines
import numpy as np
import yardstick
from calibration import BASE_RATES, MODEL_ONE_IN, calibration, moved
from metrics import equal_share, rates
from table import table_of
from traffic import questions, right_by_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baselines import Facts
    from table import Table
    from values import OrgRun

PRODUCT = "nixie"

_walking: list[tuple[OrgRun, Table]] = []


def tables_of(runs: Sequence[OrgRun]) -> tuple[list[Table], dict[str, float]]:
    """Return the table of each run that judged anything, with every detector's scores, and seconds by step."""
    began = time.monotonic()
    pairs = [(run, table) for run in runs if len((table := table_of(run.org, run.samples)).label)]
    tables = [table for _, table in pairs]
    facts = _walk_all(pairs)
    walked = time.monotonic()
    baselines.add_baselines(tables, facts)
    matrices = yardstick.factors_of([run for run, _ in pairs], tables, facts)[1]
    yardstick.add_yardstick(tables, matrices)
    for table in tables:
        table.detectors[PRODUCT] = table.stated
    return tables, {"baselines": walked - began, "yardstick": time.monotonic() - walked}


def _walk_all(pairs: list[tuple[OrgRun, Table]]) -> list[Facts]:
    """Return what the baselines note, two organisations at a time; forked children have the lines already."""
    if len(pairs) < 2:
        return [baselines.walk(*pair) for pair in pairs]
    _walking[:] = pairs
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(_walk_one, range(len(pairs))))
    _walking.clear()
    return found


def _walk_one(number: int) -> Facts:
    return baselines.walk(*_walking[number])


def figures(runs: Sequence[OrgRun], tables: Sequence[Table], usage: dict[str, float]) -> dict[str, Any]:
    """Return every figure, by organisation."""
    by_org = {run.org: run for run in runs}
    found = {t.org: _organisation(by_org[t.org], t) for t in tables}
    return plain({"usage": usage, "organisations": found})  # type: ignore[no-any-return]


def _organisation(run: OrgRun, table: Table) -> dict[str, Any]:
    measured = {name: rates(table, name) for name in table.detectors}
    return {
        "facts": dict(run.facts),
        "usage": dict(run.usage),
        "judged": len(run.samples),
        "lost": table.lost,
        "test_half": bool((table.clean & ~table.tuning).any()),
        "not_weighed": _skipped(run),
        "detectors": measured,
        "mean_at_right_recipients": {name: equal_share(told["kinds"]) for name, told in measured.items()},
        "calibration": {
            str(one_in): calibration(table, one_in, moved(table.stated, MODEL_ONE_IN, one_in)) for one_in in BASE_RATES
        },
        "calibration_unmoved": {str(one_in): calibration(table, one_in) for one_in in BASE_RATES},
        "questions": questions(table),
        "right_questions": right_by_budget(table, PRODUCT),
    }


def _skipped(run: OrgRun) -> dict[str, int]:
    """Return how many untouched messages the product did not weigh, by reason."""
    found: dict[str, int] = {}
    for sample in run.samples:
        if sample.clean:
            for reason in sample.skipped:
                found[reason] = found.get(reason, 0) + 1
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: numbers of six digits, None for what is no number."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
