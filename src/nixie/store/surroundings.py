"""Who stands around the circle of a message: the answer to `SuggestQuery`, from mails before its moment alone.

The author's latest mails to somebody are one seek and a few steps back (`mailing_to`). How many there are is known without
counting while the question is later than the last of them, as every live one is; a question about the past counts.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING

from nixie.core.address import canonical
from nixie.core.events import EventKind
from nixie.core.facts import FEW, LATEST, LATEST_OF_ALL, LATEST_RECEIVED, MOST_TOGETHER, Surroundings
from nixie.core.mailing import LARGEST_GROUP
from nixie.store.acquaintances import Acquaintances
from nixie.store.addresses import stored
from nixie.store.asking import Several
from nixie.store.knowledge import micros
from nixie.store.knowledge_counts import DAY_MICROSECONDS
from nixie.store.mailing_sums import NO_CIRCLE
from nixie.store.past_mails import PastMails

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Sequence
    from typing import Protocol

    from nixie.core.address import Address
    from nixie.core.facts import Acquaintance, SuggestQuery
    from nixie.core.mailing import PastMail

    class NearAddresses(Protocol):
        """The near index of addresses."""

        def beside(self, key: str, limit: int) -> tuple[str, ...]:
            """Return keys of known addresses that one typed slip of the local part makes of this one."""


MOST_REMEMBERED = 16_384
"""Numbers and texts that a connection remembers, some 200 bytes each."""

MOST_ALIKE = 32
"""Acquaintances that a written address may have been picked or typed instead of."""

MOST_BESIDE = 1_024
"""Proposals of the near index for a written address, which may be of any time: more than one slip makes of a local part."""

_MAILS_BEFORE = (
    "SELECT (SELECT COUNT(DISTINCT mailing) FROM contact c CROSS JOIN mailing_to t"
    " ON t.address = c.address AND t.scope = c.scope WHERE c.scope = ?1 AND t.at < ?2)"
    f" + (SELECT COUNT(*) FROM mailing_to WHERE address = {NO_CIRCLE} AND scope = ?1 AND at < ?2)"
)
_CONTACTS_BEFORE = (
    "SELECT COUNT(*) FROM contact c WHERE scope = ? AND EXISTS"
    " (SELECT 1 FROM mailing_to t WHERE t.scope = c.scope AND t.address = c.address AND t.at < ?)"
)
_IDS = Several("SELECT key, id FROM address WHERE key IN ({})")
_WRONG_KINDS = ",".join(str(int(k)) for k in (EventKind.BOUNCED, EventKind.CORRECTED_AWAY, EventKind.DISOWNED))
_WRONG = Several(
    "SELECT address, MAX(day) FROM address_day WHERE scope = 0"
    f" AND address IN ({{}}) AND kind IN ({_WRONG_KINDS}) AND day < ? GROUP BY address"
)
_DAY_STATE = "SELECT (SELECT value FROM knowledge_state WHERE name = 'floor'), EXISTS (SELECT 1 FROM tail WHERE at >= ? AND at < ?)"
_WRONG_TODAY = f"SELECT other FROM tail WHERE at >= ? AND at < ? AND kind IN ({_WRONG_KINDS})"


_NEVER = (0, 0)
_AT = itemgetter(0)


class Memory:
    """What one connection remembers from question to question: numbers and texts of addresses.

    Both never change but by an erasure, after which the state of the past is another (`knowledge_counts.past_changed`).
    """

    def __init__(self) -> None:
        self.texts: dict[int, Address] = {}
        self._numbers: dict[str, int] = {}
        self._past = -1

    def refresh(self, db: sqlite3.Connection) -> None:
        """Forget everything if the past is another one, or if it is much; at the beginning of each transaction."""
        (past,) = db.execute("SELECT value FROM knowledge_state WHERE name = 'past'").fetchone()
        self.renew(past)

    def renew(self, past: int) -> None:
        """Do what `refresh` does, for who has read the state of the past already."""
        if past != self._past or len(self.texts) + len(self._numbers) > MOST_REMEMBERED:
            self._past = past
            self.texts.clear()
            self._numbers.clear()

    def numbers(self, db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, int]:
        """Return the numbers of known addresses by `Address.key`."""
        known = self._numbers
        asked = list(keys)
        if missing := [key for key in asked if key not in known]:
            known.update(numbers_of(db, missing))
        return {key: known[key] for key in asked if key in known}


def numbers_of(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, int]:
    """Return the numbers of known addresses by `Address.key`."""
    names = {stored(key): key for key in keys}
    return {names[text]: number for text, number in _IDS.rows(db, list(names))}


def surroundings(
    db: sqlite3.Connection, query: SuggestQuery, memory: Memory, near: NearAddresses | None = None
) -> Surroundings:
    """Return who stands around the circle of `query`; inside the caller's read transaction."""
    moment = micros(query.as_of)
    circle = dict.fromkeys(a.key for a in query.circle if a.key)
    own = canonical(query.author).key if query.author is not None else ""
    numbers = memory.numbers(db, dict.fromkeys((*circle, own)) if own else circle)
    author = numbers.get(own, 0)
    asked = {key: numbers[key] for key, _ in zip(circle, range(LARGEST_GROUP), strict=False) if key in numbers}
    past = PastMails(db, moment)
    mails = past.to(author, asked.values(), LATEST) if author else {}
    own_mails = list(past.known.values())
    others = past.of_all([n for n in asked.values() if len(mails.get(n, ())) < FEW], LATEST_OF_ALL)
    received = past.got(author, asked.values(), LATEST_RECEIVED) if author else {}
    thread = past.thread(query.references) if query.references else ()
    if not thread and query.topic and author:
        thread = past.about(query.topic, author)
    people = Acquaintances(db, author, moment, memory.texts)
    alike, greeted = _sharing(query, numbers, people)
    beside = _beside(db, query, near, people) if near is not None else {}
    together = _together(own_mails, thread, frozenset(numbers.values()))
    people.count([*asked.values(), *together])
    shown = {*together, *greeted}.union(*alike.values(), *beside.values())
    people.read(shown, numbers.values())
    author_mails, author_contacts = _sizes(db, author, moment) if author else (0, 0)
    return Surroundings(
        numbers=numbers,
        names={key: names for key, number in numbers.items() if (names := people.names(number))},
        mails={key: mails[number] for key, number in asked.items() if number in mails},
        counts={key: n for key, number in asked.items() if (n := people.mails(number))},
        colleagues={key: others[number] for key, number in asked.items() if number in others},
        received={key: received[number] for key, number in asked.items() if number in received},
        thread=thread,
        wrong=_wrong(db, thread, numbers, {n: people.key(n) for n in shown}, moment) if thread else frozenset(),
        alike={key: people.ranked(found, MOST_ALIKE) for key, found in alike.items()},
        beside={key: people.ranked(found, MOST_ALIKE) for key, found in beside.items()},
        together=_most_often(together, people),
        greeted=people.ranked(greeted, MOST_ALIKE),
        author_mails=author_mails,
        author_contacts=author_contacts,
    )


def _sharing(
    query: SuggestQuery, numbers: dict[str, int], people: Acquaintances
) -> tuple[dict[str, list[int]], list[int]]:
    """Return who shares a token with each written address, and who does with a greeted name."""
    tokens = {a.key: query.tokens.get(a.key, ()) for a in query.written}
    found = people.alike({token: None for some in (*tokens.values(), query.greeted) for token in some})
    alike = {}
    for key, own in tokens.items():
        others = {number for token in own for number in found.get(token, ())}
        others.discard(numbers.get(key, 0))
        if others:
            alike[key] = people.best(others, MOST_ALIKE)
    return alike, people.best({number for token in query.greeted for number in found.get(token, ())}, MOST_ALIKE)


def _together(
    own: Iterable[PastMail], thread: Sequence[PastMail], inside: Container[int]
) -> dict[int, tuple[int, int]]:
    """Return who else was in some mails: in how many, and when last; at most `MOST_TOGETHER`, and equals at the cut."""
    answered = {mail.key for mail in thread}
    mails = [(mail.at, mail.members) for mail in own if len(mail.members) > 1 and mail.key not in answered]
    mails += [(mail.at, (mail.sender, *mail.members)) for mail in thread]
    mails.sort(key=_AT)
    circles = Counter([members for _, members in mails])
    latest = {members: at for at, members in mails}
    ranks: dict[int, tuple[int, int]] = {}
    for members, n in circles.items():
        at = latest[members]
        for number in members:
            if number not in inside:
                count, last = ranks.get(number, _NEVER)
                ranks[number] = count + n, max(last, at)
    if len(ranks) > MOST_TOGETHER:
        worst = sorted(ranks.values(), reverse=True)[MOST_TOGETHER - 1]
        ranks = {number: rank for number, rank in ranks.items() if rank >= worst}
    return ranks


def _most_often(ranks: dict[int, tuple[int, int]], people: Acquaintances) -> tuple[Acquaintance, ...]:
    keys = {number: key for number in ranks if (key := people.key(number))}
    best = sorted(keys, key=lambda n: (-ranks[n][0], -ranks[n][1], keys[n]))[:MOST_TOGETHER]
    return tuple(people.of(number) for number in best)


def _beside(
    db: sqlite3.Connection, query: SuggestQuery, near: NearAddresses, people: Acquaintances
) -> dict[str, list[int]]:
    """Return whom the near index proposes for the written addresses, as far as somebody wrote there before the moment."""
    proposed = {a.key: near.beside(a.key, MOST_BESIDE) for a in query.written}
    keys = {key for found in proposed.values() for key in found}
    known = numbers_of(db, list(keys)) if keys else {}
    admitted = set(people.admitted(list(known.values()))) if known else set()
    return {
        written: people.best(numbered, MOST_ALIKE)
        for written, found in proposed.items()
        if (numbered := [n for key in found if key != written and (n := known.get(key, 0)) in admitted])
    }


def _sizes(db: sqlite3.Connection, author: int, moment: int) -> tuple[int, int]:
    """Return how many mails of an author are known, to how many addresses, before a moment."""
    row = db.execute("SELECT mails, contacts, last_at FROM author WHERE id = ?", (author,)).fetchone()
    if row is None:
        return 0, 0
    mails, contacts, last = row
    if last < moment:
        return mails, contacts
    (mails,) = db.execute(_MAILS_BEFORE, (author, moment)).fetchone()
    (contacts,) = db.execute(_CONTACTS_BEFORE, (author, moment)).fetchone()
    return mails, contacts


def _wrong(
    db: sqlite3.Connection, thread: Sequence[PastMail], numbers: dict[str, int], shown: dict[int, str], moment: int
) -> frozenset[str]:
    """Return the keys of those of a thread that bounced, disowned or were corrected away on the day of its mail or later.

    Looked at are people of the circle and candidates (`shown`), as of the moment as everywhere: whole days before its day, and of
    its day what was before it.
    """
    keys = shown | {number: key for key, number in numbers.items()}
    since: dict[int, int] = {}
    for mail in thread:
        day = mail.at // DAY_MICROSECONDS
        for number in (mail.sender, *mail.members):
            if number in keys:
                since[number] = min(day, since.get(number, day))
    today = moment // DAY_MICROSECONDS
    floor, later = db.execute(_DAY_STATE, (moment, (today + 1) * DAY_MICROSECONDS)).fetchone()
    until = today + 1 if today >= floor and not later else today
    wrong = {keys[n] for n, day in _WRONG.rows(db, list(since), until) if day >= since[n]}
    if later and today >= floor:
        rows = db.execute(_WRONG_TODAY, (today * DAY_MICROSECONDS, moment))
        wrong |= {keys[n] for (n,) in rows if n in since}
    return frozenset(wrong - {""})
