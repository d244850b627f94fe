"""Each event counts once: the keys of all events ever counted, as sorted arrays, a few runs a day.

A row per key would cost a tree search per event and twice the bytes; an array costs eight bytes and is searched for a
whole batch at once. A mail's day may differ between its Date field and a log, so a key is looked for on the day before,
the day itself and the day after. Recent keys stand in `tail` as rows, where a live event finds them in one seek; `fold`
moves them here. numpy is imported where it is used: a live question never needs it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

MERGE_AT = 12
CHUNK = 20_000


def runs(db: sqlite3.Connection, day: int) -> Iterator[NDArray[np.int64]]:
    """Yield the sorted runs of a day."""
    import numpy as np  # noqa: PLC0415 - see the head of this module

    for (blob,) in db.execute("SELECT keys FROM seen WHERE day = ?", (day,)):
        yield np.frombuffer(blob, dtype="<i8")


def in_runs(db: sqlite3.Connection, keys: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each key whether it stands in a run of its day, the day before, or the day after."""
    import numpy as np  # noqa: PLC0415

    found = np.zeros(len(keys), dtype=bool)
    for near in np.unique(np.concatenate((days - 1, days, days + 1))).tolist():
        asked = None
        for run in runs(db, near):
            if asked is None:
                asked = np.flatnonzero((days >= near - 1) & (days <= near + 1))
            place = np.searchsorted(run, keys[asked])
            place[place == len(run)] = 0
            found[asked] |= run[place] == keys[asked]
    return found


def in_tail(db: sqlite3.Connection, keys: Sequence[int]) -> set[int]:
    """Return those of the keys that stand in the tail."""
    found: set[int] = set()
    for start in range(0, len(keys), CHUNK):
        part = json.dumps(keys[start : start + CHUNK])
        found.update(
            k for (k,) in db.execute("SELECT t.key FROM json_each(?) j CROSS JOIN tail t ON t.key = j.value", (part,))
        )
    return found


def remember(db: sqlite3.Connection, keys: NDArray[np.int64], days: NDArray[np.int64]) -> None:
    """Add keys to the runs of their days; inside the caller's transaction. Keys are new and distinct."""
    import numpy as np  # noqa: PLC0415

    order = np.lexsort((keys, days))
    keys, days = keys[order], days[order]
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]]).tolist() if len(days) else []
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        day, run = int(days[start]), keys[start:end]
        (count,) = db.execute("SELECT COUNT(*) FROM seen WHERE day = ?", (day,)).fetchone()
        if count >= MERGE_AT:
            run = np.sort(np.concatenate([*runs(db, day), run]))
            db.execute("DELETE FROM seen WHERE day = ?", (day,))
            count = 0
        db.execute("INSERT INTO seen VALUES (?, ?, ?)", (day, count, run.astype("<i8").tobytes()))
