"""The rows that a mail has beside its own, and how they follow when more is known of it: whom it went to, who got it, its topic."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from nixie.core.mailing import LARGEST_GROUP, MOST_WORDS
from nixie.store.mailing_sums import NO_CIRCLE, ORGANISATION, Sums, add_up

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from nixie.store.mailing_names import Shown
    from nixie.store.mailing_sums import Pair

BESIDE = 8
"""Most members of a mail whose circle and words stand with each of its recipients; those of a larger one are read by its key."""

MOST_PAIRS = 64
"""Most rows of a mail that say with whom our readers got it; where there would be more, each reader's row of the sender is kept alone."""

NUMBERS = tuple(Struct(f"<{n}I") for n in range(max(LARGEST_GROUP, MOST_WORDS) + 2))
"""How so many numbers lie in a blob."""

_DROP_TO = "DELETE FROM mailing_to WHERE address = ? AND scope = ? AND at = ? AND mailing = ?"
_DROP_TOPIC = "DELETE FROM mailing_topic WHERE topic = ? AND person = ? AND at = ? AND mailing = ?"

_Row = tuple[bytes | None, bytes | None]


class Mail(NamedTuple):
    """What is known of one mail; `members` is None where it went to more than a circle, and then nobody is among its `readers`."""

    at: int
    sender: int
    ours: int
    members: tuple[int, ...] | None
    words: tuple[int, ...]
    refs: tuple[int, ...]
    readers: tuple[int, ...] = ()
    topic: int = 0


Change = tuple[int, "Mail | None", "Mail | None"]
"""The key of a mail, what was known of it, and what is known now."""


def _rows(mail: Mail | None) -> dict[Pair, _Row]:
    """Return the rows of `mailing_to` that a mail has, by recipient and scope."""
    if mail is None:
        return {}
    rows: dict[Pair, _Row] = {}
    empty: _Row = (None, None)
    few, members = empty, mail.members or ()
    if mail.ours:
        if len(members) <= BESIDE:
            few = NUMBERS[len(members)].pack(*members), NUMBERS[len(mail.words)].pack(*mail.words)
        if not members:
            rows[NO_CIRCLE, mail.sender] = empty
        for number in members:
            rows[number, ORGANISATION] = empty
            rows[number, mail.sender] = few
    if mail.readers:
        few = (NUMBERS[len(members) + 1].pack(mail.sender, *members), None) if len(members) <= BESIDE else empty
        shown = (mail.sender, *members) if len(mail.readers) * len(members) <= MOST_PAIRS else (mail.sender,)
        for reader in mail.readers:
            for number in shown:
                if reader not in (number, mail.sender):
                    rows[number, -reader] = few
    return rows


def _by_topic(key: int, mail: Mail | None) -> set[tuple[int, int, int, int]]:
    """Return the rows of `mailing_topic` that a mail has."""
    if mail is None or not mail.topic:
        return set()
    people = (mail.sender, *mail.readers) if mail.ours else mail.readers
    return {(mail.topic, person, mail.at, key) for person in people}


def link(db: sqlite3.Connection, changes: Iterable[Change], spelled: Mapping[Pair, Sequence[Shown]]) -> None:
    """Bring the rows of mails, and the sums over them, from what was known of each to what is known now."""
    drop: list[tuple[int, int, int, int]] = []
    put: list[tuple[int, int, int, int, bytes | None, bytes | None]] = []
    off: list[tuple[int, int, int, int]] = []
    on: list[tuple[int, int, int, int]] = []
    sums = Sums({}, set(), {}, set())
    for key, before, now in changes:
        if before is None and now is not None:
            on += _by_topic(key, now)
            at = now.at
            for pair, row in _rows(now).items():
                put.append((*pair, at, key, *row))
                if pair[1] > ORGANISATION:
                    sums.add(pair, 1, at)
            if now.ours:
                sums.wrote(now.sender, 1, at)
            continue
        if (topics := _by_topic(key, now)) != (known := _by_topic(key, before)):
            off += known - topics
            on += topics - known
        old, new = _rows(before), _rows(now)
        was, at = before.at if before else 0, now.at if now else 0
        for pair in old:
            if pair not in new or was != at:
                drop.append((*pair, was, key))
                sums.moved.add(pair)
                if pair not in new:
                    sums.add(pair, -1, 0)
        for pair, row in new.items():
            if pair not in old:
                sums.add(pair, 1, at)
            elif was == at and old[pair] == row:
                continue
            put.append((*pair, at, key, *row))
        if before is not None and before.ours:
            sums.wrote(before.sender, -1, 0)
            sums.shaken.add(before.sender)
        if now is not None and now.ours:
            sums.wrote(now.sender, 1, at)
    if drop:
        db.executemany(_DROP_TO, drop)
    if off:
        db.executemany(_DROP_TOPIC, off)
    if on:
        db.executemany("INSERT INTO mailing_topic VALUES (?, ?, ?, ?)", sorted(on))
    put.sort()  # no two have the same four numbers, so blobs are not compared
    if put:
        db.executemany("INSERT OR REPLACE INTO mailing_to VALUES (?, ?, ?, ?, ?, ?)", put)
    add_up(db, sums, spelled)
