"""The ledger's decisions with a possible slip, and what became of their copies: what budget and calibration count.

The search for such rows is left to SQLite, which goes through a million rows in some seconds without keeping this process from
other work; few rows have a finding, and only these are parsed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.core.events import EventKind
from nixie.store.hold_states import State
from nixie.store.ledger import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_OUTGOING = b'"direction":"outgoing"'
_FINDING = b'"check":"misdirected","recipient":'
_BELOW = b'"below_budget":"'
"""How these stand in a body (`service.records.decision_body`); quotes inside a text are escaped, so no text looks like them."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """One recorded decision: `numbers` are addresses by the body's indices, `author` one of them (0: nobody who can be named),
    `body` is parsed; `holds` tells of each recipient's number the state of its held copy, whichever transaction carried it.
    """

    seq: int
    at: int
    lookup: bytes = field(repr=False)
    numbers: tuple[int, ...]
    author: int
    body: Any = field(repr=False)
    holds: dict[int, State] = field(default_factory=dict)

    def recipient(self, number: int) -> int:
        """Return the address number of a recipient by its number in the envelope, 0 where there is none."""
        to = self.body.get("to", ())
        return _numbered(self.numbers, to[number]) if 0 <= number < len(to) else 0


def first_since(db: sqlite3.Connection, at: int) -> int:
    """Return the number of the last row before a moment in milliseconds, by halving: rows stand in the order of their moments."""
    low, high = 0, db.execute("SELECT COALESCE(MAX(seq), 0) FROM ledger").fetchone()[0]
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute("SELECT at FROM ledger WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).fetchone()
        if row is not None and row[0] < at:
            low = middle
        else:
            high = middle - 1
    return int(low)


def outside_messages(db: sqlite3.Connection, since: int, until: int) -> int:
    """Return how many messages were judged between two moments in milliseconds; many transactions of one are one."""
    row = db.execute(
        "SELECT COUNT(DISTINCT lookup) FROM ledger WHERE seq > ? AND seq <= ? AND kind = ? AND instr(payload, ?) > 0",
        (first_since(db, since), first_since(db, until), Kind.DECISION, _OUTGOING),
    ).fetchone()
    return int(row[0])


def suspected(db: sqlite3.Connection, since: int, until: int) -> Iterator[Judgement]:
    """Yield the decisions between two moments that found a possible slip."""
    return _judgements(db, since, until, _FINDING)


def below_budget(db: sqlite3.Connection, since: int, until: int) -> Iterator[Judgement]:
    """Yield the decisions between two moments with a copy that nobody was asked about for the budget's sake."""
    return _judgements(db, since, until, _BELOW)


def _judgements(db: sqlite3.Connection, since: int, until: int, marked: bytes) -> Iterator[Judgement]:
    at, end = first_since(db, since), first_since(db, until)
    while True:
        rows = db.execute(
            "SELECT seq, at, lookup, payload FROM ledger WHERE seq > ? AND seq <= ? AND kind = ? AND instr(payload, ?) > 0"
            " ORDER BY seq LIMIT 500",
            (at, end, Kind.DECISION, marked),
        ).fetchall()
        for seq, when, lookup, payload in rows:
            parsed = json.loads(payload)
            numbers, body = tuple(parsed["a"]), parsed["d"]
            author = _numbered(numbers, body.get("author", -1))
            states = db.execute(_HOLDS, (author, lookup)).fetchall()
            holds = {recipient: State(state) for recipient, state in states}
            yield Judgement(seq, when, lookup or b"", numbers, author, body, holds)
        if len(rows) < 500:
            return
        at = rows[-1][0]


_HOLDS = (
    "SELECT h.recipient, h.state FROM hold h JOIN question q ON q.id = h.question"
    " WHERE q.author = ? AND q.lookup = ? AND h.state NOT IN ('void', 'provisional') ORDER BY h.id"
)


def _numbered(numbers: tuple[int, ...], index: object) -> int:
    return numbers[index] if isinstance(index, int) and 0 <= index < len(numbers) else 0


def found_wrong(db: sqlite3.Connection, author: int, recipient: int, at: int, days: int) -> bool:
    """Return whether mail of an author to an address bounced, or its reader said that it was the wrong one, within `days`."""
    first = at // _DAY_MS
    row = db.execute(
        "SELECT 1 FROM address_day WHERE scope = ? AND address = ? AND kind IN (?, ?) AND day BETWEEN ? AND ? LIMIT 1",
        (author, recipient, EventKind.BOUNCED, EventKind.DISOWNED, first, first + days),
    ).fetchone()
    return row is not None
