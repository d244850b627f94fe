"""Many mailings at once: what a log shows of who belongs together, in columns.

A log names neither people nor subjects, so a mail is its moment, its sender and its recipients. Mails that nobody has shown before,
nearly all of a log, are written in bulk and in the order of the tables; the others are united one by one as `store.mailings`
does, and the tables end up the same in either way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nixie.core.address import NULL
from nixie.core.mailing import LARGEST_GROUP
from nixie.store.mailing_names import PUT_HASH, Shown, local_hashes, spelling_of
from nixie.store.mailing_rows import BESIDE, MOST_PAIRS, Mail
from nixie.store.mailing_sums import CONTACTS_OF_PAIRS, COUNT_AUTHOR, NO_CIRCLE, ORGANISATION, SPAN
from nixie.store.mailings import unite

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nixie.store.knowledge_batch import Numbers

    Column = NDArray[np.int64]

REMEMBERED = 50_000
"""Addresses whose hashes are remembered."""

_KNOWN = "SELECT m.key FROM json_each(?) j CROSS JOIN mailing m ON m.key = j.value"
_NO_NAME = spelling_of(Shown(0, NULL, "", 0))


@dataclass(frozen=True, slots=True)
class MailRows:
    """One recipient of one mail a row, in columns of one length: the mailing's key, microseconds, places of sender and recipient in
    `keys`, and who is ours: 1 the sender, 2 the recipient, 3 both. Rows of one mail stand in any order, and may come twice.
    """

    keys: Sequence[str] = field(repr=False)
    mail: Column = field(repr=False)
    at: Column = field(repr=False)
    sender: Column = field(repr=False)
    to: Column = field(repr=False)
    ours: Column = field(repr=False)


def learn_mail_rows(
    db: sqlite3.Connection, rows: MailRows, numbers: Numbers, hashes: dict[int, tuple[int, ...]]
) -> tuple[str, ...]:
    """Learn the mailings of some rows, inside the caller's transaction; return the domains that nobody had met.

    `hashes` remembers by what each place's address is found; the caller keeps it as long as `keys` only grows.
    """
    if not len(rows.mail):
        return ()
    address, _, new_domains = numbers.of(db, rows.keys, np.unique(np.concatenate((rows.sender, rows.to))))
    if len(hashes) > REMEMBERED:
        hashes.clear()
    earliest = np.lexsort((rows.at, rows.mail))
    key, first = np.unique(rows.mail[earliest], return_index=True)
    first = earliest[first]
    # Each recipient of each mail once, in the order of keys and numbers.
    to = address[rows.to]
    order = np.lexsort((to, rows.mail))
    mail, to, place, read = rows.mail[order], to[order], rows.to[order], rows.ours[order] & 2 > 0
    once = np.ones(len(mail), dtype=bool)
    once[1:] = (mail[1:] != mail[:-1]) | (to[1:] != to[:-1])
    mail, to, place, read = mail[once], to[once], place[once], read[once]
    start = np.searchsorted(mail, key)
    size = np.diff(np.append(start, len(mail)))
    mails = _Mails(key, rows.at[first], address[rows.sender[first]], rows.ours[first] & 1 > 0, start, size, to, read)
    fresh = _unite_known(db, mails)
    small = size <= LARGEST_GROUP
    blobs = [blob or None for blob in _blobs(to, start, np.where(small, size, 0))]
    group = np.repeat(np.arange(len(key)), size)
    circle = mails.ours & small
    readers = np.flatnonzero(read & (fresh & small)[group])
    _put_mails(db, mails, fresh, blobs, group[readers], to[readers])
    _put_to(db, mails, fresh, group[(fresh & circle)[group]], to[(fresh & circle)[group]], blobs)
    _put_got(db, mails, group[readers], to[readers])
    reached = circle[group]
    group = group[reached]
    pair = mails.sender[group] * SPAN + to[reached]
    met = _put_contacts(db, pair, mails.at[group], fresh[group], rows.keys, place[reached], hashes)
    _put_authors(db, mails, fresh & mails.ours, met)
    return new_domains


class _Mails(NamedTuple):
    """Mails in columns, in the order of their keys; the recipients of each are `to[start : start + size]`, ascending, and `read` says
    which of them are ours.
    """

    key: Column
    at: Column
    sender: Column
    ours: NDArray[np.bool_]
    start: Column
    size: Column
    to: Column
    read: NDArray[np.bool_]


def _unite_known(db: sqlite3.Connection, mails: _Mails) -> NDArray[np.bool_]:
    """Unite the mails that somebody has shown before with what is known of them; return which are new."""
    known = [key for (key,) in db.execute(_KNOWN, (json.dumps(mails.key.tolist()),))]
    if not known:
        return np.ones(len(mails.key), dtype=bool)
    fresh = ~np.isin(mails.key, np.array(known, dtype=np.int64))
    seen = {}
    for n in np.flatnonzero(~fresh).tolist():
        start, size = int(mails.start[n]), int(mails.size[n])
        here = slice(start, start + size if size <= LARGEST_GROUP else start)
        members = tuple(mails.to[here].tolist()) if size <= LARGEST_GROUP else None
        seen[int(mails.key[n])] = Mail(
            int(mails.at[n]),
            int(mails.sender[n]),
            int(mails.ours[n]),
            members,
            (),
            (),
            tuple(mails.to[here][mails.read[here]].tolist()),
        )
    unite(db, seen)
    return fresh


def _blobs(numbers: Column, start: Column, size: Column) -> list[bytes]:
    """Return some numbers at a time as they lie in a blob."""
    packed = numbers.astype("<u4").tobytes()
    return [packed[4 * s : 4 * (s + n)] for s, n in zip(start.tolist(), size.tolist(), strict=True)]


def _put_mails(
    db: sqlite3.Connection,
    mails: _Mails,
    fresh: NDArray[np.bool_],
    blobs: Sequence[bytes | None],
    group: Column,
    reader: Column,
) -> None:
    """Write `mailing`; of ours who got a mail are `reader`, of mail number `group`."""
    new = np.flatnonzero(fresh)
    begin = np.searchsorted(group, new)
    readers = _blobs(reader, begin, np.searchsorted(group, new, side="right") - begin)
    columns = [c[fresh].tolist() for c in (mails.key, mails.at, mails.sender, mails.ours.astype(np.int64))]
    members = [blobs[n] for n in new.tolist()]
    db.executemany(
        "INSERT INTO mailing VALUES (?, ?, ?, ?, ?, x'', x'', ?, 0)", zip(*columns, members, readers, strict=True)
    )


def _put_to(
    db: sqlite3.Connection,
    mails: _Mails,
    fresh: NDArray[np.bool_],
    group: Column,
    to: Column,
    blobs: Sequence[bytes | None],
) -> None:
    """Write `mailing_to`: two rows for each recipient `to` of mail number `group`, one for mail without a circle, in the table's order."""
    own = np.flatnonzero(fresh & mails.ours & (mails.size > LARGEST_GROUP))
    which = np.concatenate((own, group, group))
    scope = np.concatenate((mails.sender[own], mails.sender[group], np.full(len(group), ORGANISATION)))
    target = np.concatenate((np.full(len(own), NO_CIRCLE), to, to))
    beside = np.zeros(len(which), dtype=bool)
    beside[len(own) : len(own) + len(group)] = mails.size[group] <= BESIDE
    order = np.lexsort((mails.key[which], mails.at[which], scope, target))
    which, few = which[order], beside[order].tolist()
    columns = (target[order], scope[order], mails.at[which], mails.key[which])
    members = [blobs[n] if b else None for n, b in zip(which.tolist(), few, strict=True)]
    words = [b"" if b else None for b in few]
    db.executemany(
        "INSERT INTO mailing_to VALUES (?, ?, ?, ?, ?, ?)",
        zip(*(c.tolist() for c in columns), members, words, strict=True),
    )


def _put_got(db: sqlite3.Connection, mails: _Mails, group: Column, reader: Column) -> None:
    """Write with whom our readers got mail: `reader` got mail number `group`."""
    if not len(group):
        return
    got, times = np.unique(group, return_counts=True)
    size = mails.size[got]
    # The sender of each such mail, then its recipients.
    begin = np.cumsum(size + 1) - (size + 1)
    people = np.empty(int((size + 1).sum()), dtype=np.int64)
    people[begin] = mails.sender[got]
    place = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    people[np.repeat(begin + 1, size) + place] = mails.to[np.repeat(mails.start[got], size) + place]
    few = [
        blob if n <= BESIDE else None for blob, n in zip(_blobs(people, begin, size + 1), size.tolist(), strict=True)
    ]
    which = np.searchsorted(got, group)
    shown = np.where(times * size <= MOST_PAIRS, size + 1, 1)[which]
    row = np.repeat(np.arange(len(group)), shown)
    place = np.arange(len(row)) - np.repeat(np.cumsum(shown) - shown, shown)
    target, scope = people[begin[which][row] + place], -reader[row]
    other = (target != -scope) & (mails.sender[group[row]] != -scope)
    row, target, scope = row[other], target[other], scope[other]
    mail = group[row]
    order = np.lexsort((mails.key[mail], mails.at[mail], scope, target))
    mail = mail[order]
    columns = (target[order], scope[order], mails.at[mail], mails.key[mail])
    members = [few[n] for n in which[row][order].tolist()]
    db.executemany(
        "INSERT INTO mailing_to VALUES (?, ?, ?, ?, ?, NULL)", zip(*(c.tolist() for c in columns), members, strict=True)
    )


def _put_contacts(
    db: sqlite3.Connection,
    pair: Column,
    at: Column,
    fresh: NDArray[np.bool_],
    keys: Sequence[str],
    place: Column,
    hashes: dict[int, tuple[int, ...]],
) -> dict[int, int]:
    """Bring contacts and their tokens up to date; return how many new ones each author has.

    `pair` is author and recipient in one number, once for each copy; `fresh` says which copies are not counted yet.
    """
    if not len(pair):
        return {}
    order = np.lexsort((at, pair))
    pairs, begin = np.unique(pair[order], return_index=True)
    at, fresh = at[order], fresh[order]
    more = np.add.reduceat(fresh.astype(np.int64), begin)
    last = np.maximum.reduceat(np.where(fresh, at, 0), begin)
    first, place = at[begin], place[order][begin]
    known, (mails, last_at, spelling, spelled_at) = _contacts(db, pairs)
    named = (spelling != _NO_NAME) | (first < spelled_at)
    if named.any():
        scope, other = pairs[named] // SPAN, pairs[named] % SPAN
        by = [_hashes(keys, where, hashes) for where in place[named].tolist()]
        _put_tokens(db, scope, other, first[named], by)
    kept = (more > 0) | (known & named)  # neither: the mail has too many recipients by now
    columns = (
        pairs[kept] // SPAN,
        pairs[kept] % SPAN,
        (mails + more)[kept],
        np.maximum(last_at, last)[kept],
        np.full(int(kept.sum()), _NO_NAME),
        np.where(named, first, spelled_at)[kept],
    )
    db.executemany(
        "INSERT OR REPLACE INTO contact VALUES (?, ?, ?, ?, ?, ?)", zip(*(c.tolist() for c in columns), strict=True)
    )
    authors, met = np.unique(pairs[~known & (more > 0)] // SPAN, return_counts=True)
    return dict(zip(authors.tolist(), met.tolist(), strict=True))


def _contacts(db: sqlite3.Connection, pairs: Column) -> tuple[NDArray[np.bool_], Column]:
    """Return which pairs are contacts already, and the other columns of `contact` for each, 0 where it is none."""
    known = np.zeros(len(pairs), dtype=bool)
    columns = np.zeros((4, len(pairs)), dtype=np.int64)
    if rows := db.execute(CONTACTS_OF_PAIRS, (json.dumps(pairs.tolist()),)).fetchall():
        found = np.array(rows, dtype=np.int64).T
        at = np.searchsorted(pairs, found[0])
        known[at] = True
        columns[:, at] = found[1:]
    return known, columns


def _hashes(keys: Sequence[str], place: int, hashes: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    by = hashes.get(place)
    if by is None:
        by = hashes[place] = local_hashes(keys[place].rpartition("@")[0])
    return by


def _put_tokens(
    db: sqlite3.Connection, scope: Column, other: Column, first: Column, found: Sequence[tuple[int, ...]]
) -> None:
    """Note by what authors find people: `found` are the hashes of each, `first` the moment that showed them."""
    each = np.repeat(np.arange(len(found)), np.fromiter(map(len, found), dtype=np.int64, count=len(found)))
    hashed = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=len(each))
    scope, other, first = scope[each], other[each], first[each]
    order = np.lexsort((other, hashed, scope))
    columns = (scope[order], hashed[order], other[order], first[order])
    db.executemany(PUT_HASH, zip(*(c.tolist() for c in columns), strict=True))


def _put_authors(db: sqlite3.Connection, mails: _Mails, mine: NDArray[np.bool_], met: Mapping[int, int]) -> None:
    authors, where, times = np.unique(mails.sender[mine], return_inverse=True, return_counts=True)
    latest = np.zeros(len(authors), dtype=np.int64)
    np.maximum.at(latest, where, mails.at[mine])
    told = zip(authors.tolist(), times.tolist(), latest.tolist(), strict=True)
    db.executemany(COUNT_AUTHOR, [(author, n, met.get(author, 0), last) for author, n, last in told])
