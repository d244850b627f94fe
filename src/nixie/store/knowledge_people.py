"""People and partners from tables: who exists, whether or not anybody ever wrote to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.store import addresses

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from nixie.core.address import Address


def add_people(db: sqlite3.Connection, people: Iterable[tuple[Address, str, str]]) -> tuple[str, ...]:
    """Add (address, name, unit), the last word wins; inside the caller's transaction. Return the new domains."""
    rows = {a.key: (name, unit) for a, name, unit in people if a.key}
    numbers, new = addresses.intern_keys(db, list(rows))
    db.executemany("INSERT OR REPLACE INTO person VALUES (?, ?, ?)", [(numbers[k][0], *row) for k, row in rows.items()])
    return new


def add_partners(db: sqlite3.Connection, partners: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Add (domain, partner's name), the last word wins; inside the caller's transaction. Return the new domains."""
    rows = dict(partners)
    numbers, new = addresses.intern_domains(db, rows)
    db.executemany("INSERT OR REPLACE INTO partner_domain VALUES (?, ?)", [(numbers[d], n) for d, n in rows.items()])
    return new


def partner_domains(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield (domain, partner's name) of every learned partner."""
    yield from db.execute(
        "SELECT d.name, p.name FROM partner_domain p JOIN domain d ON d.id = p.domain ORDER BY d.name"
    )


def people(db: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Yield (address key, name, unit) of every learned person; erased ones are left out."""
    yield from db.execute(
        "SELECT a.key, p.name, p.unit FROM person p JOIN address a ON a.id = p.address WHERE a.key IS NOT NULL ORDER BY 1"
    )
