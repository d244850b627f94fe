"""How often a message was answered "try again later", so that a copy that fails on every try does not loop for days."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def count_retry(db: sqlite3.Connection, message: bytes, at: int) -> int:
    """Count one temporary answer to the message (its 16-byte key) and return how many it had, this one included."""
    row = db.execute(
        "INSERT INTO retry (message, count, last_at) VALUES (?1, 1, ?2)"
        " ON CONFLICT (message) DO UPDATE SET count = count + 1, last_at = ?2 RETURNING count",
        (message, at),
    ).fetchone()
    return int(row[0])


def retries(db: sqlite3.Connection, message: bytes) -> int:
    """Return how many temporary answers the message had."""
    row = db.execute("SELECT count FROM retry WHERE message = ?", (message,)).fetchone()
    return int(row[0]) if row else 0


def forget_retries(db: sqlite3.Connection, last_before: int) -> int:
    """Forget messages whose last temporary answer is older; return how many."""
    return db.execute("DELETE FROM retry WHERE last_at < ?", (last_before,)).rowcount
