"""The one writer of a near index: appends to the tail, merges, replaces, forgets."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from nixie.store.near_base import NearError, base_path, current_generation, open_base
from nixie.store.near_content import content_of, ranked, sync_folder, write_base
from nixie.store.near_kinds import DOMAINS
from nixie.store.near_merge import merge
from nixie.store.near_tail import ADD, FORGET, POSITION, decode, encode, encode_position, segment_path, segments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nixie.store.near_kinds import Kind

MERGE_AT_LEAST = 4096
"""Names in the tail before a merge is worth its work."""

MERGE_SHARE = 16
"""A merge is due when the tail has one name for this many in the base."""

MERGE_AT_MOST = 1 << 17
"""Or so many, whatever the base: every reader has the tail in its own memory."""


def rewrite(folder: Path, upto: int, names: Iterable[tuple[str, int]], kind: Kind = DOMAINS, position: int = 0) -> int:
    """Write the base of generation `upto` from (name, weight) pairs alone; return how many names it holds.

    What stood in the segments up to that number is dropped. As with `near_merge.merge`, any process may do the work.
    """
    found, weights = ranked(names, kind)
    write_base(folder, upto, content_of(found, weights, kind, position), kind)
    return len(found)


class NearWriter:
    """The writer of one folder, which is made when it is missing. A context manager; `close` gives the folder free.

    `position` is the last one that was appended, 0 before the first. Raises `NearError` when another process writes there.
    """

    def __init__(self, folder: Path, kind: Kind = DOMAINS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._kind = kind
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise NearError(f"{folder}: another process writes this index; stop it or wait for its end") from None
        self._file = -1
        self.position = self._known = 0
        generation = current_generation(folder)
        self._count_base(generation)
        self._clear(generation)
        self._waiting = self._forgets = 0
        self._merging = (0, 0)
        self._open(max([generation + 1, *segments(folder)]))
        for number in segments(folder):
            self._count(segment_path(folder, number).read_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder free; calling it twice does nothing."""
        for number in (self._file, self._lock):
            if number >= 0:
                os.close(number)
        self._file = self._lock = -1

    def append(self, names: Iterable[str], position: int = 0) -> int:
        """Add domains (or addresses) to the tail, durable on return; return how many.

        Each time counts once towards the weight, from the next merge on. What is no domain (empty, a literal, longer than
        a domain can be) is left out. `position` is kept with them: both are in the tail, or neither.
        """
        return self._write(ADD, names, position)

    def forget(self, name: str) -> None:
        """Hide a name from readers at once; the next merge, which is then due, takes it out of the files."""
        self._write(FORGET, (name,))

    def should_merge(self) -> bool:
        """Return whether the tail has grown enough for a merge, or something is to be forgotten."""
        return self._forgets > 0 or self._waiting >= max(MERGE_AT_LEAST, min(self._known // MERGE_SHARE, MERGE_AT_MOST))

    def begin_merge(self) -> int:
        """Begin a new segment and return the number up to which the others may be merged now.

        `near_merge.merge(folder, number)` may then run in another process, while this one goes on to append; `end_merge`
        follows.
        """
        upto = self._segment
        self._open(upto + 1)
        self._merging = (self._waiting, self._forgets)
        return upto

    def end_merge(self) -> None:
        """Clear away what the finished merge made superfluous; after a merge that failed, nothing (the next takes all)."""
        generation = current_generation(self._folder)
        if generation < self._segment - 1:
            return
        self._count_base(generation)
        self._clear(generation)
        self._waiting -= self._merging[0]
        self._forgets -= self._merging[1]

    def merge(self) -> int:
        """Make the next base from base and tail; return how many names it has. Readers switch by themselves."""
        count = merge(self._folder, self.begin_merge(), self._kind)
        self.end_merge()
        return count

    def rebuild(self, names: Iterable[tuple[str, int]], position: int = 0) -> int:
        """Replace base and tail by these (name, weight) pairs; return how many names there are.

        What is appended meanwhile stays in the tail.
        """
        count = rewrite(self._folder, self.begin_merge(), names, self._kind, position)
        self.end_merge()
        self.position = position
        return count

    def _count_base(self, generation: int) -> None:
        """Take up how many names the base has, and how far it goes."""
        if generation:
            base = open_base(self._folder, generation, self._kind)
            self._known, self.position = len(base), max(self.position, base.position)

    def _open(self, number: int) -> None:
        """Go on with a segment; what a crash left of its last record is cut away."""
        path = segment_path(self._folder, number)
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._segment = number
        whole = decode(path.read_bytes())[1]
        os.ftruncate(self._file, whole)
        sync_folder(self._folder)

    def _write(self, kind: int, names: Iterable[str], position: int = 0) -> int:
        """Append records and sync them; return how many."""
        records = [record for name in names if (record := encode(kind, name, self._kind.one))]
        if records or position > self.position:
            told = encode_position(position) if position > self.position else b""
            self._put(b"".join((*records, told)))
            self.position = max(self.position, position)
            self._waiting += len(records) if kind == ADD else 0
            self._forgets += len(records) if kind == FORGET else 0
        return len(records)

    def _put(self, data: bytes) -> None:
        """Write and sync all of the data, or leave the segment as it was and raise OSError (disk full)."""
        size = os.fstat(self._file).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _count(self, data: bytes) -> None:
        """Count the records of a segment that an earlier writer left."""
        for record in decode(data)[0]:
            if record.kind == POSITION:
                self.position = max(self.position, record.position)
            self._waiting += record.kind == ADD
            self._forgets += record.kind == FORGET

    def _clear(self, generation: int) -> None:
        """Remove files that no reader will open any more; processes that have them mapped keep them until they switch."""
        keep = base_path(self._folder, generation)
        for path in self._folder.glob("base-*.near"):
            if path != keep:
                path.unlink(missing_ok=True)
        for path in self._folder.glob("*.new"):
            path.unlink(missing_ok=True)
        for number in segments(self._folder):
            if number <= generation:
                segment_path(self._folder, number).unlink(missing_ok=True)
