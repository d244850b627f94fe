"""The ledger: what was seen, decided and done, one row each, appended and never changed.

* LedgerError
  x NotErasableError   the row is a tombstone, is erased already, does not exist, or a held copy still needs it

Every row's `chain` is the SHA-256 of the row before it and of the row's own fields, the payload by its digest. So an
edited, removed or moved row is found by reading forward once, and a payload can be erased for good: its digest stays, a
tombstone names it and the actor, and the chain still verifies. An erased row without a tombstone does not.

A chain cannot prove its own end: cutting off the last rows leaves a shorter chain that is whole. That is what signed
heads kept elsewhere are for (`store.heads`).

A payload is `{"a":[address numbers],"d":<body>}`. The body speaks of an address by its index into `a`, so it holds no
address itself: erasing a person erases one row of the address table, and the worker that made the body is the last to
serialise it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b, sha256
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from nixie.store.heads import Head

GENESIS = bytes(32)
_LINK = Struct(">32sQqB16sQ32s")
_NO_LOOKUP = bytes(16)
STORY_ROWS = 10_000
"""The longest story that is told: anybody may add rows to that of a Message-ID."""
_INSERT = "INSERT INTO ledger (seq, at, kind, lookup, hold, payload, chain) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Kind(IntEnum):
    """What a row tells; the numbers are stored, so they never change."""

    DECISION = 1
    HELD = 2
    WAITING = 3
    VOID = 4
    RELEASING = 5
    RELEASED = 6
    CORRECTING = 7
    CORRECTED = 8
    CANCELLED = 9
    RETURNING = 10
    RETURNED = 11
    ATTEMPT = 12
    NOTICE = 13
    REPEATED = 14
    DIGEST = 15
    LEARNED = 20
    CONFIRMED = 21
    POLICY = 22
    KEY = 23
    SERVICE = 24
    BUDGET = 25
    CALIBRATION = 26
    TOMBSTONE = 30


class LedgerError(Exception):
    """The ledger cannot do what was asked; the text names rows by number only."""


class NotErasableError(LedgerError):
    """The payload of this row cannot be erased."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a ledger: number and chain of the last row; 0 and zeros when it is empty."""

    seq: int = 0
    chain: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Row:
    """One row as people read it: `addresses` are texts in the order of the payload's numbers, `body` the parsed body.

    An erased payload has `body` None, an erased address the text `?@` and its domain. `hold` is the hold's public id.
    """

    seq: int
    at: int
    kind: Kind
    hold: str
    addresses: tuple[str, ...] = field(default=(), repr=False)
    body: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found: `first_bad` is the number of the first row that does not fit, None when all do.

    `tail_proven` is true when a head from outside shows that nothing up to its row was cut off.
    """

    rows: int
    ok: bool
    first_bad: int | None
    reason: str
    tail_proven: bool


def lookup_key(message_id: str) -> bytes:
    """Return the 16 bytes by which a message is found: a digest of its Message-ID without angle brackets.

    A message without one is found by the hex digits of its body's digest, given here in the place of a Message-ID.
    """
    return blake2b(message_id.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def payload_of(numbers: Sequence[int], body: bytes) -> bytes:
    """Return the payload of address numbers and a body, which must be JSON and stays byte for byte."""
    return b'{"a":[%s],"d":%s}' % (",".join(map(str, numbers)).encode("ascii"), body or b"null")


class Ledger:
    """The writer's side: knows the end of the chain. There is one in the one process that writes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.tail = read_tail(db)

    def append(self, at: int, kind: Kind, payload: bytes, lookup: bytes | None = None, hold: int | None = None) -> int:
        """Write one row (within the caller's transaction) and return its number.

        `at` is milliseconds since the epoch, UTC; `hold` the row number of a hold. A caller that rolls back gives the
        old `tail` back as well.
        """
        tail = self.tail
        seq = tail.seq + 1
        chain = link(tail.chain, seq, at, kind, lookup, hold, sha256(payload).digest())
        self.db.execute(_INSERT, (seq, at, int(kind), lookup, hold, payload, chain))
        self.tail = Tail(seq, chain)
        return seq

    def erase(self, seqs: Sequence[int], at: int, numbers: Sequence[int], body: dict[str, Any]) -> int:
        """Erase the payloads of these rows and append the tombstone that names them; return its number.

        `numbers` and `body` tell who did it and why, as in any payload. Raises `NotErasableError` and then changed nothing
        that the caller's rollback does not undo.
        """
        self.db.execute("PRAGMA secure_delete = ON")
        for seq in seqs:
            row = self.db.execute("SELECT kind, payload FROM ledger WHERE seq = ?", (seq,)).fetchone()
            if row is None or row[1] is None or row[0] == Kind.TOMBSTONE:
                raise NotErasableError(f"ledger row {seq}: not there, erased already, or a tombstone")
            if self.db.execute(_NEEDED, (seq,)).fetchone():
                raise NotErasableError(
                    f"ledger row {seq}: a held copy is decided by it; release, cancel or return that first"
                )
            digest = sha256(row[1]).digest()
            self.db.execute("UPDATE ledger SET payload = NULL, digest = ? WHERE seq = ?", (digest, seq))
        told = json.dumps({**body, "erased": list(seqs)}, separators=(",", ":")).encode("ascii")
        return self.append(at, Kind.TOMBSTONE, payload_of(numbers, told))


_NEEDED = "SELECT 1 FROM hold WHERE decision = ? AND state IN ('provisional', 'waiting', 'releasing', 'correcting', 'returning')"


def link(previous: bytes, seq: int, at: int, kind: int, lookup: bytes | None, hold: int | None, digest: bytes) -> bytes:
    """Return the chain value of a row: SHA-256 over the value before it and every field, each of fixed width."""
    return sha256(_LINK.pack(previous, seq, at, kind, lookup or _NO_LOOKUP, hold or 0, digest)).digest()


def read_tail(db: sqlite3.Connection) -> Tail:
    """Return the end of the ledger as it is stored."""
    row = db.execute("SELECT seq, chain FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return Tail(*row) if row else Tail()


def verify(db: sqlite3.Connection, head: Head | None = None) -> Verification:
    """Walk the whole chain in constant memory and tell what does not fit.

    `head` is a head from outside whose signature was already checked (`heads.check`); without one the end of the
    ledger cannot be proven, and the reason says so.
    """
    chain, seq = GENESIS, 0
    erased: set[int] = set()
    tombstoned: set[int] = set()
    rows = db.execute("SELECT seq, at, kind, lookup, hold, payload, digest, chain FROM ledger ORDER BY seq")
    for number, at, kind, lookup, hold, payload, digest, stored in rows:
        if number != seq + 1:
            return _bad(seq, min(number, seq + 1), "this row is missing")
        seq = number
        said = digest
        if payload is None:
            erased.add(seq)
        else:
            said = sha256(payload).digest()
            if kind == Kind.TOMBSTONE:
                tombstoned.update(_named(payload))
        if said is None or len(said) != 32 or not _fits(at, kind, lookup, hold):
            return _bad(seq, seq, "this row was edited")
        chain = link(chain, seq, at, kind, lookup, hold, said)
        if chain != stored:
            return _bad(seq, seq, "this row was edited, moved or put in place of another")
        if head is not None and head.seq == seq and head.chain != chain:
            return _bad(seq, seq, "the head kept elsewhere tells of another row here: the ledger was rewritten")
    if erased - tombstoned:
        return _bad(seq, min(erased - tombstoned), "the payload was erased without a tombstone")
    if head is None:
        return Verification(
            seq, True, None, "every row fits; the end cannot be proven without a head kept elsewhere", False
        )
    if head.seq > seq:
        return _bad(seq, seq + 1, f"the end was cut off: the head kept elsewhere tells of {head.seq} rows")
    return Verification(seq, True, None, f"every row fits; the head proves the first {head.seq}", True)


def story(
    db: sqlite3.Connection, *, message_id: str = "", hold_id: str = "", limit: int = STORY_ROWS
) -> tuple[Row, ...]:
    """Return all rows about one message, or about one held copy and the message it belongs to, in order.

    Exactly one of the two is given. `()` when nothing is known of it. At most `limit` rows, the oldest. Whoever got a mail
    knows its Message-ID and can write under it, so the story of a hold has only the decisions about its own author and sender.
    """
    rows: Iterator[Any]
    if hold_id:
        found = db.execute(
            "SELECT h.id, h.lookup, h.decision, COALESCE(h.author, 0), h.sender, h.public, q.public"
            " FROM hold h JOIN question q ON q.id = h.question WHERE h.public = ?",
            (hold_id,),
        ).fetchone()
        if found is None:
            return ()
        only, lookup, *told = found
        found = db.execute(f"{_STORY} AND (l.hold IS NULL OR l.hold = ?) ORDER BY l.seq", (lookup, only))
        rows = (row for row in found if row[3] is not None or _belongs(row, *told))
    else:
        lookup = lookup_key(message_id.strip().removeprefix("<").removesuffix(">"))
        rows = db.execute(f"{_STORY} ORDER BY l.seq", (lookup,))
    return tuple(_read_row(db, row) for row in list(islice(rows, limit)))


_STORY = (
    "SELECT l.seq, l.at, l.kind, h.public, l.payload FROM ledger l LEFT JOIN hold h ON h.id = l.hold WHERE l.lookup = ?"
)


def _belongs(
    row: tuple[int, int, int, None, bytes | None], decision: int, author: int, sender: int, hold: str, question: str
) -> bool:
    """Return whether a row under a hold's Message-ID tells of the hold's message; one that was erased may."""
    seq, _, kind, _, payload = row
    if payload is None or seq == decision:
        return True
    parsed = json.loads(payload)
    body = parsed["d"] if isinstance(parsed["d"], dict) else {}
    if kind == Kind.NOTICE:
        return bool(body.get("question") == question)
    if kind == Kind.REPEATED:
        return hold in body.get("holds", ())
    return kind != Kind.DECISION or (_number(parsed, "author"), _number(parsed, "from")) == (author, sender)


def _number(payload: dict[str, Any], name: str) -> int:
    """Return the address number to which a body refers by index, 0 where it names nobody."""
    index, numbers = payload["d"].get(name, -1), payload["a"]
    return int(numbers[index]) if isinstance(index, int) and 0 <= index < len(numbers) else 0


def rows_after(db: sqlite3.Connection, seq: int, limit: int) -> tuple[Row, ...]:
    """Return at most `limit` rows after number `seq`, for exports and for reading along."""
    rows = db.execute(
        "SELECT l.seq, l.at, l.kind, h.public, l.payload FROM ledger l LEFT JOIN hold h ON h.id = l.hold"
        " WHERE l.seq > ? ORDER BY l.seq LIMIT ?",
        (seq, limit),
    )
    return tuple(_read_row(db, row) for row in rows.fetchall())


def read_payload(db: sqlite3.Connection, payload: bytes | None) -> tuple[tuple[str, ...], Any]:
    """Return a payload's addresses as texts, and its body; `((), None)` of an erased one."""
    if payload is None:
        return (), None
    parsed = json.loads(payload)
    numbers = parsed["a"]
    known = address_texts(db, numbers)
    return tuple(known.get(n, "") for n in numbers), parsed["d"]


def address_texts(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Return the texts of these addresses by number: comparison keys, `?@domain` where the person was erased."""
    known: dict[int, str] = {}
    for part in _parts(sorted(set(numbers)), 500):
        marks = ",".join("?" * len(part))
        rows = db.execute(
            f"SELECT a.id, a.key, d.name FROM address a JOIN domain d ON d.id = a.domain WHERE a.id IN ({marks})", part
        )
        known.update((number, key if key is not None else f"?@{domain}") for number, key, domain in rows)
    return known


def _parts(numbers: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _read_row(db: sqlite3.Connection, row: tuple[int, int, int, str | None, bytes | None]) -> Row:
    seq, at, kind, hold, payload = row
    addresses, body = read_payload(db, payload)
    return Row(seq, at, Kind(kind), hold or "", addresses, body)


def _bad(rows: int, first: int, reason: str) -> Verification:
    return Verification(rows, False, first, f"row {first}: {reason}", False)


def _fits(at: int, kind: int, lookup: bytes | None, hold: int | None) -> bool:
    """Return whether the fields have the widths that were hashed: another width can only be an edit."""
    return (
        abs(at) < 1 << 63 and 0 <= kind < 256 and (lookup is None or len(lookup) == 16) and (hold is None or hold > 0)
    )


def _named(payload: bytes) -> list[int]:
    """Return the rows that a tombstone names; none when it is not one, which the chain then tells."""
    try:
        named = json.loads(payload)["d"]["erased"]
    except (ValueError, KeyError, TypeError):
        return []
    return [n for n in named if isinstance(n, int)] if isinstance(named, list) else []
