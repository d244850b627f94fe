"""Lists and aliases: who gets the mail to them, learned whole and asked from the member's side.

A decision asks which lists lead to an address, never for all members of a list, so a list of everybody costs no more than a small one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nixie.core.facts import Expansion
from nixie.core.proposals import known_key
from nixie.store import addresses

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from nixie.core.address import Address

LEVELS = 2
"""How many lists may stand between what was written and who gets it: a list on a list is known, one deeper is not."""

MOST_ROWS = 20_000
"""Most memberships looked at for one level of one question; what is beyond it is as if it were not known."""

_ON = (
    "SELECT m.member, m.list, l.members, a.key FROM json_each(?) j CROSS JOIN list_member m ON m.member = j.value"
    f" JOIN list l ON l.address = m.list JOIN address a ON a.id = m.list WHERE a.key IS NOT NULL LIMIT {MOST_ROWS}"
)


def save_list(db: sqlite3.Connection, name: Address, members: Iterable[Address], at: int) -> tuple[str, ...]:
    """Replace what was known of a list by these members (microseconds `at`); inside the caller's transaction.

    Without any member the list is forgotten. Return the new domains.
    """
    keys = {known_key(member).key for member in members} - {own := known_key(name).key, ""}
    numbers, new = addresses.intern_keys(db, [own, *sorted(keys)])
    number = numbers[own][0]
    # Only what differs is written: the list of everybody is learned every night, and nobody should wait for it.
    before = {member for (member,) in db.execute("SELECT member FROM list_member WHERE list = ?", (number,))}
    now = {numbers[key][0] for key in keys}
    db.executemany("DELETE FROM list_member WHERE member = ? AND list = ?", [(m, number) for m in before - now])
    db.executemany("INSERT INTO list_member VALUES (?, ?)", [(m, number) for m in sorted(now - before)])
    if now:
        db.execute("INSERT OR REPLACE INTO list VALUES (?, ?, ?)", (number, len(now), at))
    else:
        db.execute("DELETE FROM list WHERE address = ?", (number,))
    return new


def expansions(db: sqlite3.Connection, asked: Sequence[Address]) -> dict[str, Expansion]:
    """Return what leads to each of the addresses, by its key; one that is on no list is missing.

    A list with one member is an alias. Inside the caller's transaction, if there is one.
    """
    keys = {address.key: known_key(address).key for address in asked if address.key}
    numbers = addresses.find(db, list(dict.fromkeys(keys.values())))
    if not numbers:
        return {}
    above: dict[int, list[tuple[int, bool, str]]] = {}
    level = {number for number, _ in numbers.values()}
    for _ in range(LEVELS):
        rows = db.execute(_ON, (json.dumps(sorted(level)),)).fetchall() if level else []
        for member, number, members, name in rows:
            above.setdefault(member, []).append((number, members == 1, name))
        level = {number for _, number, _, _ in rows} - above.keys()
    told = {number: _expansion(number, above) for number, _ in numbers.values() if number in above}
    return {
        key: told[numbers[known][0]] for key, known in keys.items() if known in numbers and numbers[known][0] in told
    }


def _expansion(number: int, above: dict[int, list[tuple[int, bool, str]]]) -> Expansion:
    """Return every name above an address: an alias as long as each step up to it has one member."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    level = [(number, True)]
    for _ in range(LEVELS):
        steps = [(up, alone and single, name) for below, alone in level for up, single, name in above.get(below, ())]
        for _, alone, name in steps:
            names[alone].add(name)
        level = list(dict.fromkeys((up, alone) for up, alone, _ in steps))
    return Expansion(frozenset(names[False]), frozenset(names[True]))


def count_lists(db: sqlite3.Connection) -> tuple[int, int]:
    """Return how many lists and aliases are known, and how many memberships."""
    lists, members = db.execute("SELECT COUNT(*), TOTAL(members) FROM list").fetchone()
    return int(lists), int(members)
