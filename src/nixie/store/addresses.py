"""Numbers for addresses and domains: each stands in the database once, and everything else refers to its number.

Addresses are compared by `Address.key` alone. A key may hold bytes that no encoding explains (surrogates) or control
characters; SQLite text cannot, so such keys are stored escaped.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from nixie.core.address import Address

CHUNK = 8_000
_ESCAPED = re.compile(r"\\u([0-9a-f]{6})")


def stored(key: str) -> str:
    """Return the text under which a key is stored: itself, or with unprintable characters and backslashes escaped.

    Different keys never meet in one text.
    """
    if "\\" not in key and key.isprintable():
        return key
    return "".join(c if c.isprintable() and c != "\\" else f"\\u{ord(c):06x}" for c in key)


def key_of(text: str) -> str:
    """Return the key that is stored under a text (`stored`)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\" in text else text


def domain_of(key: str) -> str:
    """Return the domain of an `Address.key`."""
    return key.rpartition("@")[2]


def intern(db: sqlite3.Connection, addresses: Iterable[Address]) -> dict[str, int]:
    """Return the number of each address by its key, making rows for new ones; inside the caller's transaction."""
    keys = list(dict.fromkeys(a.key for a in addresses if a.key))
    numbers, _ = intern_keys(db, keys)
    return {key: number for key, (number, _) in numbers.items()}


def find(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return (address number, domain number) by key, for those of the keys that are known."""
    names = {stored(k): k for k in keys}
    found: dict[str, tuple[int, int]] = {}
    if len(names) <= 2:  # the question of nearly every message: no JSON, no virtual table
        rows = [
            row
            for name in names
            for row in db.execute("SELECT key, id, domain FROM address WHERE key = ?", (name,)).fetchall()
        ]
        return {names[key]: (number, domain) for key, number, domain in rows}
    wanted = list(names)
    for start in range(0, len(wanted), CHUNK):
        rows = db.execute(
            "SELECT a.key, a.id, a.domain FROM json_each(?) j CROSS JOIN address a ON a.key = j.value",
            (json.dumps(wanted[start : start + CHUNK]),),
        ).fetchall()
        for key, number, domain in rows:
            found[names[key]] = (number, domain)
    return found


def find_domains(db: sqlite3.Connection, domains: Sequence[str]) -> dict[str, int]:
    """Return the number of each known domain by its A-label."""
    names = {stored(d): d for d in domains}
    if len(names) <= 2:
        rows = [
            row
            for name in names
            for row in db.execute("SELECT name, id FROM domain WHERE name = ?", (name,)).fetchall()
        ]
    else:
        rows = db.execute(
            "SELECT d.name, d.id FROM json_each(?) j CROSS JOIN domain d ON d.name = j.value",
            (json.dumps(list(names)),),
        ).fetchall()
    return {names[name]: number for name, number in rows}


def intern_keys(db: sqlite3.Connection, keys: Sequence[str]) -> tuple[dict[str, tuple[int, int]], tuple[str, ...]]:
    """Return (address number, domain number) by key, and the domains that are new; inside the caller's transaction.

    `keys` are non-empty `Address.key` values.
    """
    found = find(db, keys)
    missing = [k for k in keys if k not in found]
    if not missing:
        return found, ()
    domains, new = intern_domains(db, [domain_of(k) for k in missing])
    (top,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM address").fetchone()
    made = {key: (number, domains[domain_of(key)]) for number, key in enumerate(missing, top + 1)}
    db.executemany(
        "INSERT INTO address VALUES (?, ?, ?)", [(n, domain, stored(key)) for key, (n, domain) in made.items()]
    )
    return found | made, new


def intern_domains(db: sqlite3.Connection, names: Iterable[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the number of each domain, and those that were not known before; inside the caller's transaction."""
    wanted = list(dict.fromkeys(names))
    found = find_domains(db, wanted)
    new = tuple(d for d in wanted if d not in found)
    if new:
        db.executemany("INSERT OR IGNORE INTO domain (name) VALUES (?)", [(stored(d),) for d in new])
        found.update(find_domains(db, new))
    return found, new


def erase(db: sqlite3.Connection, key: str) -> bool:
    """Erase the text of an address; its number and counts stay, nameless. Return whether it was known."""
    return db.execute("UPDATE address SET key = NULL WHERE key = ?", (stored(key),)).rowcount > 0
