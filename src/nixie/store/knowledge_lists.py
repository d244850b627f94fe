"""Whole lists out of knowledge, for the near index, `nixie knowledge doubt`, and reports. Streams, never a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nixie.core.events import EventKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


class Known(NamedTuple):
    """An address key or domain, and how often the organisation wrote to it, heard from it, and vouched for it."""

    name: str
    sent: int
    wrote_to_us: int
    replied: int
    vouched: int
    """Confirmed by an administrator or released by a reviewer, for everybody; a sender's word counts for that sender."""


_KINDS = ", ".join(
    f"SUM(CASE WHEN d.kind IN ({', '.join(str(int(k)) for k in kinds)}) THEN d.n ELSE 0 END)"
    for kinds in (
        (EventKind.SENT,),
        (EventKind.WROTE_TO_US,),
        (EventKind.REPLIED,),
        (EventKind.CONFIRMED, EventKind.RELEASED_BY_REVIEWER),
    )
)


def domains_with_counts(db: sqlite3.Connection) -> Iterator[Known]:
    """Yield each domain that mail went to or came from, in order of its number."""
    rows = db.execute(
        f"SELECT t.name, {_KINDS} FROM domain_day d CROSS JOIN domain t ON t.id = d.domain"
        " WHERE d.scope = 0 GROUP BY d.domain"
    )
    return (Known(*row) for row in rows)


def addresses_with_counts(db: sqlite3.Connection) -> Iterator[Known]:
    """Yield each address that mail went to or came from, in order of its number; erased ones are left out."""
    rows = db.execute(
        f"SELECT t.key, {_KINDS} FROM address_day d CROSS JOIN address t ON t.id = d.address"
        " WHERE d.scope = 0 AND t.key IS NOT NULL GROUP BY d.address"
    )
    return (Known(*row) for row in rows)
