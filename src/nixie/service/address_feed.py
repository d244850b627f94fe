"""How addresses come into their near index: out of the database, by number, whoever put them there.

Whoever holds the index (the recorder while the guard runs, else a `nixie learn`) looks several times a second whether there are
numbers above the one that the index has reached. That number lies in the index itself, in the same write as the addresses up to
it, so nothing is lost or missing after a crash, and a commit of the mail path waits for no second sync.

An erased person has no text in the database any more, so nobody is proposed by it; the text leaves the index with the next
`tidy`, every night.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from nixie.service.listen import private_folder
from nixie.store import address_list
from nixie.store.db import open_reader
from nixie.store.near_content import replace
from nixie.store.near_kinds import ADDRESSES
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from nixie.service.places import Places

AT_ONCE = 2_000
"""Addresses that are appended with one sync."""

REBUILD_FROM = 50_000
"""When so many are missing, and more than a `REBUILD_SHARE` of what is known, writing everything anew is cheaper."""

REBUILD_SHARE = 4


class StoppedError(Exception):
    """The work was given up because the feed was closed; it is done again after the next start."""


class AddressFeed:
    """The one writer of the near index of addresses; a context manager. For any thread, one after the other.

    Raises `NearError` when another process writes there, and when the index is damaged.
    """

    def __init__(self, places: Places) -> None:
        self._database = places.database
        self._folder = private_folder(places.near_addresses)
        self._writer = NearWriter(self._folder, ADDRESSES)
        self._working = threading.Lock()
        self._closed = threading.Event()
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up what is under way and give the index free; calling it twice does nothing."""
        self._closed.set()
        with self._working:
            self._writer.close()
            if self._db is not None:
                self._db.close()
                self._db = None

    def take(self) -> int:
        """Put what is new into the index, durable and findable on return; return how many addresses.

        Some microseconds where nothing is new. Raises `StoppedError` when the feed is closed meanwhile.
        """
        with self._working:
            db = self._reader()
            if db is None:
                return 0
            last, reached = address_list.last_number(db), self._writer.position
            if last == reached:
                return 0
            if last < reached or reached == 0 or last - reached > max(REBUILD_FROM, reached // REBUILD_SHARE):
                return self._rebuild(db)
            count = 0
            while True:
                self._go_on()
                keys, number = address_list.addresses_after(db, self._writer.position, AT_ONCE)
                if number == self._writer.position:
                    break
                count += self._writer.append(keys, number)
            if self._writer.should_merge():
                self._writer.merge()
            return count

    def tidy(self) -> None:
        """Take the text of erased people out of the files, if there are any since the last time."""
        with self._working:
            db = self._reader()
            if db is not None and address_list.erased_addresses(db) != self._erased():
                self._rebuild(db)

    def _rebuild(self, db: sqlite3.Connection) -> int:
        """Write the index anew, ordered by how often each address was written to; return how many it holds."""
        db.execute("BEGIN")
        try:
            erased, last = address_list.erased_addresses(db), address_list.last_number(db)
            count = self._writer.rebuild(self._while_open(address_list.weighed_addresses(db, last)), last)
        finally:
            db.execute("COMMIT")
        replace(self._folder / "erased", b"%d\n" % erased)
        return count

    def _erased(self) -> int:
        """Return how many people had been erased when the index was written anew."""
        try:
            return int((self._folder / "erased").read_bytes())
        except (FileNotFoundError, ValueError):
            return 0

    def _reader(self) -> sqlite3.Connection | None:
        """Return a connection for questions; None before there is a database."""
        self._go_on()
        if self._db is None and self._database.exists():
            self._db = open_reader(self._database)
        return self._db

    def _while_open(self, rows: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        for number, row in enumerate(rows):
            if not number % AT_ONCE:
                self._go_on()
            yield row

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise StoppedError
