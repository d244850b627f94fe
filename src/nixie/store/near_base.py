"""The base of the near index: one immutable file a generation, mapped by every process and copied by none.

    header     magic, generation, number of names, number of entries, bytes of names, checksum of these, position
    entries    u64, sorted: 40 bits of a key, 24 bits of the rank of a name that has it
    signatures u64 by rank (addresses only)
    fences     u32: where the entries of each cell begin, a cell being so many high bits of a key (addresses only)
    weights    u32 by rank, highest first: how often the domain or address was written to
    offsets    u32, one more than names: where each name begins
    names      all domains or addresses in order of rank, one after the other

Ranks follow the weights, so the names of a bucket lie in the order in which they are proposed, and a cut is a slice.
`position` says how far the database was read into the index (addresses only).
`CURRENT` names the generation that counts. How a base comes to be is in `near_content`; old files can be removed while they
are mapped.
"""

from __future__ import annotations

import mmap
import os
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from nixie.store.db import StoreError
from nixie.store.near_keys import MAX_RANK, buckets, slots
from nixie.store.near_kinds import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from nixie.store.near_keys import Words
    from nixie.store.near_kinds import Kind

HEADER = struct.Struct("<8sQQQQI4xQ8x")
_CHECKED = struct.Struct("<8sQQQQ")
CURRENT = "CURRENT"


class NearError(StoreError):
    """The near index cannot be used: the text names the file and the remedy."""


def base_path(folder: Path, generation: int) -> Path:
    """Return where the base of a generation lies."""
    return folder / f"base-{generation:08d}.near"


@dataclass(frozen=True, slots=True, repr=False)
class Base:
    """One mapped generation. Ranks count from 0, the most written-to domain or address first."""

    kind: Kind = field(repr=False)
    generation: int
    position: int
    entries: Words
    numbers: memoryview = field(compare=False)
    signatures: Words
    fences: memoryview = field(compare=False)
    shift: int
    weights: NDArray[np.uint32]
    offsets: memoryview = field(compare=False)
    names: memoryview = field(compare=False)

    def __len__(self) -> int:
        return len(self.weights)

    def name(self, rank: int) -> str:
        """Return the name of a rank."""
        return str(self.names[self.offsets[rank] : self.offsets[rank + 1]], "utf-8", "surrogatepass")

    def rank_of(self, name: str) -> int:
        """Return the rank of a name, -1 when it is not in the base."""
        keys = self.kind.one(name)
        spans = self.spans(slots(keys).tolist())
        if not spans or len(spans) < len(keys):
            return -1  # a name lies in the bucket of each of its keys
        begin, end = min(spans, key=lambda span: span[1] - span[0])
        ranks = (entry & MAX_RANK for entry in self.numbers[begin:end])
        return next((rank for rank in ranks if self.name(rank) == name), -1)

    def spans(self, wanted: Iterable[int]) -> list[tuple[int, int]]:
        """Return where the bucket of each slot (`near_keys.slots`) begins and ends in the entries, of those that have one."""
        numbers, fences, shift = self.numbers, self.fences, self.shift
        found = []
        for slot in wanted:
            cell = slot >> shift
            last = fences[cell + 1]
            begin = bisect_left(numbers, slot, fences[cell], last)
            if begin < last and numbers[begin] - slot <= MAX_RANK:
                found.append((begin, bisect_right(numbers, slot | MAX_RANK, begin + 1, last)))
        return found

    def buckets(self, keys: Words, limit: int) -> list[list[int]]:
        """Return the ranks in the bucket of each key that has one, the best `limit` of each."""
        return buckets(self.entries, self.numbers, keys, limit)


def _parts(kind: Kind, names: int, entries: int, text: int) -> tuple[int, ...]:
    """Return where entries, signatures, fences, weights, offsets and names begin, and where the file ends."""
    signed = kind.signed
    sizes = (
        8 * entries,
        8 * names if signed else 0,
        4 * ((1 << cell_bits(entries)) + 1) if signed else 0,
        4 * names,
        4 * (names + 1),
        text,
    )
    ends = [HEADER.size]
    for size in sizes:
        ends.append(ends[-1] + size)
    return tuple(ends)


def cell_bits(entries: int) -> int:
    """Return how many high bits of a key make a cell: some eight to sixteen entries lie in one."""
    return max(0, entries.bit_length() - 4)


def empty(kind: Kind = DOMAINS) -> Base:
    """Return a base without names, generation 0: what a folder holds before the first build."""
    nothing = np.zeros(0, np.uint64)
    return Base(
        kind,
        0,
        0,
        nothing,
        memoryview(b"").cast("Q"),
        nothing,
        memoryview(bytes(8)).cast("I"),
        64,
        np.zeros(0, np.uint32),
        memoryview(b"\0\0\0\0").cast("I"),
        memoryview(b""),
    )


def open_base(folder: Path, generation: int, kind: Kind = DOMAINS) -> Base:
    """Map the base of a generation. Raises `FileNotFoundError` when a merge removed it, `NearError` when it is damaged."""
    path = base_path(folder, generation)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < HEADER.size:
            raise _damaged(path)
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    _, number, names, entries, text, _, position = HEADER.unpack_from(view)
    if number != generation or view[: HEADER.size] != header_of(kind, number, names, entries, text, position):
        raise _damaged(path)
    ends = _parts(kind, names, entries, text)
    if ends[-1] != size:
        raise _damaged(path)
    _, at_signatures, at_fences, at_weights, at_offsets, at_names, end = ends
    signed = kind.signed
    fences = view[at_fences:at_weights] if signed else np.array([0, entries], np.uint32).data.cast("B")
    return Base(
        kind,
        generation,
        position,
        np.frombuffer(view, np.uint64, entries, HEADER.size),
        view[HEADER.size : at_signatures].cast("Q"),
        np.frombuffer(view, np.uint64, names if signed else 0, at_signatures),
        fences.cast("I"),
        64 - cell_bits(entries) if signed else 64,
        np.frombuffer(view, np.uint32, names, at_weights),
        view[at_offsets:at_names].cast("I"),
        view[at_names:end],
    )


def header_of(kind: Kind, generation: int, names: int, entries: int, text: int, position: int) -> bytes:
    """Return the header of a base, whose checksum covers all of it."""
    told = _CHECKED.pack(kind.magic, generation, names, entries, text)
    check = crc32(told + position.to_bytes(8, "little") if position else told)
    return HEADER.pack(kind.magic, generation, names, entries, text, check, position)


def _damaged(path: Path) -> NearError:
    return NearError(f"{path}: not a whole near index; remove its folder and build the index again")


def current_generation(folder: Path) -> int:
    """Return the generation that counts, 0 when none was built. Raises `NearError` when `CURRENT` is unreadable."""
    path = folder / CURRENT
    try:
        return int(path.read_text("ascii"))
    except FileNotFoundError:
        return 0
    except (ValueError, UnicodeDecodeError):
        raise _damaged(path) from None
