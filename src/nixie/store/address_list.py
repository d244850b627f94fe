"""All addresses by number, for the near index of them. Numbers only grow, so what is above one is what came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.events import EventKind
from nixie.store.addresses import key_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_WEIGHED = (
    "SELECT a.key, (SELECT COALESCE(SUM(d.n), 0) FROM address_day d"
    f" WHERE d.scope = 0 AND d.address = a.id AND d.kind = {int(EventKind.SENT)})"
    " FROM address a WHERE a.id <= ? AND a.key IS NOT NULL ORDER BY a.id"
)


def last_number(db: sqlite3.Connection) -> int:
    """Return the highest number that an address has, 0 where there is none."""
    (number,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM address").fetchone()
    return int(number)


def addresses_after(db: sqlite3.Connection, number: int, limit: int = -1) -> tuple[list[str], int]:
    """Return at most `limit` keys of the addresses above a number, erased ones left out, and the last number among them."""
    rows = db.execute("SELECT id, key FROM address WHERE id > ? ORDER BY id LIMIT ?", (number, limit)).fetchall()
    return [key_of(text) for _, text in rows if text is not None], rows[-1][0] if rows else number


def weighed_addresses(db: sqlite3.Connection, upto: int) -> Iterator[tuple[str, int]]:
    """Yield the key of each address up to a number, and how often the organisation wrote to it; erased ones are left out."""
    return ((key_of(text), sent) for text, sent in db.execute(_WEIGHED, (upto,)))


def erased_addresses(db: sqlite3.Connection) -> int:
    """Return how many addresses were erased."""
    (count,) = db.execute("SELECT COUNT(*) FROM address WHERE key IS NULL").fetchone()
    return int(count)
