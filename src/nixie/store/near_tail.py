"""The tail of the near index: domains that came after the base was built, in files that only grow.

A tail is a row of numbered segments. The one writer appends records to the last; readers go on from where they stopped and
wait for nobody. A merge begins a new segment first, so that everything before it stands still and goes into the next base;
a base of generation *g* holds all segments up to *g*. A record carries its length and a checksum: one that a crash cut off
is passed over by readers and cut away by the next writer.

    u32 CRC-32 of the rest | u8 kind | u8 bytes of the name | u16 number of keys | name | keys, u64 each
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
    from collections.abc import Iterator
    from pathlib import Path

    from nixie.store.near_keys import Words

HEAD = struct.Struct("<IBBH")
ADD, FORGET = 1, 2
READ_AT_ONCE = 1 << 22
"""Bytes of a segment that one refresh takes, some ten thousand domains: no reader stalls behind a long learning run."""


@dataclass(frozen=True, slots=True)
class Record:
    """A domain that was added or forgotten, with its keys."""

    kind: int
    domain: str
    keys: Words


def segment_path(folder: Path, number: int) -> Path:
    """Return where a segment lies."""
    return folder / f"tail-{number:08d}.log"


def segments(folder: Path) -> list[int]:
    """Return the numbers of the segments in a folder, in order."""
    return sorted(int(path.stem[5:]) for path in folder.glob("tail-*.log") if path.stem[5:].isdigit())


def encode(kind: int, domain: str) -> bytes:
    """Return the record for a domain; `b""` for one that has no keys, which no look-up could find."""
    keys = one(domain)
    if not len(keys):
        return b""
    name = domain.encode("utf-8", "surrogatepass")
    if len(name) > 255:
        return b""
    rest = HEAD.pack(0, kind, len(name), len(keys))[4:] + name + keys.tobytes()
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
        name_at = at + HEAD.size
        keys_at = name_at + name_size
        end = keys_at + 8 * count
        if end > len(data) or crc32(view[at + 4 : end]) != check:
            break
        name = str(view[name_at:keys_at], "utf-8", "surrogatepass")
        found.append(Record(kind, name, np.frombuffer(data, "<u8", count, keys_at).astype(np.uint64)))
        at = end
    return found, at


def read_segment(path: Path) -> Iterator[Record]:
    """Yield the records of a segment that stands still."""
    yield from decode(path.read_bytes())[0]


class TailReader:
    """The tail in memory, as far as it was read: about 250 bytes a domain."""

    def __init__(self, folder: Path, first: int) -> None:
        self._folder = folder
        self._begin(first)
        self._ranks: dict[str, int] = {}
        self.names: list[str] = []
        self.entries: Words = np.zeros(0, np.uint64)
        self._numbers = memoryview(b"").cast("Q")
        self.forgotten: set[str] = set()
        self.turns = 0
        """How often a domain was forgotten or came back."""

    def buckets(self, keys: Words, limit: int) -> list[list[int]]:
        """Return the numbers (into `names`) in the bucket of each key that has one, the first `limit` of each."""
        return buckets(self.entries, self._numbers, keys, limit)

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
        """Add the domains of records, hide those that are forgotten."""
        parts = [self.entries]
        for record in records:
            if record.kind == FORGET:
                self.forgotten.add(record.domain)
                self.turns += 1
                continue
            if record.domain in self.forgotten:
                self.forgotten.remove(record.domain)
                self.turns += 1
            if record.domain not in self._ranks:
                rank = self._ranks[record.domain] = len(self.names)
                self.names.append(record.domain)
                parts.append(pack(record.keys, np.array(rank, np.uint64)))
        if len(parts) > 1:
            self.entries = np.concatenate(parts)
            self.entries.sort()
            self._numbers = memoryview(self.entries)  # type: ignore[arg-type]
