"""What an installation has set for itself: thresholds of its budget, accepted scales, and which days had their digest.

Rows are only added, each with the moment from which it holds, so that a decision of the past is judged again as it was.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING

from nixie.core.budget import Thresholds
from nixie.core.scales import UNCHANGED, Scales, scales_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from nixie.core.address import Address

EVERYBODY = 0
"""The number of an author that stands for all."""


def set_thresholds(db: sqlite3.Connection, wanted: Thresholds, at: int) -> int:
    """Let these thresholds hold from `at` (milliseconds since 1970); return how many differ from those in force.

    A sender who is not named has none any more.
    """
    before = thresholds_at(db, at)
    changed: dict[int, float] = {}
    if before.everybody != wanted.everybody:
        changed[EVERYBODY] = wanted.everybody
    for author in {*before.senders, *wanted.senders}:
        value = wanted.senders.get(author, 0.0)
        if before.senders.get(author, 0.0) != value:
            changed[author] = value
    rows = [(author, at, value) for author, value in sorted(changed.items())]
    db.executemany("INSERT INTO threshold (author, since, value) VALUES (?, ?, ?)", rows)
    return len(rows)


def thresholds_at(db: sqlite3.Connection, at: int) -> Thresholds:
    """Return the thresholds in force at a moment in milliseconds."""
    rows = db.execute("SELECT author, value FROM threshold WHERE since <= ? ORDER BY since, id", (at,))
    found = {int(author): float(value) for author, value in rows}
    everybody = found.pop(EVERYBODY, 0.0)
    return Thresholds(everybody, {author: value for author, value in found.items() if value})


def threshold_since(db: sqlite3.Connection) -> int | None:
    """Return since when the threshold for everybody is what it is, in milliseconds; None when none was ever set."""
    row = db.execute("SELECT MAX(since) FROM threshold WHERE author = ?", (EVERYBODY,)).fetchone()
    return row[0] if row else None


def forget_thresholds(db: sqlite3.Connection, before: int) -> None:
    """Forget the thresholds that others had replaced before a moment in milliseconds."""
    db.execute(
        "DELETE FROM threshold WHERE since < ?1 AND EXISTS (SELECT 1 FROM threshold later"
        " WHERE later.author = threshold.author AND later.id > threshold.id AND later.since < ?1)",
        (before,),
    )


def accept_scales(db: sqlite3.Connection, scales: Scales, at: int) -> None:
    """Let these scales hold from `at` (milliseconds since 1970)."""
    text = json.dumps(scales.to_json(), separators=(",", ":"), sort_keys=True)
    db.execute("INSERT INTO scale (since, value) VALUES (?, ?)", (at, text))


def scales_history(db: sqlite3.Connection) -> list[tuple[int, Scales]]:
    """Return all accepted scales with the moment from which each holds, in order."""
    rows = db.execute("SELECT since, value FROM scale ORDER BY since, id")
    return [(since, scales_of(json.loads(value))) for since, value in rows]


def scales_at(history: list[tuple[int, Scales]], at: int) -> Scales:
    """Return the scales of a history that hold at a moment in milliseconds."""
    number = bisect_right(history, at, key=lambda entry: entry[0])
    return history[number - 1][1] if number else UNCHANGED


def digest_day(db: sqlite3.Connection) -> int | None:
    """Return the last day (since 1970) whose digest was written, None when none was."""
    row = db.execute("SELECT MAX(day) FROM digest").fetchone()
    return row[0] if row else None


def digest_done(db: sqlite3.Connection, day: int, at: int, copies: int) -> None:
    """Record that the digest of a day was written, or that there was nothing to tell."""
    db.execute("INSERT OR REPLACE INTO digest VALUES (?, ?, ?)", (day, at, copies))


class StoredTuning:
    """The settings in force, held in memory and read again when a row was added; looked for at most every `seconds`.

    `clock` is a monotonic clock in seconds, such as `time.monotonic`.
    """

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float], seconds: float = 1.0) -> None:
        self._db, self._clock, self._seconds = db, clock, seconds
        self._looked = float("-inf")
        self._seen: tuple[int, int] | None = None
        self._scales: list[tuple[int, Scales]] = []
        self._thresholds: Mapping[str, list[tuple[int, float]]] = {}

    def scales(self, as_of: datetime) -> Scales:
        """Return the factors accepted before the moment."""
        self._refresh()
        return scales_at(self._scales, _millis(as_of)) if self._scales else UNCHANGED

    def asked_from(self, author: Address | None, as_of: datetime) -> float:
        """Return the least probability about which this author is asked, 0.0: any."""
        self._refresh()
        if not self._thresholds:
            return 0.0
        at = _millis(as_of)
        everybody = _at(self._thresholds.get("", []), at)
        return max(everybody, _at(self._thresholds.get(author.key, []), at)) if author is not None else everybody

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._looked < self._seconds:
            return
        self._looked = now
        row = self._db.execute(_NEWEST).fetchone()
        if row == self._seen:
            return
        self._seen = row
        self._scales = scales_history(self._db)
        thresholds: dict[str, list[tuple[int, float]]] = {}
        for key, since, value in self._db.execute(_THRESHOLDS):
            thresholds.setdefault(key, []).append((since, value))
        self._thresholds = thresholds


_NEWEST = "SELECT (SELECT MAX(id) FROM threshold), (SELECT MAX(id) FROM scale)"
_THRESHOLDS = (
    "SELECT CASE WHEN t.author = 0 THEN '' ELSE a.key END, t.since, t.value FROM threshold t"
    " LEFT JOIN address a ON a.id = t.author WHERE t.author = 0 OR a.key IS NOT NULL ORDER BY t.since, t.id"
)


def _at(rows: list[tuple[int, float]], at: int) -> float:
    number = bisect_right(rows, at, key=lambda row: row[0])
    return rows[number - 1][1] if number else 0.0


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
