"""The tail of the near index: domains or addresses that came after the base was built, in files that only grow.

A tail is a row of numbered segments. The one writer appends records to the last; readers go on from where they stopped and
wait for nobody. A merge begins a new segment first, so that everything before it stands still and goes into the next base;
a base of generation *g* holds all segments up to *g*. A record carries its length and a checksum: one that a crash cut off
is passed over by readers and cut away by the next writer.

    u32 CRC-32 of the rest | u8 kind | u8 bytes of the name | u16 number of keys | name | keys, u64 each

The two low bits of the kind say what the record is: a name that was added or forgotten, or the position in the database up
to which everything is in the index. The six others are further bits of the size of the name.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from nixie.store.near_keys import buckets, one, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nixie.store.near_keys import Words

HEAD = struct.Struct("<IBBH")
ADD, FORGET, POSITION = 1, 2, 3
MAX_NAME = (1 << 14) - 1
READ_AT_ONCE = 1 << 20
"""Bytes of a segment that one refresh takes, thousands of names: no reader stalls behind a long learning run."""

FOLD = 1 << 13
"""Entries that came last are kept apart until there are so many, so that to take up a few costs a few."""

FOLD_SHARE = 8
"""Or until they are this share of all entries of the tail."""


@dataclass(frozen=True, slots=True)
class Record:
    """A domain or address that was added or forgotten, with its keys; or a position."""

    kind: int
    domain: str
    raw: bytes
    """The keys as they stand in the file: thousands are taken up together."""

    @property
    def keys(self) -> Words:
        """Return the keys."""
        return words(self.raw)

    @property
    def position(self) -> int:
        """Return the position that a `POSITION` record tells."""
        return int(self.domain)


def segment_path(folder: Path, number: int) -> Path:
    """Return where a segment lies."""
    return folder / f"tail-{number:08d}.log"


def segments(folder: Path) -> list[int]:
    """Return the numbers of the segments in a folder, in order."""
    return sorted(int(path.stem[5:]) for path in folder.glob("tail-*.log") if path.stem[5:].isdigit())


def words(raw: bytes) -> Words:
    """Return the keys of records, whose bytes are these."""
    return np.frombuffer(raw, "<u8").astype(np.uint64, copy=False)


def encode(kind: int, name: str, keys_of: Callable[[str], Words] = one) -> bytes:
    """Return the record for a domain or address; `b""` for one that has no keys, which no look-up could find."""
    keys = keys_of(name)
    raw = name.encode("utf-8", "surrogatepass")
    return _record(kind, raw, keys) if len(keys) and len(raw) <= MAX_NAME else b""


def encode_position(position: int) -> bytes:
    """Return the record that says up to where the database is in the index."""
    return _record(POSITION, b"%d" % position, np.zeros(0, np.uint64))


def _record(kind: int, name: bytes, keys: Words) -> bytes:
    size = len(name)
    rest = HEAD.pack(0, kind | size >> 8 << 2, size & 255, len(keys))[4:] + name + keys.tobytes()
    return crc32(rest).to_bytes(4, "little") + rest


def decode(data: bytes) -> tuple[list[Record], int]:
    """Return the whole records at the beginning of `data`, and how many bytes they take.

    Stops at the first record that is cut off or damaged.
    """
    found = []
    at = 0
    view = memoryview(data)
    while at + HEAD.size <= len(data):
        check, kind, name_size, count = HEAD.unpack_from(data, at)
        name_size |= kind >> 2 << 8
        name_at = at + HEAD.size
        keys_at = name_at + name_size
        end = keys_at + 8 * count
        if end > len(data) or crc32(view[at + 4 : end]) != check:
            break
        name = str(view[name_at:keys_at], "utf-8", "surrogatepass")
        found.append(Record(kind & 3, name, data[keys_at:end]))
        at = end
    return found, at


def read_segment(path: Path) -> Iterator[Record]:
    """Yield the records of a segment that stands still."""
    yield from decode(path.read_bytes())[0]


class TailReader:
    """The tail in memory, as far as it was read: about 250 bytes a name."""

    def __init__(self, folder: Path, first: int) -> None:
        self._folder = folder
        self._begin(first)
        self._ranks: dict[str, int] = {}
        self.names: list[str] = []
        self._settled = self._recent = _Entries(np.zeros(0, np.uint64))
        self.forgotten: set[str] = set()
        self.turns = 0
        """How often a name was forgotten or came back."""

    def buckets(self, keys: Words, limit: int) -> list[list[int]]:
        """Return the numbers (into `names`) in the bucket of each key that has one, the first `limit` of each."""
        return [
            bucket
            for entries in (self._settled, self._recent)
            for bucket in buckets(entries.sorted, entries.numbers, keys, limit)
        ]

    def refresh(self) -> bool:
        """Read on, at most `READ_AT_ONCE` bytes; return whether anything new was found."""
        found = False
        while True:
            # Looked for before the read: when the next segment is there, this one does not grow any more.
            last = not os.path.exists(self._next)  # noqa: PTH110 - asked for every message, at half the cost
            data = self._read()
            records, used = decode(data) if data else ([], 0)
            self._position += used
            if records:
                self._take(records)
                found = True
            if last or len(data) == READ_AT_ONCE:
                return found
            self._begin(self._segment + 1)

    def _begin(self, number: int) -> None:
        """Go on with a segment from its beginning."""
        self._segment = number
        self._position = 0
        self._path = str(segment_path(self._folder, number))
        self._next = str(segment_path(self._folder, number + 1))

    def _read(self) -> bytes:
        """Return the bytes behind those that were read."""
        try:
            if os.stat(self._path).st_size <= self._position:  # noqa: PTH116 - as above
                return b""
            number = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(number, READ_AT_ONCE, self._position)
        finally:
            os.close(number)

    def _take(self, records: list[Record]) -> None:
        """Add the names of records, hide those that are forgotten."""
        keys: list[bytes] = []
        first = len(self.names)
        for record in records:
            if record.kind == POSITION:
                continue
            if record.kind == FORGET:
                self.forgotten.add(record.domain)
                self.turns += 1
                continue
            if record.domain in self.forgotten:
                self.forgotten.remove(record.domain)
                self.turns += 1
            if record.domain not in self._ranks:
                self._ranks[record.domain] = len(self.names)
                self.names.append(record.domain)
                keys.append(record.raw)
        if keys:
            ranks = np.repeat(np.arange(first, len(self.names), dtype=np.uint64), [len(raw) // 8 for raw in keys])
            self._recent = self._recent.joined(pack(words(b"".join(keys)), ranks))
            if len(self._recent.sorted) > max(FOLD, len(self._settled.sorted) // FOLD_SHARE):
                self._settled, self._recent = (
                    self._settled.joined(self._recent.sorted),
                    _Entries(np.zeros(0, np.uint64)),
                )


class _Entries:
    """Sorted entries, and a view of them that gives plain integers."""

    def __init__(self, entries: Words) -> None:
        self.sorted = entries
        self.numbers: memoryview = entries.data

    def joined(self, more: Words) -> _Entries:
        """Return these and more, sorted; what is sorted already is only merged."""
        both = np.concatenate((self.sorted, more))
        both.sort(kind="stable")
        return _Entries(both)
