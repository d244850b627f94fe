"""Mails read back: the latest to somebody before a moment, each made once however many people of a question got it."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from nixie.core.mailing import MOST_REFERENCES, PastMail
from nixie.store.asking import Several
from nixie.store.mailing_rows import NUMBERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

LASTING = 60 * 86_400_000_000
"""How long a topic is the same conversation, in microseconds: a monthly report has one subject for years."""

LATEST_ABOUT = 4
"""Mails of a conversation that is found by its topic."""

_LATEST = (
    "SELECT mailing, at, members, words FROM mailing_to WHERE address = ? AND scope = ? AND at < ?"
    " ORDER BY at DESC, mailing DESC LIMIT ?"
)
_LATEST_OF_ALL = (
    "SELECT mailing FROM mailing_to WHERE address = ? AND scope = 0 AND at < ? ORDER BY at DESC, mailing DESC LIMIT ?"
)
_GOT = (
    "SELECT mailing, at, members FROM mailing_to WHERE address = ? AND scope = ? AND at < ?"
    " ORDER BY at DESC, mailing DESC LIMIT ?"
)
_ABOUT = (
    "SELECT mailing FROM mailing_topic WHERE topic = ? AND person = ? AND at >= ? AND at < ?"
    " ORDER BY at DESC, mailing DESC LIMIT ?"
)
_BY_KEY = Several("SELECT key, at, sender, members, words, refs FROM mailing WHERE key IN ({}) AND at < ?")
_KEY = Struct("<q")
_UNPACK = {numbers.size: numbers.unpack for numbers in NUMBERS}


class PastMails:
    """Mails before one moment (microseconds since 1970), read in one transaction; `known` are those read so far, by key."""

    def __init__(self, db: sqlite3.Connection, moment: int) -> None:
        self._db = db
        self._moment = moment
        self.known: dict[int, PastMail] = {}

    def to(self, author: int, numbers: Iterable[int], limit: int) -> dict[int, tuple[PastMail, ...]]:
        """Return an author's latest mails to each of these people, newest first; who got none is missing."""
        known, new, unpack = self.known, tuple.__new__, _UNPACK
        found: dict[int, list[int]] = {}
        large: dict[int, None] = {}
        for number in numbers:
            rows = self._db.execute(_LATEST, (number, author, self._moment, limit)).fetchall()
            if not rows:
                continue
            found[number] = [row[0] for row in rows]
            for key, at, members, words in rows:
                if key in known:
                    continue
                if members is None:
                    large[key] = None
                else:
                    about = unpack[len(words)](words) if words else ()
                    known[key] = new(PastMail, (key, at, author, unpack[len(members)](members), about))
        self._read(list(large))
        return {number: tuple(map(known.__getitem__, keys)) for number, keys in found.items()}

    def got(self, reader: int, numbers: Iterable[int], limit: int) -> dict[int, tuple[PastMail, ...]]:
        """Return the latest mails that a reader got and that each of these people wrote or got too, newest first.

        Their members are the sender, first, and all recipients; they have no words. Nobody's are missing.
        """
        new, unpack = tuple.__new__, _UNPACK
        made: dict[int, PastMail] = {}
        found: dict[int, list[int]] = {}
        large: dict[int, None] = {}
        for number in numbers:
            rows = self._db.execute(_GOT, (number, -reader, self._moment, limit)).fetchall()
            if not rows:
                continue
            found[number] = [row[0] for row in rows]
            for key, at, members in rows:
                if members is None:
                    large[key] = None
                elif key not in made:
                    circle = unpack[len(members)](members)
                    made[key] = new(PastMail, (key, at, circle[0], circle, ()))
        if large:
            self._read([key for key in large if key not in self.known])
            for key in large:
                mail = self.known[key]
                made[key] = PastMail(key, mail.at, mail.sender, (mail.sender, *mail.members))
        return {number: tuple(map(made.__getitem__, keys)) for number, keys in found.items()}

    def about(self, topic: int, author: int) -> tuple[PastMail, ...]:
        """Return the latest mails with a topic that an author wrote or got, oldest first."""
        rows = self._db.execute(_ABOUT, (topic, author, self._moment - LASTING, self._moment, LATEST_ABOUT)).fetchall()
        keys = [key for (key,) in reversed(rows)]
        self._read([key for key in keys if key not in self.known])
        return tuple(self.known[key] for key in keys)

    def of_all(self, numbers: Iterable[int], limit: int) -> dict[int, tuple[PastMail, ...]]:
        """Return the organisation's latest mails to each of these people, newest first; who got none is missing."""
        known = self.known
        found: dict[int, list[int]] = {}
        for number in numbers:
            if rows := self._db.execute(_LATEST_OF_ALL, (number, self._moment, limit)).fetchall():
                found[number] = [key for (key,) in rows]
        self._read(list({key for keys in found.values() for key in keys if key not in known}))
        return {number: tuple(map(known.__getitem__, keys)) for number, keys in found.items()}

    def thread(self, references: Sequence[int]) -> tuple[PastMail, ...]:
        """Return the mails that a mail answers, at most `MOST_REFERENCES`: what those it names refer to, then those it names."""
        order = {key: place for place, key in enumerate(references)}
        found: dict[int, tuple[int, int, int]] = {}
        wanted = list(order)[-MOST_REFERENCES:]
        asked = set(wanted)
        while wanted and len(found) < MOST_REFERENCES:
            further: dict[int, None] = {}
            for key, at, refs in self._read(wanted):
                found[key] = order.get(key, -1), at, key
                further.update((key, None) for (key,) in _KEY.iter_unpack(refs))
            wanted = [key for key in further if key not in asked][-MOST_REFERENCES:]
            asked.update(wanted)
        ranked = sorted(found.values())[-MOST_REFERENCES:]
        return tuple(self.known[key] for _, _, key in ranked)

    def _read(self, keys: Sequence[int]) -> list[tuple[int, int, bytes]]:
        """Read mails by key; return (key, moment, references) of those that are known."""
        rows = _BY_KEY.rows(self._db, keys, self._moment)
        for key, at, sender, members, words, _ in rows:
            circle = _UNPACK[len(members)](members) if members else ()
            self.known[key] = PastMail(key, at, sender, circle, _UNPACK[len(words)](words))
        return [(row[0], row[1], row[5]) for row in rows]
