"""The counts themselves: how a set of events becomes rows, the same way live and in bulk.

Both ways end in `add`, so that what one message teaches at the door and what a million log lines teach are equal by
construction. All functions run inside the caller's transaction.

A running total per day (`total_day`) answers "how much was sent before that day" in one seek. "Written to for the first
time" is the first day of each address with a SENT count; when an earlier day is learned later, the first contact moves.
"""

from __future__ import annotations

import json
from binascii import crc32
from typing import TYPE_CHECKING, NamedTuple

from nixie.core.events import EventKind
from nixie.core.suffixes import public_suffix

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

ORGANISATION = 0
ALL_DOMAINS = 0
SENT_TOTAL, NEW_ADDRESSES, NEW_DOMAINS = 1, 2, 3
SUFFIXES = 1 << 32
"""From here on `total_day.what` counts the new domains under one public suffix (`suffix_total`)."""

SENT = int(EventKind.SENT)
DAY_MICROSECONDS = 86_400_000_000

_UPSERT = "INSERT INTO {0} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"
_ADDRESS_UPSERT = _UPSERT.format("address_day")
_DOMAIN_UPSERT = _UPSERT.format("domain_day")
_FIRST = (
    "SELECT j.value, (SELECT day FROM {0}_day WHERE scope = 0 AND {0} = j.value AND kind = 1 ORDER BY day LIMIT 1)"
    " FROM json_each(?) j"
)


class Count(NamedTuple):
    """`n` events of one kind on one day between one of ours (0: nobody known) and an address of a domain."""

    ours: int
    other: int
    domain: int
    kind: int
    day: int
    n: int


def add(db: sqlite3.Connection, counts: Iterable[Count]) -> None:
    """Add events to both scopes, both targets and the totals. Events are new: who calls has counted each key once."""
    addresses: dict[tuple[int, int, int, int], int] = {}
    domains: dict[tuple[int, int, int, int], int] = {}
    for ours, other, domain, kind, day, n in counts:
        key = (ORGANISATION, other, kind, day)
        addresses[key] = addresses.get(key, 0) + n
        key = (ORGANISATION, domain, kind, day)
        domains[key] = domains.get(key, 0) + n
        if ours:
            key = (ours, other, kind, day)
            addresses[key] = addresses.get(key, 0) + n
            key = (ours, domain, kind, day)
            domains[key] = domains.get(key, 0) + n
            if kind == SENT:
                key = (ours, ALL_DOMAINS, SENT, day)
                domains[key] = domains.get(key, 0) + n
    add_rows(db, [(*k, n) for k, n in addresses.items()], [(*k, n) for k, n in domains.items()])


def add_rows(
    db: sqlite3.Connection,
    addresses: list[tuple[int, int, int, int, int]],
    domains: list[tuple[int, int, int, int, int]],
) -> None:
    """Add rows of (scope, target, kind, day, n), each key once, with everything that follows for the totals."""
    addresses.sort()
    domains.sort()
    sent: dict[int, int] = {}
    for scope, _, kind, day, n in addresses:
        if scope != ORGANISATION:
            break
        if kind == SENT:
            sent[day] = sent.get(day, 0) + n
    add_total(db, SENT_TOTAL, sent)
    _note_first(db, "address", NEW_ADDRESSES, addresses)
    _note_first(db, "domain", NEW_DOMAINS, domains)
    db.executemany(_ADDRESS_UPSERT, addresses)
    db.executemany(_DOMAIN_UPSERT, domains)


def _note_first(db: sqlite3.Connection, target: str, what: int, rows: list[tuple[int, int, int, int, int]]) -> None:
    """Move first contacts for rows about to be added, which are sorted, so a target's first day comes first."""
    learned: dict[int, int] = {}
    for scope, number, kind, day, _ in rows:
        if scope != ORGANISATION:
            break
        if kind == SENT and number not in learned:
            learned[number] = day
    if not learned:
        return
    change: dict[int, int] = {}
    moved: list[tuple[int, int, int]] = []
    for number, known in db.execute(_FIRST.format(target), (json.dumps(list(learned)),)).fetchall():
        first = learned[number]
        if known is None or first < known:
            change[first] = change.get(first, 0) + 1
            moved.append((number, first, 1))
            if known is not None:
                change[known] = change.get(known, 0) - 1
                moved.append((number, known, -1))
    add_total(db, what, change)
    if what == NEW_DOMAINS and moved:
        _note_suffixes(db, moved)


def _note_suffixes(db: sqlite3.Connection, moved: list[tuple[int, int, int]]) -> None:
    """Move first contacts of domains, given as (number, day, by how many), in the totals of their suffixes."""
    numbers = json.dumps(sorted({number for number, _, _ in moved}))
    names = dict(db.execute("SELECT id, name FROM domain WHERE id IN (SELECT value FROM json_each(?))", (numbers,)))
    changes: dict[int, dict[int, int]] = {}
    for number, day, by in moved:
        change = changes.setdefault(suffix_total(public_suffix(names[number])), {})
        change[day] = change.get(day, 0) + by
    for what, change in changes.items():
        add_total(db, what, {day: by for day, by in change.items() if by})


def recount_suffixes(db: sqlite3.Connection) -> None:
    """Count the new domains of each suffix again from the days that are known; inside the caller's transaction."""
    db.execute("DELETE FROM total_day WHERE what >= ?", (SUFFIXES,))
    changes: dict[int, dict[int, int]] = {}
    for name, day in db.execute(
        "SELECT t.name, MIN(d.day) FROM domain_day d JOIN domain t ON t.id = d.domain"
        " WHERE d.scope = 0 AND d.kind = 1 GROUP BY d.domain"
    ):
        change = changes.setdefault(suffix_total(public_suffix(name)), {})
        change[day] = change.get(day, 0) + 1
    for what, change in changes.items():
        add_total(db, what, change)


def suffix_total(suffix: str) -> int:
    """Return the number under which the new domains of a public suffix are counted in `total_day`."""
    return SUFFIXES + crc32(suffix.encode("utf-8", "surrogateescape"))


def add_total(db: sqlite3.Connection, what: int, change: Mapping[int, int]) -> None:
    """Add to a running total on some days; later days follow. Reads and writes the days from the first change on."""
    if not change:
        return
    start = min(change)
    row = db.execute(
        "SELECT upto FROM total_day WHERE what = ? AND day < ? ORDER BY day DESC LIMIT 1", (what, start)
    ).fetchone()
    known = dict(db.execute("SELECT day, upto FROM total_day WHERE what = ? AND day >= ?", (what, start)).fetchall())
    old = row[0] if row else 0
    grown = 0
    rows = []
    for day in sorted(known.keys() | change.keys()):
        old = known.get(day, old)
        grown += change.get(day, 0)
        rows.append((what, day, old + grown))
    db.executemany("INSERT OR REPLACE INTO total_day VALUES (?, ?, ?)", rows)


def state(db: sqlite3.Connection, name: str) -> int:
    """Return a number of `knowledge_state`."""
    (value,) = db.execute("SELECT value FROM knowledge_state WHERE name = ?", (name,)).fetchone()
    return int(value)


def past_changed(db: sqlite3.Connection) -> None:
    """Say that a day before the floor changed, so that readers drop the sums of the past that they remember."""
    db.execute("UPDATE knowledge_state SET value = value + 1 WHERE name = 'past'")
