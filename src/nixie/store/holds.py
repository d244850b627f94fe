"""Held copies: one row a copy, changed only by moves along the table of states.

Every change goes through `_move`, which also appends the ledger row, within the caller's transaction. States, actions
and errors are in `store.hold_states`, reading in `store.hold_views`, questions and their deadlines in `store.questions`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.store import questions
from nixie.store.hold_states import (
    BY_ANOTHER,
    BY_NOBODY,
    CHOICE_OF,
    FINAL,
    IN_PROGRESS,
    KIND_OF,
    LEADS_TO,
    MAY,
    MOVES,
    Action,
    ForbiddenError,
    IllegalMoveError,
    NotOfferedError,
    NotYoursError,
    OwnRequestError,
    Role,
    State,
    UnknownHoldError,
)
from nixie.store.ledger import Kind, address_texts, payload_of
from nixie.store.questions import Deadlines, new_public_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from nixie.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: role, name (a login, or `""` where `address` tells), by which way (`link`, `login`, `cli`, `courier`).

    `address` is the number of the actor's address, None where the actor is known by login only. Both stand where somebody who
    is logged in acts for an author.
    """

    role: Role
    name: str = field(default="", repr=False)
    by: str = ""
    address: int | None = None


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """What the held copies of one message share. Addresses are numbers; `token` is `""` where the holds are firm.

    `decision` is the ledger row that carries the verdict; `message_id` the Message-ID or, without one, the hex digits
    of the body's digest; `lookup` is `ledger.lookup_key` of it.
    """

    decision: int
    lookup: bytes
    message_id: str = field(repr=False)
    spool: str
    author: int | None
    sender: int
    sender_raw: bytes = field(default=b"", repr=False)
    sender_params: tuple[bytes, ...] = field(default=(), repr=False)
    token: str = ""
    deadlines: Deadlines = field(default_factory=Deadlines)
    received: int = 0


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """One copy to be held; `copy_key` is 16 bytes, `choices` are names of `core.verdict.Choice`."""

    copy_key: bytes
    recipient: int
    disposition: str
    recipient_raw: bytes = field(default=b"", repr=False)
    recipient_params: tuple[bytes, ...] = field(default=(), repr=False)
    choices: tuple[str, ...] = ()
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A hold after a move: what the caller needs to teach, to tell, and to clean up."""

    id: str
    state: State
    row: int
    question: int
    spool: str
    author: int | None
    recipient: int
    message_id: str = field(repr=False)


def hold(ledger: Ledger, message: HeldMessage, copies: Sequence[HeldCopy], at: int) -> tuple[str, ...]:
    """Hold the copies and return their ids in order; a copy whose hold exists keeps it and is not held again.

    Where the hold that exists is another session's provisional one, this session claims it too: a provisional session adds
    its token, a firm one makes the hold firm. So no copy is lost when the other session fails, whichever ends first.
    """
    question: int | None = None
    state = State.PROVISIONAL if message.token else State.WAITING
    ids = []
    for copy in copies:
        found = ledger.db.execute(
            "SELECT public, state, id FROM hold WHERE copy_key = ? AND state <> 'void'", (copy.copy_key,)
        ).fetchone()
        if found is None:
            if question is None:
                question = questions.ask(
                    ledger.db, message.author or 0, message.lookup, at, message.deadlines, firm=not message.token
                )
            row, public = _insert(ledger, state, question, message, copy, at)
            told = json.dumps({"id": public, "state": state, "disposition": copy.disposition}, separators=(",", ":"))
            ledger.append(at, Kind.HELD, payload_of((copy.recipient,), told.encode("ascii")), message.lookup, row)
        else:
            public, stands, row = found
            if stands == State.PROVISIONAL and not message.token:
                _make_firm(ledger, public, at)
        if message.token:
            ledger.db.execute("INSERT OR REPLACE INTO claim VALUES (?, ?, ?)", (message.token, row, at))
        ids.append(public)
    return tuple(ids)


def confirm(ledger: Ledger, token: str, at: int) -> int:
    """Make the holds that a session claimed firm; return how many became so. A second confirmation changes nothing.

    Raises `IllegalMoveError` when one of them is void already: the session was taken for dead, so its client must be told to
    try again.
    """
    claimed = _claimed(ledger, token)
    if any(state == State.VOID for _, state in claimed):
        raise IllegalMoveError("the holds of this session are void; the message must come again")
    provisional = [public for public, state in claimed if state == State.PROVISIONAL]
    for public in provisional:
        _make_firm(ledger, public, at)
    return len(provisional)


def void(ledger: Ledger, token: str, at: int) -> tuple[Moved, ...]:
    """Give up what a failed session claimed; return the holds that nobody claims any more and that are void now."""
    claimed = _claimed(ledger, token)
    ledger.db.execute("DELETE FROM claim WHERE token = ?", (token,))
    orphans = [
        public
        for public, state in claimed
        if state == State.PROVISIONAL
        and not ledger.db.execute(
            "SELECT 1 FROM claim c JOIN hold h ON h.id = c.hold WHERE h.public = ?", (public,)
        ).fetchone()
    ]
    return tuple(_move(ledger, public, State.VOID, at, payload_of((), b"null")) for public in orphans)


def void_stale(ledger: Ledger, claimed_before: int, at: int) -> int:
    """Drop the provisional holds whose sessions must be dead: last claimed before this moment, never confirmed.

    The session's client never had a final reply, so it still has the message and tries again. Claims on holds that are decided
    for as long go too. Returns how many holds were dropped.
    """
    rows = ledger.db.execute(
        "SELECT public FROM hold WHERE state = 'provisional'"
        " AND NOT EXISTS (SELECT 1 FROM claim WHERE hold = hold.id AND at >= ?)",
        (claimed_before,),
    ).fetchall()
    for (public,) in rows:
        _move(ledger, public, State.VOID, at, _told(Actor(Role.SYSTEM, by="recorder"), "stale", None))
    ledger.db.execute(
        "DELETE FROM claim WHERE at < ?1 AND hold IN"
        " (SELECT h.id FROM claim c JOIN hold h ON h.id = c.hold WHERE h.state <> 'provisional' AND h.changed_at < ?1)",
        (claimed_before,),
    )
    return len(rows)


def act(
    ledger: Ledger,
    hold_id: str,
    action: Action,
    actor: Actor,
    at: int,
    *,
    reason: str = "",
    corrected: int | None = None,
    generation: int | None = None,
) -> Moved:
    """Do what a person (or silence) decided about a waiting copy; `corrected` is the number of the right address.

    `generation` is the one that the form showed; an answer that was given before is refused (`StaleAnswerError`).
    Raises the errors of this module's tree.
    """
    row = ledger.db.execute(
        "SELECT state, author, disposition, choices, question FROM hold WHERE public = ?", (hold_id,)
    ).fetchone()
    if row is None:
        raise UnknownHoldError(f"{hold_id[:17]}: there is no such hold")
    state, author, disposition, choices, question = row
    to = LEADS_TO[action]
    if state != State.WAITING:
        raise IllegalMoveError(f"{hold_id}: is {state}, so nobody can {action} it any more")
    if (action is Action.CORRECT) != (corrected is not None):
        raise IllegalMoveError(f"{hold_id}: an address belongs to correct, and to nothing else")
    _permit(action, actor, own=_is_author(ledger.db, actor, author), disposition=disposition, choices=choices)
    questions.answered(ledger.db, question, generation)
    if corrected is not None:
        ledger.db.execute("UPDATE hold SET corrected = ? WHERE public = ?", (corrected, hold_id))
    return _move(ledger, hold_id, to, at, _told(actor, reason, corrected))


def finish(ledger: Ledger, hold_id: str, at: int, *, done: bool, reply: str = "") -> Moved:
    """Record the outcome of a release, correction or return: done, or failed for good, which leads to a return."""
    state = _state(ledger.db, hold_id)
    to = {State.RELEASING: State.RELEASED, State.CORRECTING: State.CORRECTED, State.RETURNING: State.RETURNED}.get(
        state
    )
    if to is None:
        raise IllegalMoveError(f"{hold_id}: is {state}; only what is on its way has an outcome")
    told = _told(Actor(Role.SYSTEM, by="courier"), "", None, reply=reply[:200])
    return _move(ledger, hold_id, to if done else State.RETURNING, at, told)


def attempt(ledger: Ledger, hold_id: str, at: int, next_try: int, reply: str = "") -> int:
    """Record that a release, correction or return was not taken this time; return how often it was tried."""
    state = _state(ledger.db, hold_id)
    if state not in IN_PROGRESS:
        raise IllegalMoveError(f"{hold_id}: is {state}; only what is on its way can be tried again")
    row, tries, lookup = ledger.db.execute(
        "UPDATE hold SET tries = tries + 1, next_try = ? WHERE public = ? RETURNING id, tries, lookup",
        (next_try, hold_id),
    ).fetchone()
    told = json.dumps({"tries": tries, "reply": reply[:200], "next": next_try}, separators=(",", ":")).encode("ascii")
    ledger.append(at, Kind.ATTEMPT, payload_of((), told), lookup, row)
    return int(tries)


def _claimed(ledger: Ledger, token: str) -> list[tuple[str, str]]:
    """Return (id, state) of the holds that a session claimed."""
    select = "SELECT h.public, h.state FROM claim c JOIN hold h ON h.id = c.hold WHERE c.token = ?"
    return ledger.db.execute(select, (token,)).fetchall()


def _make_firm(ledger: Ledger, hold_id: str, at: int) -> None:
    moved = _move(ledger, hold_id, State.WAITING, at, payload_of((), b"null"))
    questions.renew(ledger.db, moved.question, at)
    questions.wake(ledger.db, moved.question)


def _permit(action: Action, actor: Actor, *, own: bool, disposition: str, choices: str) -> None:
    """Return quietly when the actor may do this. Raises an error of the `ForbiddenError` branch."""
    if not actor.name and actor.address is None and actor.role is not Role.SYSTEM:
        raise ForbiddenError("every action names its actor")
    if action not in MAY[actor.role]:
        raise ForbiddenError(f"as {actor.role} nobody may {action}")
    if actor.role is Role.AUTHOR and not own:
        raise NotYoursError("this copy was sent by somebody else")
    if action is Action.RELEASE and disposition in BY_NOBODY:
        raise NotOfferedError("the policy lets nobody send this copy; it goes back to its author")
    if own and action is Action.RELEASE and disposition in BY_ANOTHER:
        raise OwnRequestError("nobody approves their own request; another reviewer must release it")
    if actor.role is Role.AUTHOR and CHOICE_OF[action] not in choices.split(","):
        raise NotOfferedError("the rule that held it does not offer this choice; ask a reviewer")


def _is_author(db: sqlite3.Connection, actor: Actor, author: int | None) -> bool:
    """Return whether the actor is the author: by address, or by a login that is the author's local part or address.

    A login says less than an address; where it could be the author's, it counts as theirs.
    """
    if author is None:
        return False
    if actor.address is not None:
        return actor.address == author
    key = address_texts(db, (author,)).get(author, "")
    return bool(actor.name) and actor.name.lower() in (key, key.rpartition("@")[0])


def _move(ledger: Ledger, hold_id: str, to: State, at: int, payload: bytes) -> Moved:
    """Change the state and append the ledger row. The only place where a state changes."""
    state = _state(ledger.db, hold_id)
    if to not in MOVES[state]:
        raise IllegalMoveError(f"{hold_id}: is {state}, which does not lead to {to}")
    next_try = at if to in IN_PROGRESS else None
    forget = (
        ", sender_raw = NULL, sender_params = NULL, recipient_raw = NULL, recipient_params = NULL"
        if to in FINAL
        else ""
    )
    row, question, spool, author, recipient, message_id, lookup = ledger.db.execute(
        f"UPDATE hold SET state = ?, changed_at = ?, next_try = ?, tries = 0{forget} WHERE public = ?"
        " RETURNING id, question, spool, author, recipient, message_id, lookup",
        (to, at, next_try, hold_id),
    ).fetchone()
    ledger.append(at, KIND_OF[to], payload, lookup, row)
    if state is State.WAITING:
        questions.settle(ledger.db, question)
    return Moved(hold_id, to, row, question, spool, author, recipient, message_id.decode("utf-8", "surrogateescape"))


def _state(db: sqlite3.Connection, hold_id: str) -> State:
    found = db.execute("SELECT state FROM hold WHERE public = ?", (hold_id,)).fetchone()
    if found is None:
        raise UnknownHoldError(f"{hold_id[:17]}: there is no such hold")
    return State(found[0])


def _told(actor: Actor, reason: str, corrected: int | None, **more: Any) -> bytes:
    """Return the payload that names the actor; addresses stand in it by index."""
    numbers = [n for n in (actor.address, corrected) if n is not None]
    who: dict[str, Any] = {"role": actor.role, "by": actor.by}
    if actor.address is not None:
        who["address"] = 0
    if actor.name:
        who["login"] = actor.name
    body: dict[str, Any] = {"actor": who, **more}
    if reason:
        body["reason"] = reason
    if corrected is not None:
        body["corrected"] = len(numbers) - 1
    return payload_of(numbers, json.dumps(body, separators=(",", ":")).encode("ascii"))


def _insert(
    ledger: Ledger, state: State, question: int, message: HeldMessage, copy: HeldCopy, at: int
) -> tuple[int, str]:
    public = new_public_id("H")
    row = ledger.db.execute(
        "INSERT INTO hold (public, copy_key, state, question, decision, lookup, message_id, spool, disposition,"
        " choices, blind, received, author, sender, recipient, sender_raw, sender_params, recipient_raw, recipient_params, held_at,"
        " changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            public, copy.copy_key, state, question, message.decision, message.lookup, message.message_id.encode("utf-8", "surrogateescape"),
            message.spool, copy.disposition, ",".join(copy.choices), copy.blind, message.received, message.author, message.sender,
            copy.recipient, message.sender_raw, b" ".join(message.sender_params), copy.recipient_raw,
            b" ".join(copy.recipient_params), at, at,
        ),
    ).fetchone()  # fmt: skip
    return int(row[0]), public
