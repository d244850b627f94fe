"""Replies: mail to us that refers to mail of ours, found whichever of the two is learned first.

An answer waits here with the keys of the copies it may answer. `settle_answers` looks for them among what is known,
sixty days back at most, so the search is bounded; the night's fold and the end of each `nixie learn` call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.events import EventKind
from nixie.store.db import writing
from nixie.store.knowledge_counts import DAY_MICROSECONDS, Count, add, past_changed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from nixie.core.events import Answer

REPLY_DAYS = 60
"""A reply is looked for among the copies of as many days before it."""
REPLIED = int(EventKind.REPLIED)
SLICE = 5_000


def answered_in_tail(db: sqlite3.Connection, keys: Iterable[int]) -> bool:
    """Return whether one of the keys was counted in the last days."""
    return any(db.execute("SELECT 1 FROM tail WHERE key = ?", (k,)).fetchone() for k in keys)


def keep_answer(db: sqlite3.Connection, answer: Answer, at: int, numbers: dict[str, tuple[int, int]]) -> None:
    """Keep an answer, dated in microseconds, until the mail it answers is known; inside the caller's transaction."""
    event = answer.event
    ours = numbers[event.ours.key][0] if event.ours.key else 0
    other = numbers[event.other.key][0]
    db.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?)", (event.key, at, ours, other))
    db.executemany("INSERT OR IGNORE INTO answer_to VALUES (?, ?)", [(k, event.key) for k in answer.to])


def settle_answers(db: sqlite3.Connection) -> int:
    """Turn waiting answers whose mail is known into `REPLIED` events, in short transactions of its own; return how many.

    The search reads outside any transaction: what it misses because it was just being written is found next time.
    """
    if db.execute("SELECT 1 FROM answer LIMIT 1").fetchone() is None:
        return 0
    settled = [
        key for (key,) in db.execute("SELECT DISTINCT w.answer FROM answer_to w CROSS JOIN tail t ON t.key = w.sent")
    ]
    settled += _in_the_past(db)
    settled = list(dict.fromkeys(settled))
    counted = 0
    for start in range(0, len(settled), SLICE):
        with writing(db):
            counted += _settle(db, settled[start : start + SLICE])
    return counted


def _in_the_past(db: sqlite3.Connection) -> list[int]:
    """Return the waiting answers of which a copy stands in the runs of the sixty days before them."""
    import numpy as np  # noqa: PLC0415 - only jobs come here

    from nixie.store.knowledge_seen import runs  # noqa: PLC0415

    waiting = np.array(
        db.execute(
            f"SELECT w.sent, w.answer, a.at / {DAY_MICROSECONDS} FROM answer_to w JOIN answer a ON a.key = w.answer"
        ).fetchall(),
        dtype=np.int64,
    ).reshape(-1, 3)
    found: list[int] = []
    for (day,) in db.execute("SELECT DISTINCT day FROM seen ORDER BY day").fetchall():
        asked = waiting[(waiting[:, 2] >= day - 1) & (waiting[:, 2] <= day + REPLY_DAYS)]
        for run in runs(db, day) if len(asked) else ():
            found += asked[np.isin(asked[:, 0], run), 1].tolist()
    return found


def _settle(db: sqlite3.Connection, keys: list[int]) -> int:
    import numpy as np  # noqa: PLC0415

    from nixie.store.knowledge_seen import in_runs, in_tail, remember  # noqa: PLC0415

    rows = [
        row
        for key in keys
        for row in db.execute(
            "SELECT w.key, w.at, w.ours, w.other, a.domain FROM answer w JOIN address a ON a.id = w.other"
            " WHERE w.key = ?",
            (key,),
        ).fetchall()
    ]
    db.executemany("DELETE FROM answer WHERE key = ?", [(k,) for k in keys])
    db.executemany("DELETE FROM answer_to WHERE answer = ?", [(k,) for k in keys])
    if not rows:
        return 0
    days = [row[1] // DAY_MICROSECONDS for row in rows]
    in_past = in_runs(db, np.array([r[0] for r in rows]), np.array(days)).tolist()
    recent = in_tail(db, [r[0] for r in rows])
    new = [(row, day) for row, day, old in zip(rows, days, in_past, strict=True) if not old and row[0] not in recent]
    (floor,) = db.execute("SELECT value FROM knowledge_state WHERE name = 'floor'").fetchone()
    if past := [(row[0], day) for row, day in new if day < floor]:
        remember(db, np.array([k for k, _ in past]), np.array([d for _, d in past]))
        past_changed(db)
    db.executemany(f"INSERT INTO tail VALUES (?, ?, {REPLIED}, ?, ?)", [row[:4] for row, day in new if day >= floor])
    add(db, [Count(row[2], row[3], row[4], REPLIED, day, 1) for row, day in new])
    return len(new)
