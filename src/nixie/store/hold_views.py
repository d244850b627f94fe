"""Holds as others read them: what a door must know, what people list, what is to be done, and whether the sums agree.

Everything here runs on a read-only connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from nixie.store.hold_states import FINAL, IN_PROGRESS, LIVE, State, UnknownHoldError
from nixie.store.ledger import Kind, Row, address_texts, read_payload, story

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class Existing:
    """The recorded answer for a copy: its hold's id and state, and how many servers it had passed when it was held."""

    id: str
    state: State
    received: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """One held copy as it is read. Addresses are texts (`?@domain` once erased); times are milliseconds UTC.

    The envelope's bytes are there until the copy's fate is final, then `b""` and `()`.
    """

    id: str
    state: State
    question: str
    generation: int
    disposition: str
    choices: tuple[str, ...]
    held_at: int
    changed_at: int
    spool: str
    decision: int
    tries: int
    next_try: int | None
    blind: bool
    message_id: str = field(repr=False)
    author: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    corrected: str = field(repr=False)
    sender_raw: bytes = field(default=b"", repr=False)
    sender_params: tuple[bytes, ...] = field(default=(), repr=False)
    recipient_raw: bytes = field(default=b"", repr=False)
    recipient_params: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class HoldStory:
    """A hold with its verdict (the body of its decision, and the addresses that body counts) and its ledger rows."""

    hold: Hold
    addresses: tuple[str, ...] = field(repr=False)
    verdict: Any = field(repr=False)
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """The sums over all held copies, counted in the table of holds; `ledger_agrees` when the ledger tells the same.

    What was held and is neither void nor provisional is released, corrected, cancelled, returned, waiting or on its way.
    """

    held: int
    released: int
    corrected: int
    cancelled: int
    returned: int
    waiting: int
    in_progress: int
    provisional: int
    void: int
    ledger_agrees: bool

    @property
    def ok(self) -> bool:
        """Return whether no copy is missing and none counts twice."""
        parts = self.released + self.corrected + self.cancelled + self.returned + self.waiting + self.in_progress
        return self.ledger_agrees and self.held == parts


def existing(db: sqlite3.Connection, copy_keys: Sequence[bytes]) -> dict[bytes, Existing]:
    """Return the holds of these copies by copy key; a copy without one is missing from the answer.

    A provisional hold is no answer yet: the session that meets the copy judges it and claims the hold (`holds.hold`), so
    that it stays whichever of the two sessions fails.
    """
    found: dict[bytes, Existing] = {}
    for start in range(0, len(copy_keys), 500):
        part = copy_keys[start : start + 500]
        rows = db.execute(
            f"SELECT copy_key, public, state, received FROM hold WHERE state <> 'void' AND state <> 'provisional'"
            f" AND copy_key IN ({_marks(part)})",
            tuple(part),
        )
        found.update((key, Existing(public, State(state), received)) for key, public, state, received in rows)
    return found


def find(
    db: sqlite3.Connection,
    *,
    states: Sequence[State] = (State.WAITING,),
    author: str = "",
    text: str = "",
    question: str = "",
    held_before: int | None = None,
    held_after: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[Hold, ...]:
    """Return holds, the oldest first. `author` is an address key; `text` is looked for in ids and addresses."""
    tests, values = [f"h.state IN ({_marks(states)})"], [*map(str, states)]
    more: list[tuple[object, str]] = [
        (author, "a.key = ?"),
        (question, "q.public = ?"),
        (held_before, "h.held_at < ?"),
        (held_after, "h.held_at >= ?"),
    ]
    bound: list[Any] = [*values]
    for value, test in more:
        if value not in ("", None):
            tests.append(test)
            bound.append(value)
    if text:
        tests.append("(h.public LIKE ? ESCAPE '\\' OR r.key LIKE ? ESCAPE '\\' OR a.key LIKE ? ESCAPE '\\')")
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        bound.extend([f"%{escaped}%"] * 3)
    rows = db.execute(
        f"{_SELECT} LEFT JOIN address a ON a.id = h.author LEFT JOIN address r ON r.id = h.recipient"
        f" WHERE {' AND '.join(tests)} ORDER BY h.held_at, h.id LIMIT ? OFFSET ?",
        (*bound, limit, offset),
    ).fetchall()
    return _holds(db, rows)


def show(db: sqlite3.Connection, hold_id: str) -> HoldStory:
    """Return one hold with everything that is recorded of it. Raises `UnknownHoldError`."""
    rows = db.execute(f"{_SELECT} WHERE h.public = ?", (hold_id,)).fetchall()
    if not rows:
        raise UnknownHoldError(f"{hold_id[:17]}: there is no such hold")
    (hold,) = _holds(db, rows)
    payload = db.execute("SELECT payload FROM ledger WHERE seq = ?", (hold.decision,)).fetchone()
    addresses, verdict = read_payload(db, payload[0] if payload else None)
    return HoldStory(hold, addresses, verdict, story(db, hold_id=hold_id))


def decisions(db: sqlite3.Connection, rows: Collection[int]) -> dict[int, tuple[tuple[str, ...], Any]]:
    """Return the decisions of these ledger rows, each as the addresses that its body counts and the body; None if erased."""
    found: dict[int, tuple[tuple[str, ...], Any]] = {}
    for row in rows:
        payload = db.execute("SELECT payload FROM ledger WHERE seq = ?", (row,)).fetchone()
        found[row] = read_payload(db, payload[0] if payload else None)
    return found


def last_told(db: sqlite3.Connection, hold_id: str, kind: Kind) -> Any:
    """Return the body of a hold's latest ledger row of a kind; None when there is none, or it is erased."""
    payload = db.execute(
        "SELECT payload FROM ledger WHERE hold = (SELECT id FROM hold WHERE public = ?) AND kind = ? ORDER BY seq DESC LIMIT 1",
        (hold_id, kind),
    ).fetchone()
    return read_payload(db, payload[0] if payload else None)[1]


def of_question(db: sqlite3.Connection, question_id: str) -> tuple[Hold, ...]:
    """Return all copies that a question is about and that are not void, answered ones too, the oldest first."""
    rows = db.execute(
        f"{_SELECT} WHERE q.public = ? AND h.state NOT IN ('void', 'provisional') ORDER BY h.id", (question_id,)
    ).fetchall()
    return _holds(db, rows)


def work(db: sqlite3.Connection, now: int, limit: int = 100) -> tuple[Hold, ...]:
    """Return the copies to release, correct or return now, the longest overdue first."""
    rows = db.execute(f"{_SELECT} WHERE h.next_try <= ? ORDER BY h.next_try, h.id LIMIT ?", (now, limit)).fetchall()
    return _holds(db, rows)


def referenced_spools(db: sqlite3.Connection) -> set[str]:
    """Return the ids of the spool files that a copy still needs."""
    return {spool for (spool,) in db.execute(f"SELECT DISTINCT spool FROM hold WHERE state IN ({_marks(LIVE)})", LIVE)}


def spool_needed(db: sqlite3.Connection, spool: str) -> bool:
    """Return whether a copy still needs this spool file."""
    row = db.execute(f"SELECT 1 FROM hold WHERE spool = ? AND state IN ({_marks(LIVE)}) LIMIT 1", (spool, *LIVE))
    return row.fetchone() is not None


def gone_to(db: sqlite3.Connection, hold_id: str) -> int | None:
    """Return the number of the address to which a copy went on; None while it goes nowhere, or where it is held again."""
    row = db.execute(
        "SELECT state, recipient, corrected, EXISTS (SELECT 1 FROM hold again WHERE again.spool = hold.spool"
        f" AND again.recipient = hold.corrected AND again.id <> hold.id AND again.state IN ({_marks(LIVE)}))"
        " FROM hold WHERE public = ?",
        (*LIVE, hold_id),
    ).fetchone()
    if row is None:
        return None
    state, recipient, corrected, again = row
    ended: dict[str, int | None] = {State.RELEASED: recipient, State.CORRECTED: None if again else corrected}
    return ended.get(state)


def balance(db: sqlite3.Connection) -> Balance:
    """Return the sums; run it in a read transaction when somebody writes meanwhile."""
    states = {State(state): int(n) for state, n in db.execute("SELECT state, COUNT(*) FROM hold GROUP BY state")}
    kinds = {Kind(kind): int(n) for kind, n in db.execute(_COUNT_KINDS)}
    count = {state: states.get(state, 0) for state in State}
    agrees = all(kinds.get(Kind[state.name], 0) == count[state] for state in FINAL)
    agrees = agrees and kinds.get(Kind.HELD, 0) == sum(count.values())
    return Balance(
        held=sum(count.values()) - count[State.VOID] - count[State.PROVISIONAL],
        released=count[State.RELEASED],
        corrected=count[State.CORRECTED],
        cancelled=count[State.CANCELLED],
        returned=count[State.RETURNED],
        waiting=count[State.WAITING],
        in_progress=sum(count[state] for state in IN_PROGRESS),
        provisional=count[State.PROVISIONAL],
        void=count[State.VOID],
        ledger_agrees=agrees,
    )


_COUNT_KINDS = "SELECT kind, COUNT(*) FROM ledger INDEXED BY ledger_hold WHERE hold IS NOT NULL GROUP BY kind"
_COLUMNS = (
    "h.public, h.state, q.public, q.generation, h.disposition, h.choices, h.held_at, h.changed_at, h.spool, h.decision,"
    " h.tries, h.next_try, h.blind, h.message_id, h.author, h.sender, h.recipient, h.corrected,"
    " h.sender_raw, h.sender_params, h.recipient_raw, h.recipient_params"
)
_NAMES = tuple(f.name for f in fields(Hold))
"""The fields of `Hold` stand in the order of `_COLUMNS`."""
_SELECT = f"SELECT {_COLUMNS} FROM hold h JOIN question q ON q.id = h.question"


def _holds(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> tuple[Hold, ...]:
    numbers = {n for row in rows for n in row[14:18] if n is not None}
    texts = address_texts(db, numbers)
    return tuple(_hold(row, texts) for row in rows)


def _hold(row: tuple[Any, ...], texts: dict[int, str]) -> Hold:
    named = dict(zip(_NAMES, row, strict=True))
    for name in ("author", "sender", "recipient", "corrected"):
        named[name] = texts.get(named[name], "")
    for name in ("sender_raw", "recipient_raw"):
        named[name] = named[name] or b""
    for name in ("sender_params", "recipient_params"):
        named[name] = _params(named[name])
    named["message_id"] = named["message_id"].decode("utf-8", "surrogateescape")
    choices = tuple(filter(None, named["choices"].split(",")))
    return Hold(**{**named, "state": State(named["state"]), "choices": choices, "blind": bool(named["blind"])})


def _params(joined: bytes | None) -> tuple[bytes, ...]:
    return tuple(joined.split(b" ")) if joined else ()


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
