"""Judged messages as columns: what every figure is computed from, without an address in it.

One entry a message and one a copy, in the order of the walk; copies that count neither as right nor as wrong (mailing lists, the sender's
own copy) are left out, and so are messages without any other. A detector is a column of scores over the copies, 0.0 where it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from values import Injection, Sample

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]

TYPED = ("C", "C2")
"""Kinds of which known and unknown targets are told apart."""

STRATA = ("all", "replies", "new")


@dataclass(frozen=True)
class Table:
    """The judged messages of one organisation.

    A message: `label` (kind and what tells its cases apart, "" for an untouched one), `reply`, `clean`, `tuning`, `split` (the published last
    tenth), `original` and `sender` as numbers, `moment` in seconds since 1970. `start` has one entry more than messages: where the
    copies of each begin. A copy: `message`, `slip` (the injected one), `named` (the product's first suggestion is the true address),
    `nameable` (an injected copy with a true address that was known), `stated` (P(slip) of the product), `stopped` (the policy stops it),
    `first_sender`, `first_org`. `kept` are the numbers of the samples that are in the table, `lost` counts injected ones whose wrong
    address the answer did not show.
    """

    org: str
    label: np.ndarray[tuple[int], np.dtype[np.str_]]
    reply: Bools
    clean: Bools
    tuning: Bools
    split: Bools
    original: Ints
    sender: Ints
    moment: Floats
    start: Ints
    message: Ints
    slip: Bools
    named: Bools
    nameable: Bools
    stated: Floats
    stopped: Bools
    first_sender: Bools
    first_org: Bools
    kept: Ints
    lost: int = 0
    detectors: dict[str, Floats] = field(default_factory=dict)

    def highest(self, scores: Floats) -> Floats:
        """Return the highest score of each message's copies."""
        return np.maximum.reduceat(scores, self.start[:-1]) if len(scores) else scores

    def wrong(self, scores: Floats) -> Floats:
        """Return the score of the injected copy of each message; nan for untouched ones."""
        found = np.full(len(self.label), np.nan)
        found[self.message[self.slip]] = scores[self.slip]
        return found

    def stratum(self, name: str) -> Bools:
        """Return which messages belong to one of `STRATA`."""
        return {"all": np.ones(len(self.reply), bool), "replies": self.reply, "new": ~self.reply}[name]

    @property
    def tested(self) -> Bools:
        """Return which messages are reported: those not tuned on, all where there are no others."""
        free = ~self.tuning
        return free if (free & self.clean).any() else np.ones(len(free), bool)

    def labels(self) -> tuple[str, ...]:
        """Return the labels of injected messages, in order."""
        return tuple(sorted({str(e) for e in np.unique(self.label)} - {""}))


def label_of(injection: Injection | None) -> str:
    """Return the case under which an injection is reported: `C` by known and unknown target, `B` by single and several."""
    if injection is None:
        return ""
    if injection.kind in TYPED:
        return f"{injection.kind} {'known' if injection.target_known else 'unknown'}"
    if injection.kind == "B" and injection.subkind:
        return f"B {injection.subkind.split()[0]}"
    return injection.kind


def table_of(org: str, samples: Sequence[Sample]) -> Table:
    """Return the columns of one organisation's samples."""
    rows: list[tuple[object, ...]] = []
    copies: list[tuple[object, ...]] = []
    start, lost, numbers = [0], 0, _Numbers()
    for number, sample in enumerate(samples):
        counted = [r for r in sample.recipients if r.counted]
        if not counted or not (sample.clean or sample.injected):
            continue
        put = sample.injected
        wrong, true = (put.wrong.lower(), (put.true or "").lower()) if put else ("", "")
        slips = [put is not None and r.address.lower() == wrong for r in counted]
        if put is not None and sum(slips) != 1:
            lost += 1
            continue
        for r, slip in zip(counted, slips, strict=True):
            nameable = slip and bool(true) and put is not None and put.target_known
            named = nameable and r.intended.lower() == true
            stopped = r.disposition != "deliver"
            copies.append((len(rows), slip, named, nameable, r.score, stopped, r.first_sender, r.first_org))
        original = put.original_id if put else sample.line_id
        rows.append(
            (label_of(put), sample.reply, sample.clean, sample.tuning, sample.split_90_10, numbers[original],
             numbers[f"sender\0{sample.sender}"], sample.at.timestamp(), number)
        )  # fmt: skip
        start.append(len(copies))
    return Table(org, start=np.array(start), lost=lost, **_columns(_OF_MESSAGE, rows), **_columns(_OF_COPY, copies))


_OF_MESSAGE: Mapping[str, type] = {
    "label": np.str_, "reply": np.bool_, "clean": np.bool_, "tuning": np.bool_, "split": np.bool_, "original": np.int64,
    "sender": np.int64, "moment": np.float64, "kept": np.int64,
}  # fmt: skip
_OF_COPY: Mapping[str, type] = {
    "message": np.int64, "slip": np.bool_, "named": np.bool_, "nameable": np.bool_, "stated": np.float64, "stopped": np.bool_,
    "first_sender": np.bool_, "first_org": np.bool_,
}  # fmt: skip


def _columns(names: Mapping[str, type], rows: list[tuple[object, ...]]) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {n: np.array(c, dtype=t) for (n, t), c in zip(names.items(), columns, strict=True)}


class _Numbers(dict[str, int]):
    """A number for each name, in order of appearance."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number
