"""Knowledge as it grows one message at a time, and what an administrator does with it.

`teach` is called by the recorder inside its open transaction; `fold` once a night by whoever does the jobs. What many
events at once cost is in `knowledge_batch`, what a decision may ask in `knowledge_facts`.

Knowledge is about the outside: mail inside the house teaches nothing about addresses outside it, so `sources.records`
makes no events of it and nothing is stored per inside pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nixie.core.address import canonical
from nixie.core.events import Event, EventKind, event_key
from nixie.store import addresses
from nixie.store.db import writing
from nixie.store.knowledge_answers import answered_in_tail, keep_answer
from nixie.store.knowledge_counts import (
    DAY_MICROSECONDS,
    NEW_ADDRESSES,
    NEW_DOMAINS,
    SENT_TOTAL,
    Count,
    add,
    past_changed,
    recount_suffixes,
    state,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from datetime import date

    from nixie.core.address import Address
    from nixie.core.events import Answer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAIL_DAYS = 1
"""Whole days before today that keep their instants."""
SLICE = 50_000
NOTHING: Mapping[str, tuple[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Taught:
    """What became of some events: counted now, known before; and the domains that nobody had met."""

    counted: int = 0
    duplicates: int = 0
    new_domains: tuple[str, ...] = ()


def micros(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970, UTC."""
    return (at - EPOCH) // timedelta(microseconds=1)


def day_number(at: datetime) -> int:
    """Return the UTC day of an aware instant as days since 1970-01-01."""
    return micros(at) // DAY_MICROSECONDS


def teach(
    db: sqlite3.Connection,
    events: Iterable[Event],
    answers: Iterable[Answer] = (),
    known: Mapping[str, tuple[int, int]] = NOTHING,
) -> Taught:
    """Count events that are not known yet; inside the caller's transaction, with no BEGIN or COMMIT of its own.

    `known` are address and domain numbers that the caller asked for already.

    An event with `other` null is ignored; one with `ours` null counts for the organisation alone. `answers` become
    `REPLIED` events at once when the mail they answer is among the last days', else when `settle_answers` finds it.
    """
    wanted = {e.key: e for e in events if not e.other.is_null}
    pending = [a for a in answers if not a.event.other.is_null]
    if not wanted and not pending:
        return Taught()
    offered = len(wanted)
    for key in _known(db, wanted):
        del wanted[key]
    people = [*wanted.values(), *(a.event for a in pending)]
    keys = dict.fromkeys(a.key for e in people for a in (e.ours, e.other) if a.key)
    numbers, new_domains = addresses.intern_keys(db, [key for key in keys if key not in known])
    numbers = {**known, **numbers} if known else numbers
    _count(db, list(wanted.values()), numbers)
    counted, duplicates = len(wanted), offered - len(wanted)
    for answer in pending:
        if answered_in_tail(db, answer.to):
            event = answer.event
            if event.key in wanted or _known(db, {event.key: event}):
                duplicates += 1
            else:
                _count(db, [event], numbers)
                counted += 1
        elif answer.event.kind is EventKind.REPLIED:
            keep_answer(db, answer, micros(answer.event.at), numbers)
    return Taught(counted, duplicates, new_domains)


def _known(db: sqlite3.Connection, events: dict[int, Event]) -> list[int]:
    """Return the keys that were counted before."""
    known = [k for k in events if db.execute("SELECT 1 FROM tail WHERE key = ?", (k,)).fetchone()]
    floor = state(db, "floor")
    old = [e for e in events.values() if day_number(e.at) - 1 < floor and e.key not in known]
    if old and db.execute("SELECT 1 FROM seen LIMIT 1").fetchone():
        import numpy as np  # noqa: PLC0415 - only mail from before yesterday comes here

        from nixie.store.knowledge_seen import in_runs  # noqa: PLC0415

        found = in_runs(db, np.array([e.key for e in old]), np.array([day_number(e.at) for e in old]))
        known += [e.key for e, hit in zip(old, found.tolist(), strict=True) if hit]
    return known


def _count(db: sqlite3.Connection, events: list[Event], numbers: dict[str, tuple[int, int]]) -> None:
    rows, counts = [], []
    floor, past = state(db, "floor"), False
    for e in events:
        at = micros(e.at)
        other, domain = numbers[e.other.key]
        ours = numbers[e.ours.key][0] if e.ours.key else 0
        rows.append((e.key, at, int(e.kind), ours, other))
        day = at // DAY_MICROSECONDS
        counts.append(Count(ours, other, domain, int(e.kind), day, 1))
        past = past or not floor or day < floor
    db.executemany("INSERT INTO tail VALUES (?, ?, ?, ?, ?)", rows)
    add(db, counts)
    if past:
        past_changed(db)


def confirm(db: sqlite3.Connection, address: Address, by: Address, at: datetime) -> Taught:
    """Count that a person confirmed an address; inside the caller's transaction. Once a day and address."""
    key = event_key(EventKind.CONFIRMED, f"confirmed:{day_number(at)}", address.key)
    return teach(db, [Event(EventKind.CONFIRMED, by, address, at, key)])


def fold(db: sqlite3.Connection, now: datetime) -> int:
    """Move events older than yesterday out of the tail, in short transactions of its own; return how many moved.

    From then on a question as of such a day sees whole days before it. The floor only ever rises.
    """
    floor = max(day_number(now) - TAIL_DAYS, state(db, "floor"))
    if floor != state(db, "floor"):
        with writing(db):
            db.execute("UPDATE knowledge_state SET value = MAX(value, ?) WHERE name = 'floor'", (floor,))
            past_changed(db)
    moved = 0
    while rows := db.execute(
        "SELECT key, at FROM tail WHERE at < ? ORDER BY at LIMIT ?", (floor * DAY_MICROSECONDS, SLICE)
    ).fetchall():
        import numpy as np  # noqa: PLC0415 - a nightly job, never a live question

        from nixie.store.knowledge_seen import remember  # noqa: PLC0415

        with writing(db):
            remember(db, np.array([k for k, _ in rows]), np.array([at for _, at in rows]) // DAY_MICROSECONDS)
            db.executemany("DELETE FROM tail WHERE key = ?", [(k,) for k, _ in rows])
        moved += len(rows)
    return moved


def forget_before(db: sqlite3.Connection, day: date) -> int:
    """Forget all days before one (retention), in transactions of its own by slices of numbers; return rows deleted.

    First contacts move to the first day that is still known, exactly as if the rest had been learned alone.
    """
    from nixie.store.mailings import forget_mailings  # noqa: PLC0415 - it knows moments from here

    cut = (day - EPOCH.date()).days
    gone = forget_mailings(db, cut * DAY_MICROSECONDS)
    if _oldest(db) >= cut:
        return gone
    for target, what in (("address", NEW_ADDRESSES), ("domain", NEW_DOMAINS)):
        (top,) = db.execute(f"SELECT COALESCE(MAX(id), 0) FROM {target}").fetchone()
        scopes = [s for (s,) in db.execute("SELECT DISTINCT scope FROM domain_day ORDER BY scope")]
        for scope in scopes:
            for start in range(0, top + 1, SLICE if scope == 0 else top + 1):
                end = start + SLICE if scope == 0 else top + 1
                with writing(db):
                    gone += db.execute(
                        f"DELETE FROM {target}_day WHERE scope = ? AND {target} >= ? AND {target} < ? AND day < ?",
                        (scope, start, end, cut),
                    ).rowcount
        with writing(db):
            db.execute("DELETE FROM total_day WHERE what = ?", (what,))
            db.execute(
                "INSERT INTO total_day SELECT ?, first, SUM(COUNT(*)) OVER (ORDER BY first) FROM"
                f" (SELECT MIN(day) first FROM {target}_day WHERE scope = 0 AND kind = 1 GROUP BY {target})"
                " GROUP BY first",
                (what,),
            )
    with writing(db):
        recount_suffixes(db)
    with writing(db):
        row = db.execute(
            "SELECT upto FROM total_day WHERE what = ? AND day < ? ORDER BY day DESC LIMIT 1", (SENT_TOTAL, cut)
        ).fetchone()
        db.execute("DELETE FROM total_day WHERE what = ? AND day < ?", (SENT_TOTAL, cut))
        db.execute("UPDATE total_day SET upto = upto - ? WHERE what = ?", (row[0] if row else 0, SENT_TOTAL))
        db.execute("DELETE FROM seen WHERE day < ?", (cut,))
        db.execute("DELETE FROM tail WHERE at < ?", (cut * DAY_MICROSECONDS,))
        db.execute(
            "DELETE FROM answer_to WHERE answer IN (SELECT key FROM answer WHERE at < ?)", (cut * DAY_MICROSECONDS,)
        )
        db.execute("DELETE FROM answer WHERE at < ?", (cut * DAY_MICROSECONDS,))
        past_changed(db)
    return gone


def _oldest(db: sqlite3.Connection) -> int:
    """Return the first day of which anything is known: every event's key stands in `seen` or in `tail`."""
    later = 1 << 40
    (day,) = db.execute("SELECT MIN(day) FROM seen").fetchone()
    instants = [db.execute(f"SELECT MIN(at) FROM {table}").fetchone()[0] for table in ("tail", "answer")]
    days = [at // DAY_MICROSECONDS for at in instants if at is not None]
    return int(min([*days, later if day is None else day]))


def erase_address(db: sqlite3.Connection, address: Address) -> bool:
    """Erase the text of an address; inside the caller's transaction. Counts stay under its number, without a name."""
    from nixie.store import mailing_queue  # noqa: PLC0415
    from nixie.store.mailing_names import erase_names  # noqa: PLC0415

    mailing_queue.fold(db, mailing_queue.waiting(db))  # lines that wait have addresses in them
    address = canonical(address)
    for number, _ in addresses.find(db, [address.key]).values():
        db.execute("DELETE FROM person WHERE address = ?", (number,))
        erase_names(db, number)
    past_changed(db)  # readers remember numbers of people
    return addresses.erase(db, address.key)
