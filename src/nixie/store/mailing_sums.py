"""What the rows of mails add up to: of an author and an address, and of an author; and by what he finds the address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from nixie.store.asking import Several
from nixie.store.mailing_names import learn_tokens, spelling_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from nixie.store.mailing_names import Shown

NO_CIRCLE = 0
"""Instead of a recipient's number: the author's mail that has no circle."""

SPAN = 1 << 32
"""Numbers of addresses are smaller (`mailing.members` keeps 32 bits of each), so two of them make one key."""

ORGANISATION = 0

_CONTACTS = Several(
    "SELECT address, mails, last_at, spelling, spelled_at FROM contact WHERE address IN ({}) AND scope = ?"
)
_NOTHING = (0, 0)
_LAST = "SELECT at FROM mailing_to WHERE address = ? AND scope = ? ORDER BY at DESC LIMIT 1"

CONTACTS_OF_PAIRS = (
    "SELECT j.value, c.mails, c.last_at, c.spelling, c.spelled_at FROM json_each(?) j"
    " CROSS JOIN contact c ON c.scope = j.value >> 32 AND c.address = j.value & 4294967295"
)
COUNT_AUTHOR = (
    "INSERT INTO author VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET mails = mails + excluded.mails,"
    " contacts = contacts + excluded.contacts, last_at = MAX(last_at, excluded.last_at)"
)
_SHAKEN = (
    "UPDATE author SET last_at = MAX(COALESCE((SELECT MAX(last_at) FROM contact WHERE scope = ?), 0),"
    " COALESCE((SELECT MAX(at) FROM mailing_to WHERE scope = ? AND address = ?), 0)) WHERE id = ?"
)

Pair = tuple[int, int]
"""Address and scope, as in the key of `mailing_to`."""


class _Contact(NamedTuple):
    """What an author's rows of one address add up to, and of which spelling the tokens are known to stand."""

    mails: int = 0
    last_at: int = 0
    spelling: int = 0
    spelled_at: int = 0


class Sums(NamedTuple):
    """What changes add up to: by how many mails more, and the moment of the last of them, of each pair and of each author."""

    pairs: dict[Pair, tuple[int, int]]
    moved: set[Pair]
    """Pairs whose last mail may be another by now."""
    authors: dict[int, tuple[int, int]]
    shaken: set[int]
    """Authors whose last mail may be another by now."""

    def add(self, pair: Pair, mails: int, at: int) -> None:
        """Note that a pair has so many mails more (or less), the last of them at a moment."""
        more, last = self.pairs.get(pair, _NOTHING)
        self.pairs[pair] = more + mails, max(last, at)

    def wrote(self, author: int, mails: int, at: int) -> None:
        """Note that an author wrote so many mails more (or less), the last of them at a moment."""
        more, last = self.authors.get(author, _NOTHING)
        self.authors[author] = more + mails, max(last, at)


def add_up(db: sqlite3.Connection, sums: Sums, spelled: Mapping[Pair, Sequence[Shown]]) -> None:
    """Bring up to date what an author's rows of each address add up to, and his tokens for them; then what all his mail does."""
    pairs = sorted(
        {(scope, number) for number, scope in (*sums.pairs, *sums.moved, *spelled) if scope > ORGANISATION and number}
    )
    before = _contacts(db, pairs)
    put: list[tuple[int, ...]] = []
    gone: list[Pair] = []
    shown: list[tuple[int, Shown]] = []
    met: dict[int, int] = {}
    for scope, number in pairs:
        pair = number, scope
        old = before.get((scope, number))
        more, last = sums.pairs.get(pair, _NOTHING)
        mails, last_at, spelling, spelled_at = old or _Contact()
        mails += more
        last_at = _last(db, pair) if pair in sums.moved else max(last_at, last)
        for one in spelled.get(pair, ()):
            if spelling != (asked := spelling_of(one)) or one.at < spelled_at:
                spelling, spelled_at = asked, one.at
                shown.append((scope, one))
        if mails > 0:
            if (now := _Contact(mails, last_at, spelling, spelled_at)) != old:
                put.append((scope, number, *now))
                if old is None:
                    met[scope] = met.get(scope, 0) + 1
        elif old is not None:
            gone.append((scope, number))
            met[scope] = met.get(scope, 0) - 1
    if put:
        db.executemany("INSERT OR REPLACE INTO contact VALUES (?, ?, ?, ?, ?, ?)", put)
    if gone:
        db.executemany("DELETE FROM contact WHERE scope = ? AND address = ?", gone)
    if shown:
        learn_tokens(db, shown)
    if grown := sorted({*sums.authors, *met}):
        told = ((author, met.get(author, 0), sums.authors.get(author, _NOTHING)) for author in grown)
        db.executemany(COUNT_AUTHOR, [(author, mails, contacts, last) for author, contacts, (mails, last) in told])
    for author in sums.shaken:
        db.execute(_SHAKEN, (author, author, NO_CIRCLE, author))
        db.execute("DELETE FROM author WHERE id = ? AND mails = 0", (author,))


def _contacts(db: sqlite3.Connection, pairs: Sequence[Pair]) -> dict[Pair, _Contact]:
    """Return what is known of contacts by author and address."""
    scopes = {scope for scope, _ in pairs}
    if len(scopes) == 1:
        (scope,) = scopes
        rows = _CONTACTS.rows(db, [number for _, number in pairs], scope)
        return {(scope, number): _Contact(*row) for number, *row in rows}
    keys = json.dumps([scope * SPAN + number for scope, number in pairs])
    return {divmod(key, SPAN): _Contact(*row) for key, *row in db.execute(CONTACTS_OF_PAIRS, (keys,))}


def _last(db: sqlite3.Connection, pair: Pair) -> int:
    row = db.execute(_LAST, pair).fetchone()
    return int(row[0]) if row else 0
