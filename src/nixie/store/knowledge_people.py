"""People and partners from tables and directories: who exists, whether or not anybody ever wrote to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.store import addresses
from nixie.store.mailing_names import Shown, clean, learn_names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from nixie.core.address import Address


ALWAYS = 0
"""The instant (microseconds since 1970) from which a directory's names are known: as if they had been from the first day."""


def add_people(db: sqlite3.Connection, people: Iterable[tuple[Address, str, str]]) -> tuple[str, ...]:
    """Add (address, name, unit), the last word wins; inside the caller's transaction. Return the new domains.

    A name is known as if mail had shown it from the first day on; one that it replaces stays known, as people keep being called so.
    """
    rows = {a.key: (a, name, unit) for a, name, unit in people if a.key}
    numbers, new = addresses.intern_keys(db, list(rows))
    db.executemany(
        "INSERT OR REPLACE INTO person VALUES (?, ?, ?)",
        [(numbers[key][0], name, unit) for key, (_, name, unit) in rows.items()],
    )
    name_people(db, ((numbers[key][0], address, name) for key, (address, name, _) in rows.items()))
    return new


def name_people(db: sqlite3.Connection, named: Iterable[tuple[int, Address, str]]) -> None:
    """Let people be found by the names that a directory gives them; inside the caller's transaction.

    `named` are (number, address, name). They become display names of the address and tokens of whole names for everybody.
    """
    shown = [Shown(number, address, clean(name), ALWAYS) for number, address, name in named]
    learn_names(db, [one for one in shown if one.name])


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
