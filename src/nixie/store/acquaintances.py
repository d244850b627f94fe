"""Whom an author knows: found by tokens, by the near index or in his mails, admitted by a mail before the moment.

Each is admitted first, the best are taken next, and only of these the text and the names are read. Of equals the address decides,
so that the order in which mail was learned never shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.address import from_key
from nixie.core.facts import MOST_COUNTED, Acquaintance
from nixie.store.addresses import key_of
from nixie.store.asking import Several
from nixie.store.knowledge_counts import DAY_MICROSECONDS
from nixie.store.mailing_names import WHOLE_NAME, token_hash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from nixie.core.address import Address

MOST_NAMESAKES = 512
"""Addresses of one whole name that are looked at: strangers may all call themselves the same."""

MOST_SHARING = 4_096
"""An author's contacts that share tokens with those asked about: a machine that writes to everybody has no neighbours."""

_ALIKE = Several(
    "SELECT t.hash, t.address, c.mails, c.last_at FROM token t CROSS JOIN contact c ON c.scope = t.scope AND c.address = t.address"
    f" WHERE t.hash IN ({{}}) AND t.scope = ? AND t.first_at < ? LIMIT {MOST_SHARING}"
)
_NAMESAKES = f"SELECT address FROM token WHERE hash = ? AND scope = 0 AND first_at < ? LIMIT {MOST_NAMESAKES}"
_CONTACTS = Several("SELECT address, mails, last_at FROM contact WHERE address IN ({}) AND scope = ?")
_ADMITTED = Several(
    "SELECT id FROM address a WHERE id IN ({})"
    " AND (EXISTS (SELECT 1 FROM mailing_to t WHERE t.scope = 0 AND t.address = a.id AND t.at < ?)"
    " OR EXISTS (SELECT 1 FROM address_day d WHERE d.scope = 0 AND d.address = a.id AND d.kind = 1 AND d.day < ?)"
    " OR EXISTS (SELECT 1 FROM person p WHERE p.address = a.id))"
)
_TEXTS = Several("SELECT id, key FROM address WHERE id IN ({}) AND key IS NOT NULL")
_NAMES = Several("SELECT address, name FROM name WHERE address IN ({}) AND first_at < ?")
_COUNTED = (
    "SELECT COUNT(*), MAX(at) FROM (SELECT at FROM mailing_to WHERE address = ? AND scope = ? AND at < ?"
    f" ORDER BY at DESC LIMIT {MOST_COUNTED})"
)
_NEVER = (0, 0)


class Acquaintances:
    """The acquaintances of one author (0: nobody is known) as of a moment (microseconds), in one read transaction.

    `texts` are addresses by number that are known already; what is read is added.
    """

    def __init__(self, db: sqlite3.Connection, author: int, moment: int, texts: dict[int, Address]) -> None:
        self._db = db
        self._author = author
        self._moment = moment
        self._texts = texts
        self._met: dict[int, tuple[int, int]] = {}
        """How many mails of the author went to somebody, and when the last one did, of all that were looked at."""
        self._names: dict[int, tuple[str, ...]] = {}

    def alike(self, tokens: Iterable[str]) -> dict[str, list[int]]:
        """Return by token who shares it: of the author's own, and of namesakes (`admitted`)."""
        asked = {token_hash(t): t for t in tokens}
        found: dict[str, list[int]] = {}
        if self._author:
            for h, number, mails, last in _ALIKE.rows(self._db, list(asked), self._author, self._moment):
                if self._meet(number, mails, last):
                    found.setdefault(asked[h], []).append(number)
        whole = [h for h, token in asked.items() if token.startswith(WHOLE_NAME)]
        namesakes: list[tuple[int, int]] = []
        for h in whole:
            rows = self._db.execute(_NAMESAKES, (h, self._moment)).fetchall()
            own = frozenset(found.get(asked[h], ()))
            namesakes += [(h, number) for (number,) in rows if number not in own]
        if namesakes:
            admitted = frozenset(self.admitted(list(dict.fromkeys(n for _, n in namesakes))))
            for h, number in namesakes:
                if number in admitted:
                    found.setdefault(asked[h], []).append(number)
        return found

    def admitted(self, numbers: Sequence[int]) -> list[int]:
        """Return those to whom somebody of ours wrote before the moment, in a mail or by the counts of the days before, and those
        whom a directory names: it is known from the first day.
        """
        self.count(numbers)
        met = [n for n in numbers if self._met[n][0]]
        rest = [n for n in numbers if not self._met[n][0]]
        return met + [n for (n,) in _ADMITTED.rows(self._db, rest, self._moment, self._moment // DAY_MICROSECONDS)]

    def count(self, numbers: Collection[int]) -> None:
        """Find out how many mails of the author went to each of these."""
        wanted = [n for n in numbers if n not in self._met]
        if wanted and self._author:
            for number, mails, last in _CONTACTS.rows(self._db, wanted, self._author):
                self._meet(number, mails, last)
        for number in wanted:
            self._met.setdefault(number, _NEVER)

    def mails(self, number: int) -> int:
        """Return how many mails of the author went to somebody who was counted, up to `MOST_COUNTED`."""
        return self._met[number][0]

    def _meet(self, number: int, mails: int, last: int) -> bool:
        """Note an author's contact; return whether it was one before the moment."""
        met = self._met.get(number)
        if met is None:
            if last < self._moment:
                met = min(mails, MOST_COUNTED), last
            else:
                mails, latest = self._db.execute(_COUNTED, (number, self._author, self._moment)).fetchone()
                met = (mails, latest) if mails else _NEVER
            self._met[number] = met
        return met[0] > 0

    def best(self, numbers: Collection[int], limit: int) -> list[int]:
        """Return the most written-to of these, more than `limit` only where equals stand at the cut."""
        if len(numbers) <= limit:
            return list(numbers)
        ranked = sorted(numbers, key=self._met.__getitem__, reverse=True)
        last = self._met[ranked[limit - 1]]
        return [n for n in ranked if self._met[n] >= last]

    def read(self, numbers: Iterable[int], named: Iterable[int] = ()) -> None:
        """Read text and names of these, and names alone of those in `named`."""
        wanted = set(numbers)
        for number, key in _TEXTS.rows(self._db, [n for n in wanted if n not in self._texts]):
            self._texts[number] = from_key(key_of(key))
        names: dict[int, list[str]] = {}
        for number, name in _NAMES.rows(self._db, list(wanted.union(named)), self._moment):
            names.setdefault(number, []).append(name)
        self._names.update((number, tuple(found)) for number, found in names.items())

    def names(self, number: int) -> tuple[str, ...]:
        """Return the display names of somebody whose names were read."""
        return self._names.get(number, ())

    def key(self, number: int) -> str:
        """Return the `Address.key` of somebody who was read; `""` for one who was erased."""
        return self._texts[number].key if number in self._texts else ""

    def ranked(self, numbers: Iterable[int], limit: int) -> tuple[Acquaintance, ...]:
        """Return the acquaintances of these numbers, the most written-to first."""
        found = [self.of(n) for n in numbers if n in self._texts]
        found.sort(key=lambda a: (-a.mails, -a.last, a.address.key))
        return tuple(found[:limit])

    def of(self, number: int) -> Acquaintance:
        """Return an acquaintance that was counted and read."""
        return Acquaintance(self._texts[number], number, self._names.get(number, ()), *self._met[number])
