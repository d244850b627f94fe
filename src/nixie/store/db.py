"""SQLite as everybody here opens it, and the numbered migrations.

One process writes (the recorder); everybody else reads through a read-only connection. Writing transactions are explicit
`BEGIN IMMEDIATE`: with WAL a deferred transaction that reads and then writes fails at once when somebody else wrote in
between, and `busy_timeout` does not help (SQLITE_BUSY_SNAPSHOT).
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_MS = 10_000
POLL_SECONDS = 0.0005
MMAP_BYTES = 1 << 30
CHECKPOINT_PAGES = 2_000
"""Pages of log before they go into the database: 8 MB, so that nobody waits for it much longer than 20 ms."""


class StoreError(Exception):
    """The store cannot be used: the text names the file and the remedy."""


def open_writer(path: Path) -> sqlite3.Connection:
    """Open (and make) the database for its only writer: WAL, every commit synced, migrations applied.

    Raises `StoreError` when the file was written by a newer Nixie.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA page_size = 4096")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    db.execute(f"PRAGMA mmap_size = {MMAP_BYTES}")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    migrate(db, str(path))
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the database for questions only.

    Pages are read and not mapped: after every commit of the recorder SQLite maps the whole file anew for the next question, which
    costs twice the question.
    """
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    db.execute("PRAGMA query_only = ON")
    return db


def begin(db: sqlite3.Connection, seconds: float) -> None:
    """Begin a writing transaction, waiting for another writer at most `seconds`; then raise sqlite3.OperationalError.

    For a connection without `busy_timeout`: SQLite's own waits grow to 100 ms and miss the gaps between another's short steps.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


@contextmanager
def writing(db: sqlite3.Connection, seconds: float = 0.0) -> Iterator[sqlite3.Connection]:
    """Run the block in one `BEGIN IMMEDIATE` transaction: committed at the end, rolled back on any error.

    `seconds` is how long to wait for another writer on a connection without `busy_timeout`.
    """
    begin(db, seconds)
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block in one read transaction, so that all its questions see the same moment; inside another one it joins that."""
    if db.in_transaction:
        yield db
        return
    db.execute("BEGIN")
    try:
        yield db
    finally:
        db.execute("COMMIT")


def migrations() -> list[tuple[int, str, str]]:
    """Return (number, name, SQL) of each migration in order; files are `store/migrations/NNNN_name.sql`."""
    found = []
    for entry in files("nixie.store").joinpath("migrations").iterdir():
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            found.append((int(number), name, entry.read_text("utf-8")))
    return sorted(found)


def migrate(db: sqlite3.Connection, where: str) -> None:
    """Apply the migrations that the database has not seen, each in a transaction of its own."""
    db.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
    done = {n for (n,) in db.execute("SELECT number FROM migration")}
    known = migrations()
    newer = done - {n for n, _, _ in known}
    if newer:
        raise StoreError(f"{where}: written by a newer Nixie (migration {max(newer)}); install that version or newer")
    for number, name, sql in known:
        if number not in done:
            with writing(db):
                for statement in sql.split(";\n"):
                    if statement.strip():
                        db.execute(statement)
                db.execute("INSERT INTO migration VALUES (?, ?)", (number, name))
