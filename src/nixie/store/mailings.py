"""Mails as knowledge keeps them: learned one at a time or by the ten thousand, in any order, with the same result.

What several sightings of one mail show is united by rules that no order can change: the earliest moment (and who sent it then),
all members, the smallest of all word hashes, the longest references, the largest topic. So are names and tokens (`store.mailing_names`).
One mail and many go the same way, table by table: few statements for one, rows in the order of the table for many.
"""

from __future__ import annotations

from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING

from nixie.core.mailing import LARGEST_GROUP, MOST_REFERENCES, MOST_WORDS
from nixie.store import addresses
from nixie.store.asking import Several
from nixie.store.db import writing
from nixie.store.knowledge import micros
from nixie.store.mailing_names import Shown, clean, forget_names, learn_names
from nixie.store.mailing_rows import NUMBERS, Mail, link

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from nixie.core.mailing import Mailing
    from nixie.store.mailing_rows import Change
    from nixie.store.mailing_sums import Pair

AT_ONCE = 2_000
NOTHING: Mapping[str, tuple[int, int]] = {}

_KEYS = tuple(Struct(f"<{n}q") for n in range(MOST_REFERENCES + 1))
_MAILS = Several("SELECT key, at, sender, ours, members, words, refs, readers, topic FROM mailing WHERE key IN ({})")


def learn_mailings(
    db: sqlite3.Connection, mailings: Iterable[Mailing], known: Mapping[str, tuple[int, int]] = NOTHING
) -> int:
    """Learn mails, inside the caller's transaction; return how many of them nobody had shown before.

    `known` are address and domain numbers by `Address.key` that the caller has already. For other people numbers are made here;
    who has to tell the near index of new domains asks for the numbers first (`addresses.intern_keys`).
    """
    learned = [m for m in mailings if m.sender.key]
    people = dict.fromkeys(
        key
        for m in learned
        for key in (m.sender.key, *(r.key for r in m.recipients), *(a.key for a, _ in m.names))
        if key
    )
    numbers = {key: known[key][0] for key in people if key in known}
    if len(numbers) < len(people):
        made, _ = addresses.intern_keys(db, [key for key in people if key not in numbers])
        numbers.update((key, number) for key, (number, _) in made.items())
    return sum(_learn(db, learned[start : start + AT_ONCE], numbers) for start in range(0, len(learned), AT_ONCE))


def _learn(db: sqlite3.Connection, mailings: Sequence[Mailing], numbers: Mapping[str, int]) -> int:
    before = _known(db, list({m.key for m in mailings}))
    now = dict(before)
    named: list[Shown] = []
    spelled: dict[Pair, list[Shown]] = {}
    for m in mailings:
        at, sender = micros(m.at), numbers[m.sender.key]
        people = {numbers[r.key]: r for r in m.recipients if r.key}
        circle = tuple(sorted(people)) if 0 < len(people) <= LARGEST_GROUP else None
        words = tuple(sorted(set(m.words))[:MOST_WORDS])
        readers = (
            tuple(sorted({numbers[r.key] for r in m.readers}.intersection(people))) if circle and m.readers else ()
        )
        seen = Mail(at, sender, int(m.ours), circle, words, m.references[-MOST_REFERENCES:], readers, m.topic)
        one = now.get(m.key)
        now[m.key] = seen if one is None else _united(db, one, seen)
        names: dict[int, list[Shown]] = {}
        for address, name in m.names:
            if address.key and (text := clean(name)):
                names.setdefault(numbers[address.key], []).append(Shown(numbers[address.key], address, text, at))
        named += chain.from_iterable(names.values())
        if m.ours and circle is not None:
            for number, address in people.items():
                spelled.setdefault((number, sender), []).extend(names.get(number) or [Shown(number, address, "", at)])
    changes: list[Change] = [(key, before.get(key), mail) for key, mail in now.items() if before.get(key) != mail]
    _keep(db, changes, spelled)
    learn_names(db, named)
    return len(now) - len(before)


def unite(db: sqlite3.Connection, seen: Mapping[int, Mail]) -> None:
    """Unite mails, by their keys, with what is known of them; names and tokens are the caller's affair."""
    before = _known(db, list(seen))
    now = {key: mail if key not in before else _united(db, before[key], mail) for key, mail in seen.items()}
    _keep(db, [(key, before.get(key), mail) for key, mail in now.items() if before.get(key) != mail], {})


def _keep(db: sqlite3.Connection, changes: Sequence[Change], spelled: Mapping[Pair, Sequence[Shown]]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO mailing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        sorted((key, *_packed(mail)) for key, _, mail in changes if mail is not None),
    )
    link(db, changes, spelled)


def _known(db: sqlite3.Connection, keys: Sequence[int]) -> dict[int, Mail]:
    return {
        key: Mail(
            at,
            sender,
            ours,
            None if members is None else NUMBERS[len(members) >> 2].unpack(members),
            NUMBERS[len(words) >> 2].unpack(words),
            _KEYS[len(refs) >> 3].unpack(refs),
            NUMBERS[len(readers) >> 2].unpack(readers),
            topic,
        )
        for key, at, sender, ours, members, words, refs, readers, topic in _MAILS.rows(db, keys)
    }


def _packed(mail: Mail) -> tuple[int, int, int, bytes | None, bytes, bytes, bytes, int]:
    members = None if mail.members is None else NUMBERS[len(mail.members)].pack(*mail.members)
    words = NUMBERS[len(mail.words)].pack(*mail.words)
    refs, readers = _KEYS[len(mail.refs)].pack(*mail.refs), NUMBERS[len(mail.readers)].pack(*mail.readers)
    return mail.at, mail.sender, mail.ours, members, words, refs, readers, mail.topic


def _united(db: sqlite3.Connection, one: Mail, other: Mail) -> Mail:
    """Return what two sightings of one mail show together; the order of the two makes no difference."""
    first = one if one.at <= other.at else other
    if one.at == other.at and one.sender != other.sender:
        rows = db.execute(
            "SELECT id FROM address WHERE id IN (?, ?) ORDER BY key", (one.sender, other.sender)
        ).fetchall()
        first = one if rows[0][0] == one.sender else other
    members = None
    if one.members is not None and other.members is not None:
        both = one.members if one.members == other.members else tuple(sorted({*one.members, *other.members}))
        members = both if len(both) <= LARGEST_GROUP else None
    words = one.words if one.words == other.words else tuple(sorted({*one.words, *other.words})[:MOST_WORDS])
    refs = max(one.refs, other.refs, key=lambda r: (len(r), r))
    readers = () if members is None else tuple(sorted({*one.readers, *other.readers}))
    return Mail(first.at, first.sender, first.ours, members, words, refs, readers, max(one.topic, other.topic))


def forget_mailings(db: sqlite3.Connection, before: int) -> int:
    """Forget all mails before a moment (microseconds), in short transactions of its own; return how many.

    An address keeps its names while a mail to it or from it is known, and an author's contact the tokens it is found by.
    """
    gone, last = 0, -1
    while found := db.execute(
        "SELECT key FROM mailing WHERE key > ? AND at < ? ORDER BY key LIMIT ?", (last, before, AT_ONCE)
    ).fetchall():
        keys = [key for (key,) in found]
        with writing(db):
            old: list[Change] = [(key, mail, None) for key, mail in _known(db, keys).items() if mail.at < before]
            link(db, old, {})
            db.executemany("DELETE FROM mailing WHERE key = ?", [(key,) for key, _, _ in old])
        gone += len(old)
        last = keys[-1]
    if gone:
        forget_names(db, before)
    return gone
