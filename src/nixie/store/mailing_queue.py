"""Mails that wait to be learned: one short row each in the transaction of their decision, and all the work later.

Learning a mail touches a dozen pages in as many places, which a mail server need not wait for. A row is removed in the
transaction that learns it, so a mail is learned once wherever a process dies; and learning one twice would do no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nixie.core.mailing import keys_of
from nixie.core.mailing_line import LineError, mailing_of
from nixie.store import addresses
from nixie.store.mailings import learn_mailings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


class Folded(NamedTuple):
    """What was taken from the queue: `rows` in all, `spoiled` ones that are no mailings, and domains that nobody had met."""

    rows: int = 0
    spoiled: int = 0
    new_domains: tuple[str, ...] = ()


def put(db: sqlite3.Connection, lines: Iterable[str]) -> None:
    """Let mails wait, as lines (`core.mailing_line.line_of`), inside the caller's transaction."""
    db.executemany("INSERT INTO mailing_queue (line) VALUES (?)", [(line,) for line in lines])


def fold(db: sqlite3.Connection, most: int) -> Folded:
    """Learn the oldest mails that wait, at most so many, inside the caller's transaction."""
    rows = db.execute("SELECT id, line FROM mailing_queue ORDER BY id LIMIT ?", (most,)).fetchall()
    if not rows:
        return Folded()
    mailings = []
    for _, line in rows:
        try:
            mailings.append(mailing_of(line))
        except LineError:
            continue
    known, new_domains = addresses.intern_keys(db, list(dict.fromkeys(key for m in mailings for key in keys_of(m))))
    learn_mailings(db, mailings, known)
    db.execute("DELETE FROM mailing_queue WHERE id <= ?", (rows[-1][0],))
    return Folded(len(rows), len(rows) - len(mailings), tuple(new_domains))


def drop_oldest(db: sqlite3.Connection) -> None:
    """Give up the mail that waits longest, inside the caller's transaction."""
    db.execute("DELETE FROM mailing_queue WHERE id = (SELECT MIN(id) FROM mailing_queue)")


def waiting(db: sqlite3.Connection) -> int:
    """Return how many mails wait."""
    (count,) = db.execute("SELECT COUNT(*) FROM mailing_queue").fetchone()
    return int(count)
