"""Many events at once: what a log teaches, in columns.

A batch names its addresses once and refers to them by place, so that a log of millions of lines costs a few arrays.
Keys are checked against everything seen, counts are added in the order of the table, and both happen in the caller's
transaction: a crash never counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nixie.store import addresses
from nixie.store.knowledge import Taught
from nixie.store.knowledge_counts import DAY_MICROSECONDS, SENT, add_rows, past_changed, state
from nixie.store.knowledge_seen import in_runs, in_tail, remember

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from numpy.typing import NDArray

_KINDS = 16
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in columns of one length: key, instant in microseconds, kind, and places in `keys` of ours and other.

    `keys` are `Address.key` values; place 0 is always `""`, nobody.
    """

    keys: Sequence[str] = field(repr=False)
    key: NDArray[np.int64] = field(repr=False)
    at: NDArray[np.int64] = field(repr=False)
    kind: NDArray[np.int64] = field(repr=False)
    ours: NDArray[np.int64] = field(repr=False)
    other: NDArray[np.int64] = field(repr=False)


class Numbers:
    """Address and domain numbers by place in a reader's growing list of keys, remembered from batch to batch.

    Forget it (`clear`) whenever a transaction was rolled back: numbers made in it never existed.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all numbers."""
        self._address = np.zeros(1, dtype=np.int64)
        self._domain = np.zeros(1, dtype=np.int64)

    def of(
        self, db: sqlite3.Connection, keys: Sequence[str], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
        """Return address and domain numbers of all places (0 where unasked), and the domains that are new."""
        if len(keys) > len(self._address):
            grown = np.zeros(max(len(keys), 2 * len(self._address)), dtype=np.int64)
            grown[: len(self._address)] = self._address
            self._address = grown
            grown = np.zeros(len(self._address), dtype=np.int64)
            grown[: len(self._domain)] = self._domain
            self._domain = grown
        asked = places[(self._address[places] == 0) & (places > 0)].tolist()
        new: tuple[str, ...] = ()
        if asked:
            numbers, new = addresses.intern_keys(db, list(dict.fromkeys(keys[p] for p in asked)))
            for place in asked:
                self._address[place], self._domain[place] = numbers[keys[place]]
        return self._address, self._domain, new


def learn_batch(db: sqlite3.Connection, batch: Batch, numbers: Numbers | None = None) -> Taught:
    """Count the events of a batch that are not known yet; inside the caller's transaction."""
    if not len(batch.key):
        return Taught()
    _, first = np.unique(batch.key, return_index=True)
    first.sort()
    key, at = batch.key[first], batch.at[first]
    day = at // DAY_MICROSECONDS
    floor = state(db, "floor")
    known = in_runs(db, key, day) if day.min() - 1 < floor else np.zeros(len(key), dtype=bool)
    (oldest,) = db.execute("SELECT MIN(at) FROM tail").fetchone()
    if oldest is not None and (maybe := np.flatnonzero(day + 1 >= oldest // DAY_MICROSECONDS)).size:
        hits = in_tail(db, key[maybe].tolist())
        if hits:
            known[maybe] |= np.isin(key[maybe], np.fromiter(hits, dtype=np.int64))
    chosen = first[~known]
    duplicates = len(batch.key) - len(chosen)
    if not len(chosen):
        return Taught(0, duplicates)
    key, at, day = key[~known], at[~known], day[~known]
    kind, ours, other = batch.kind[chosen], batch.ours[chosen], batch.other[chosen]
    places = np.unique(np.concatenate((ours, other)))
    address, domain, new = (numbers or Numbers()).of(db, batch.keys, places)
    recent = day >= floor
    if not recent.all():
        remember(db, key[~recent], day[~recent])
    if not floor or not recent.all():
        past_changed(db)
    if recent.any():
        columns = (key, at, kind, address[ours], address[other])
        order = np.argsort(key)
        rows = zip(*(c[order][recent[order]].tolist() for c in columns), strict=True)
        db.executemany("INSERT INTO tail VALUES (?, ?, ?, ?, ?)", rows)
    mine = ours > 0
    sent = mine & (kind == SENT)
    nobody = np.zeros(len(key), dtype=np.int64)
    by_address = _aggregate(
        np.concatenate((nobody, address[ours][mine])),
        np.concatenate((address[other], address[other][mine])),
        np.concatenate((kind, kind[mine])),
        np.concatenate((day, day[mine])),
    )
    by_domain = _aggregate(
        np.concatenate((nobody, address[ours][mine], address[ours][sent])),
        np.concatenate((domain[other], domain[other][mine], nobody[sent])),
        np.concatenate((kind, kind[mine], kind[sent])),
        np.concatenate((day, day[mine], day[sent])),
    )
    add_rows(db, by_address, by_domain)
    return Taught(len(key), duplicates, new)


def _aggregate(
    scope: NDArray[np.int64], target: NDArray[np.int64], kind: NDArray[np.int64], day: NDArray[np.int64]
) -> list[tuple[int, int, int, int, int]]:
    """Return (scope, target, kind, day, n) in the order of the table, each key once."""
    low, span, targets = int(day.min()), int(day.max() - day.min()) + 1, int(target.max()) + 1
    width = _KINDS * span
    if (int(scope.max()) + 1) * targets * width < 2**62:
        packed, n = np.unique((scope * targets + target) * width + kind * span + (day - low), return_counts=True)
        rest, place = np.divmod(packed, width)
        columns = (*np.divmod(rest, targets), place // span, place % span + low, n)
    else:
        rows, n = np.unique(np.stack((scope, target, kind, day), axis=1), axis=0, return_counts=True)
        columns = (rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], n)
    return list(zip(*(c.tolist() for c in columns), strict=True))
