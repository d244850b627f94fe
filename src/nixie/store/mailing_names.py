"""How people are called, and by what they are found: display names by address, and hashed tokens by author.

A name and a token keep the earliest instant at which a mail showed them, so that a question about the past does not see what came
later, and so that the order of learning makes no difference. An author's tokens are those of his own mails: what strangers call
somebody does not bring them before him, but for whole names, which stand under scope 0.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from nixie.core.person import local_tokens, tokens
from nixie.store.asking import Several
from nixie.store.db import writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from nixie.core.address import Address

MOST_NAMES = 8
"""Display names kept of one address, those first seen: an address that everybody names anew stays small."""

ORGANISATION = 0
WHOLE_NAME = "n:"
SLICE = 5_000
HASH_SLICES = 64

_NAMES = Several("SELECT address, name, first_at FROM name WHERE address IN ({})")
PUT_HASH = (
    "INSERT INTO token VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET first_at = excluded.first_at WHERE excluded.first_at < first_at"
)


class Shown(NamedTuple):
    """A mail at `at` (microseconds) showed this address (and its number) under a display name, `""` for none."""

    number: int
    address: Address
    name: str
    at: int


@lru_cache(maxsize=8192)
def token_hash(token: str) -> int:
    """Return the 63-bit number under which a token (`core.person.tokens`) is stored."""
    return int.from_bytes(blake2b(token.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=8192)
def hashes_of(address: Address, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the hashes by which somebody is found, and those of whole names among them."""
    found = tokens(address, (name,) if name else ())
    return tuple(map(token_hash, found)), tuple(token_hash(t) for t in found if t.startswith(WHOLE_NAME))


@lru_cache(maxsize=8192)
def local_hashes(local: str) -> tuple[int, ...]:
    """Return the hashes by which somebody is found whom no mail has named, from the local part."""
    return tuple(map(token_hash, local_tokens(local)))


def spelling_of(shown: Shown) -> int:
    """Return a number for a spelling of a name."""
    return token_hash(f"={shown.name}")


def learn_tokens(db: sqlite3.Connection, shown: Iterable[tuple[int, Shown]]) -> None:
    """Note by what authors, the first of each pair, find people, as their mails showed them."""
    rows = {(scope, h, one.number, one.at) for scope, one in shown for h in hashes_of(one.address, one.name)[0]}
    db.executemany(PUT_HASH, sorted(rows))


def learn_names(db: sqlite3.Connection, shown: Sequence[Shown]) -> None:
    """Note display names, of each address those first seen; and under scope 0 the whole names among them."""
    if not shown:
        return
    known: dict[int, dict[str, int]] = {}
    for number, name, first_at in _NAMES.rows(db, list({one.number for one in shown})):
        known.setdefault(number, {})[name] = first_at
    put: list[tuple[int, int, int, int]] = []
    for number, address, name, at in sorted(shown, key=_by_moment):
        names = known.setdefault(number, {})
        if name in names and names[name] <= at:
            continue
        if name not in names and len(names) >= MOST_NAMES:
            first_at, last = max((moment, other) for other, moment in names.items())
            if (first_at, last) < (at, name):
                continue
            del names[last]
            db.execute("DELETE FROM name WHERE address = ? AND name = ?", (number, last))
            kept = {h for other in (*names, name) for h in hashes_of(address, other)[1]}
            gone = [h for h in hashes_of(address, last)[1] if h not in kept]
            put = [row for row in put if row[1] not in gone or row[2] != number]
            db.executemany(
                "DELETE FROM token WHERE scope = 0 AND hash = ? AND address = ?", [(h, number) for h in gone]
            )
        names[name] = at
        db.execute("INSERT OR REPLACE INTO name VALUES (?, ?, ?)", (number, name, at))
        put += [(ORGANISATION, h, number, at) for h in hashes_of(address, name)[1]]
    if put:
        db.executemany(PUT_HASH, sorted(put))


def _by_moment(shown: Shown) -> tuple[int, int, str]:
    return shown.number, shown.at, shown.name


def clean(name: str) -> str:
    """Return a display name as it is kept (`Shown.name`): what no text can hold is replaced."""
    text = " ".join(name.split())
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def forget_names(db: sqlite3.Connection, before: int) -> None:
    """Forget what names and tokens no mail stands behind any more, in short transactions of its own (retention)."""
    names = db.execute(
        "SELECT address, name FROM name n WHERE first_at > 0 AND first_at < ?"  # 0: a directory's
        " AND NOT EXISTS (SELECT 1 FROM mailing_to t WHERE t.address = n.address AND t.scope = 0)"
        " AND address NOT IN (SELECT sender FROM mailing)",
        (before,),
    ).fetchall()
    for start in range(0, len(names), SLICE):
        with writing(db):
            db.executemany("DELETE FROM name WHERE address = ? AND name = ?", names[start : start + SLICE])
    for (scope,) in db.execute("SELECT DISTINCT scope FROM token WHERE scope > 0").fetchall():
        with writing(db):
            db.execute(
                "DELETE FROM token WHERE scope = ? AND NOT EXISTS"
                " (SELECT 1 FROM contact c WHERE c.scope = token.scope AND c.address = token.address)",
                (scope,),
            )
    step = (1 << 63) // HASH_SLICES
    for start in range(0, 1 << 63, step):
        with writing(db):
            db.execute(
                "DELETE FROM token WHERE scope = 0 AND hash BETWEEN ? AND ?"
                " AND NOT EXISTS (SELECT 1 FROM name n WHERE n.address = token.address)",
                (start, start + step - 1),
            )


def erase_names(db: sqlite3.Connection, number: int) -> None:
    """Erase how an address was called and what it is found by; inside the caller's transaction. Reads all tokens once."""
    db.execute("DELETE FROM name WHERE address = ?", (number,))
    db.execute("DELETE FROM token WHERE address = ? OR scope = ?", (number, number))
