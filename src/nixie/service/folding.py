"""What passed the guard is learned between the commits, in transactions so short that no decision waits long for one."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from nixie.store import mailing_queue
from nixie.store.db import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = structlog.get_logger("nixie.recorder")

FOLD_SECONDS = 0.4
"""A mail waits so long for others: many at once cost half of what each alone does. A new contact is usable within a second."""
SHORT_SECONDS = 0.006
"""How long one transaction is meant to work: smaller ones on a busy machine would only make it busier."""
LEAST, MOST, GROWTH = 32, 2_000, 2.0
BUSY_SECONDS = 0.02
NORMAL = 1
"""In WAL mode the log is written and not synced at a commit."""
AGAIN_SECONDS = 0.05
"""After somebody else had the database."""
FAILED_SECONDS = 5.0
"""After the disk was full or broken."""


class Folding:
    """Folds the queue in portions that grow and shrink with the time they take."""

    def __init__(self, db: sqlite3.Connection, new_domains: Callable[[Sequence[str]], None] | None) -> None:
        self._db, self._new_domains = db, new_domains
        self._most = 64
        self._alone = 0
        self.waiting = True
        """Whether mails may wait: at first, what another left."""
        self.pause = FOLD_SECONDS
        """How long to wait before the next portion."""

    def fold(self) -> None:
        """Learn a portion of what waits; sets `waiting` and `pause`. Never raises."""
        most, began = (1 if self._alone else self._most), time.thread_time()
        try:
            with _unsynced(self._db), writing(self._db, BUSY_SECONDS):
                done = mailing_queue.fold(self._db, most)
        except Exception as error:  # noqa: BLE001 - the recorder must live on
            self._failed(most, error)
            return
        self._alone = max(0, self._alone - 1)
        if done.spoiled:
            log.warning("lines that are no mailings", lines=done.spoiled)
        self.waiting = done.rows == most
        self.pause = 0.0 if self.waiting else FOLD_SECONDS
        if done.rows == self._most:
            self._most = self._next(time.thread_time() - began)
        if done.new_domains and self._new_domains is not None:
            try:
                self._new_domains(done.new_domains)
            except Exception as error:  # noqa: BLE001 - the near index is mended by itself, the recorder must live on
                log.error("chore failed", chore="new domains", error=error)

    def _next(self, seconds: float) -> int:
        return round(min(MOST, max(LEAST, self._most * min(GROWTH, SHORT_SECONDS / max(seconds, 1e-6)))))

    def _failed(self, most: int, error: Exception) -> None:
        """Wait where the database cannot be written; else take the mails one by one, and drop the one that fails alone."""
        code = error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
        if code == sqlite3.SQLITE_BUSY:
            self.pause = AGAIN_SECONDS
            return
        if code != sqlite3.SQLITE_ERROR:
            self.pause = FAILED_SECONDS
            log.error("mails wait to be learned", error=error)
            return
        self.pause = 0.0
        if most > 1:
            self._alone = most
            return
        log.error("a mail was not learned", error=error)
        try:
            with writing(self._db, BUSY_SECONDS):
                mailing_queue.drop_oldest(self._db)
        except sqlite3.Error:
            self.pause = FAILED_SECONDS


@contextmanager
def _unsynced(db: sqlite3.Connection) -> Iterator[None]:
    """Commit without a sync: a power failure that takes the learning brings back the rows of the queue, and the next sync keeps both."""
    (level,) = db.execute("PRAGMA synchronous").fetchone()
    db.execute(f"PRAGMA synchronous = {min(level, NORMAL)}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA synchronous = {level}")
