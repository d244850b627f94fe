"""Questions to people: one per author and Message-ID, with its steps in time and the generation of its answers.

A mail server may split one message into five transactions; the author is asked once. Silence moves a question along
four steps, each done at most once: notice, reminder, escalation to the reviewers, return to the author. Nothing is ever
sent or dropped by silence.

* QuestionError
  x UnknownQuestionError   there is none with this id
  x StaleAnswerError       it was answered meanwhile: the form or link was used before
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3


class QuestionError(Exception):
    """The question cannot be used so."""


class UnknownQuestionError(QuestionError):
    """There is no question with this id."""


class StaleAnswerError(QuestionError):
    """The question was answered since the form was shown."""


class Step(StrEnum):
    """What is done about a question, in the order in which silence brings it."""

    NOTICE = "notice"
    REMIND = "remind"
    ESCALATE = "escalate"
    RETURN = "return"


_AT = ", ".join(f"{step}_at" for step in Step)
_DONE = ", ".join(f"{step}_done" for step in Step)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When each step is due, milliseconds UTC; None: this step is never taken."""

    notice: int | None = None
    remind: int | None = None
    escalate: int | None = None
    return_: int | None = None

    def values(self) -> tuple[int | None, int | None, int | None, int | None]:
        """Return them in the order of `Step`."""
        return self.notice, self.remind, self.escalate, self.return_


@dataclass(frozen=True, slots=True)
class Question:
    """One question: public id, address number of the author (0: nobody known), how often it was answered plus one.

    `opened` is when its steps began to count.
    """

    id: str
    row: int
    author: int
    opened: int
    generation: int
    lookup: bytes
    deadlines: Deadlines
    done: Deadlines


@dataclass(frozen=True, slots=True)
class Due:
    """A question with the steps whose time has come, in order."""

    question: Question
    steps: tuple[Step, ...]


def new_public_id(prefix: str) -> str:
    """Return a short id that nobody guesses and anybody can read out: a letter and 80 random bits in base32."""
    return prefix + b32encode(secrets.token_bytes(10)).decode("ascii")


def ask(db: sqlite3.Connection, author: int, lookup: bytes, at: int, deadlines: Deadlines, *, firm: bool) -> int:
    """Return the row of the one question about this message to this author, opened now if there is none.

    A copy that is held after the notice went makes the notice due again: the same question, the same page, but nobody
    is left untold. After everything was answered, or went back, the question begins anew: a copy always has an end. With
    `firm` false nothing becomes due until `wake`.
    """
    found = db.execute("SELECT id FROM question WHERE author = ? AND lookup = ?", (author, lookup)).fetchone()
    if found is None:
        row = db.execute(
            f"INSERT INTO question (public, author, lookup, opened, {_AT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (new_public_id("Q"), author, lookup, at, *deadlines.values()),
        ).fetchone()[0]
    else:
        row = found[0]
        waits = db.execute(
            "SELECT 1 FROM hold h JOIN question q ON q.id = h.question"
            " WHERE q.id = ? AND h.state = 'waiting' AND q.return_done IS NULL LIMIT 1",
            (row,),
        ).fetchone()
        if not waits:
            settings = ", ".join([*(f"{s}_at = ?" for s in Step), *(f"{s}_done = NULL" for s in Step)])
            db.execute(f"UPDATE question SET opened = ?, {settings} WHERE id = ?", (at, *deadlines.values(), row))
        elif firm:
            renew_notice(db, row, deadlines.notice)
    if firm:
        wake(db, row)
    return int(row)


def renew_notice(db: sqlite3.Connection, row: int, at: int | None) -> None:
    """Make the notice due again where it went out before the latest copy was held."""
    db.execute(
        "UPDATE question SET notice_at = ?, notice_done = NULL WHERE id = ? AND notice_done IS NOT NULL", (at, row)
    )


def renew(db: sqlite3.Connection, row: int, at: int) -> None:
    """Let a copy that became firm at `at` be asked about: the notice is due again, or everything where the end was reached.

    The steps then keep their distances from the beginning: a session may have ended long after the others were returned.
    """
    renew_notice(db, row, at)
    moved = ", ".join(f"{s}_at = {s}_at - opened + :at, {s}_done = NULL" for s in Step if s is not Step.NOTICE)
    db.execute(
        f"UPDATE question SET opened = :at, notice_at = :at, notice_done = NULL, {moved}"
        " WHERE id = :row AND return_done IS NOT NULL",
        {"at": at, "row": row},
    )


def wake(db: sqlite3.Connection, row: int) -> None:
    """Set when the question is next due: after a step, a new hold, a confirmation."""
    at, done = _times(db, row)
    pending = [when for when, was in zip(at, done, strict=True) if when is not None and was is None]
    db.execute("UPDATE question SET next_due = ? WHERE id = ?", (min(pending, default=None), row))


def settle(db: sqlite3.Connection, row: int) -> None:
    """Let the question rest when no copy of it waits any more."""
    db.execute(
        "UPDATE question SET next_due = NULL WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM hold WHERE question = ?1 AND state = 'waiting')",
        (row,),
    )


def answered(db: sqlite3.Connection, row: int, generation: int | None) -> None:
    """Count an answer. Raises `StaleAnswerError` when the form that was used shows an older generation."""
    if generation is None:
        db.execute("UPDATE question SET generation = generation + 1 WHERE id = ?", (row,))
        return
    changed = db.execute(
        "UPDATE question SET generation = generation + 1 WHERE id = ? AND generation = ?", (row, generation)
    ).rowcount
    if changed == 0:
        raise StaleAnswerError("this question was answered meanwhile; look at it again before you decide")


def done(db: sqlite3.Connection, question_id: str, step: Step, at: int) -> Question:
    """Record that a step was taken. Raises `UnknownQuestionError`."""
    question = find_question(db, question_id)
    db.execute(f"UPDATE question SET {step.value}_done = ? WHERE id = ?", (at, question.row))
    wake(db, question.row)
    settle(db, question.row)
    return question


def due(db: sqlite3.Connection, now: int, limit: int = 1000) -> tuple[Due, ...]:
    """Return the questions with a step whose time has come, the longest overdue first."""
    rows = db.execute(f"{_SELECT} WHERE next_due <= ? ORDER BY next_due LIMIT ?", (now, limit)).fetchall()
    return tuple(Due(q, _steps(q, now)) for q in map(_question, rows))


def find_question(db: sqlite3.Connection, question_id: str) -> Question:
    """Return the question. Raises `UnknownQuestionError`."""
    row = db.execute(f"{_SELECT} WHERE public = ?", (question_id,)).fetchone()
    if row is None:
        raise UnknownQuestionError("there is no such question here; it may belong to another installation")
    return _question(row)


_SELECT = f"SELECT public, id, author, opened, generation, lookup, {_AT}, {_DONE} FROM question"


def _question(row: tuple[Any, ...]) -> Question:
    public, number, author, opened, generation, lookup = row[:6]
    return Question(public, number, author, opened, generation, lookup, Deadlines(*row[6:10]), Deadlines(*row[10:14]))


def _steps(question: Question, now: int) -> tuple[Step, ...]:
    rows = zip(Step, question.deadlines.values(), question.done.values(), strict=True)
    return tuple(step for step, at, was in rows if was is None and at is not None and at <= now)


def _times(db: sqlite3.Connection, row: int) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    values = db.execute(f"SELECT {_AT}, {_DONE} FROM question WHERE id = ?", (row,)).fetchone()
    return values[:4], values[4:]
