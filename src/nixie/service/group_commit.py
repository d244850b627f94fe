"""The group commit: everything that waits goes into one transaction, is synced once, and is answered.

A request that fails is undone alone (SAVEPOINT) and does not hurt its group. When the commit itself fails (disk full, database
locked) nobody in the group was recorded and everybody hears "store", which a door turns into "try again later". Events are
counted for the whole group together; when one cannot be, the group is done again one by one, and shows whose it was.

There are no sockets here: `service.recorder` has them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from nixie.service.folding import AGAIN_SECONDS, Folding
from nixie.service.recording import HANDLERS, NOWHERE, Records
from nixie.service.steps import Step, reached
from nixie.store import heads, mailing_queue
from nixie.store.db import begin, open_writer, writing
from nixie.store.hold_states import ForbiddenError, HoldError, IllegalMoveError, UnknownHoldError
from nixie.store.hold_views import referenced_spools
from nixie.store.holds import void_stale
from nixie.store.knowledge import teach
from nixie.store.ledger import Ledger, LedgerError
from nixie.store.questions import QuestionError, StaleAnswerError, UnknownQuestionError
from nixie.store.retries import forget_retries
from nixie.store.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nixie.core.events import Answer, Event
    from nixie.core.organisation import Organisation
    from nixie.service.frames import Head
    from nixie.service.recording import Handler
    from nixie.store.keys import Keys
    from nixie.store.knowledge import Taught
    from nixie.store.ledger import Tail

    Teach = Callable[
        [sqlite3.Connection, Sequence[Event], Sequence[Answer], Mapping[str, tuple[int, int]]], Taught | None
    ]

log = structlog.get_logger("nixie.recorder")

BUSY_SECONDS = 3.0
"""Somebody else (a backup, `nixie learn`) may hold the database this long before a group is answered "store"."""
CODES: tuple[tuple[type[Exception], str], ...] = (
    (StaleAnswerError, "stale"),
    (ForbiddenError, "forbidden"),
    (IllegalMoveError, "illegal"),
    (UnknownHoldError, "unknown"),
    (UnknownQuestionError, "unknown"),
    (HoldError, "hold"),
    (QuestionError, "question"),
    (LedgerError, "ledger"),
)
"""What an answer calls an error; everything else is `bad`, by the name of its class alone."""


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Where the recorder works and how often it does its chores; times in seconds."""

    database: Path
    socket: Path
    heads: Path
    spool: Path
    sign_rows: int = 1000
    sign_seconds: float = 60.0
    chores_seconds: float = 300.0
    stale_seconds: float = 1200.0
    """A provisional hold this old belongs to a dead session (RFC 5321, section 4.5.3.2.6: ten minutes after the dot)."""
    orphan_seconds: float = 3600.0
    """A spool file this old that no hold refers to was left behind."""
    retry_seconds: float = 7 * 86400.0
    organisation: Organisation = NOWHERE


@dataclass(frozen=True, slots=True)
class Hooks:
    """What others add.

    `new_domains` is called after a commit that met some. Once a UTC day `nightly` gets the recorder's own connection outside
    any transaction, and everybody waits for it: moments only. `night` is a task beside the traffic for what takes longer;
    it gets the database's path, for a connection and a thread of its own. `handlers` are further kinds of request.
    """

    teach: Teach = teach
    new_domains: Callable[[Sequence[str]], None] | None = None
    nightly: Callable[[sqlite3.Connection], None] | None = None
    night: Callable[[Path], Awaitable[None]] | None = None
    handlers: Mapping[str, Handler] = field(default_factory=dict)


class Recorder:
    """The group commit, without sockets: a list of requests in, the list of their answers out."""

    def __init__(
        self, settings: RecorderSettings, keys: Keys, hooks: Hooks, now: Callable[[], float] = time.time
    ) -> None:
        self.settings, self._keys, self._hooks, self._now = settings, keys, hooks, now
        self._db = open_writer(settings.database)
        self._db.execute("PRAGMA busy_timeout = 0")  # `begin` waits, and wakes up sooner
        self.busy_seconds = BUSY_SECONDS
        self._spool = Spool(settings.spool, keys.spool)
        self._records = Records(self._db, Ledger(self._db), self._signed, self._spool, settings.organisation)
        self._handlers = {**HANDLERS, **hooks.handlers}
        self.folding = Folding(self._db, hooks.new_domains)
        self._signed_seq, self._signed_at, self._night = 0, now(), int(now() // 86400)

    @property
    def rows(self) -> int:
        """Return how many rows the ledger has."""
        return self._records.ledger.tail.seq

    def close(self) -> None:
        """Sign what is there and let the database go."""
        self.sign(force=True)
        self._db.close()

    def fold_all(self) -> None:
        """Learn every mail that waits, as far as the database can be written now."""
        self.folding.pause = 0.0
        while self.folding.waiting and self.folding.pause < AGAIN_SECONDS:
            self.folding.fold()

    def commit(self, group: Sequence[tuple[Head, bytes]]) -> list[Head]:
        """Record all requests of a group in one transaction; return their answers in order. Never raises."""
        start = self._records.mark()
        try:
            begin(self._db, self.busy_seconds)
            alone = len(group) == 1
            answers = [self._one(head, body, alone=alone) for head, body in group]
            counted = self._count()
            if counted:
                reached(Step.BEFORE_COMMIT)
                self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody was recorded and everybody must hear so
            self._back(start)
            log.error("group not recorded", requests=len(group), error=error)
            return [_answer(head, {"error": "store", "text": type(error).__name__}) for head, _ in group]
        if not counted:
            self._back(start)
            if len(group) == 1:
                return [_answer(group[0][0], {"error": "bad", "text": "events that cannot be counted"})]
            return [answer for request in group for answer in self.commit((request,))]
        reached(Step.AFTER_COMMIT)
        self._after_commit()
        return answers

    def _one(self, head: Head, body: bytes, *, alone: bool) -> Head:
        """Record one request, or undo it alone (one without company needs no savepoint). Raises only what ends the whole group."""
        mark = self._records.mark()
        if not alone:
            self._db.execute("SAVEPOINT request")
        try:
            answer = self._handlers.get(head.get("do", ""), _no_such)(self._records, head, body)
        except Exception as error:
            if _ends_all(error):
                raise
            if alone:
                self._db.execute("ROLLBACK")
                begin(self._db, self.busy_seconds)
            else:
                self._db.execute("ROLLBACK TO request")
            self._records.rewind(mark)
            answer = _error(error)
            if answer["error"] == "bad":
                log.warning("request refused", request=str(head.get("do"))[:20], error=error)
        if not alone:
            self._db.execute("RELEASE request")
        return _answer(head, answer)

    def _count(self) -> bool:
        """Count the group's events; false when one of them cannot be counted, and then whose it is shows one by one."""
        r = self._records
        if not (r.events or r.answers or r.mailings):
            return True
        try:
            taught = self._hooks.teach(self._db, r.events, r.answers, r.known)
            if r.mailings:
                mailing_queue.put(self._db, r.mailings)
        except Exception as error:
            if _ends_all(error):
                raise
            log.warning("events not counted", events=len(r.events), mailings=len(r.mailings), error=error)
            return False
        if taught is not None:
            r.new_domains += taught.new_domains
        return True

    def _back(self, start: tuple[Tail, tuple[int, ...]]) -> None:
        """Undo the whole group; SQLite may have done its part already."""
        with contextlib.suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        self._records.rewind(start)

    def _after_commit(self) -> None:
        """Do what had to wait for the commit; what fails here is a chore of later, never an answer of now."""
        r = self._records
        domains, afterwards = tuple(r.new_domains), tuple(r.afterwards)
        self.folding.waiting |= bool(r.mailings)
        r.clear()
        for later in afterwards:
            with _logged("clean up"):
                later()
        if domains and self._hooks.new_domains is not None:
            with _logged("new domains"):
                self._hooks.new_domains(domains)
        if r.ledger.tail.seq - self._signed_seq >= self.settings.sign_rows:
            self.sign()

    def sign(self, *, force: bool = False) -> None:
        """Append a signed head to the file of heads, if there is anything new to sign and, unless forced, it is time."""
        seq = self._records.ledger.tail.seq
        many = seq - self._signed_seq >= self.settings.sign_rows
        old = self._now() - self._signed_at >= self.settings.sign_seconds
        if seq > self._signed_seq and (force or many or old):
            with _logged("sign"):
                heads.keep(self._signed(), self.settings.heads)
                self._signed_seq, self._signed_at = seq, self._now()

    def chores(self) -> bool:
        """Void the holds of dead sessions, sweep the spool, forget old retries; return whether a new UTC day began."""
        now, r = self._now(), self._records
        tail = r.ledger.tail
        try:
            with writing(self._db, self.busy_seconds):
                void_stale(r.ledger, round((now - self.settings.stale_seconds) * 1000), round(now * 1000))
                forget_retries(self._db, round((now - self.settings.retry_seconds) * 1000))
        except sqlite3.Error as error:
            r.ledger.tail = tail
            log.error("chores failed", error=error)
            return False
        with _logged("sweep"):
            self._spool.sweep(referenced_spools(self._db), now - self.settings.orphan_seconds)
        day = int(now // 86400)
        began, self._night = day != self._night, day
        if began and self._hooks.nightly is not None:
            with _logged("nightly"):
                self._hooks.nightly(self._db)
        return began

    def _signed(self) -> heads.Head:
        tail = self._records.ledger.tail
        return heads.sign(tail.seq, tail.chain, round(self._now() * 1000), self._keys.heads)


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log an error of something that is not worth an answer, and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the recorder must live on
        log.error("chore failed", chore=what, error=error)


def _ends_all(error: Exception) -> bool:
    """Return whether the whole group is lost: disk full, locked, I/O. SQLite may have ended the transaction already."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR


def _no_such(_: Records, __: Head, ___: bytes) -> Head:
    raise ValueError("no such request")


def _answer(head: Head, told: Head) -> Head:
    return {"id": head.get("id"), **told}


def _error(error: Exception) -> Head:
    for kind, code in CODES:
        if isinstance(error, kind):
            return {"error": code, "text": str(error)}
    return {"error": "bad", "text": type(error).__name__}
