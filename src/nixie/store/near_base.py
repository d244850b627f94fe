"""The base of the near index: one immutable file a generation, mapped by every process and copied by none.

    header     magic, generation, number of domains, number of entries, bytes of names, checksum of these
    entries    u64, sorted: 40 bits of a key, 24 bits of the rank of a domain that has it
    weights    u32 by rank, highest first: how often the domain was written to
    offsets    u32, one more than domains: where each name begins
    names      all domains in order of rank, one after the other

Ranks follow the weights, so the domains of a bucket lie in the order in which they are proposed, and a cut is a slice.
A file is written under another name, synced and renamed; `CURRENT` names the generation that counts, and is replaced in
the same way. Old files can be removed while they are mapped.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from nixie.core.similarity import narrow_first
from nixie.store.db import StoreError
from nixie.store.near_keys import MAX_RANK, buckets, entries_of, one

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nixie.store.near_keys import Words

MAGIC = b"NIXNEAR1"
HEADER = struct.Struct("<8sQQQQI20x")
CURRENT = "CURRENT"
MAX_WEIGHT = 0xFFFF_FFFF


class NearError(StoreError):
    """The near index cannot be used: the text names the file and the remedy."""


def base_path(folder: Path, generation: int) -> Path:
    """Return where the base of a generation lies."""
    return folder / f"base-{generation:08d}.near"


@dataclass(frozen=True, slots=True, repr=False)
class Base:
    """One mapped generation. Ranks count from 0, the most written-to domain first."""

    generation: int
    entries: Words
    numbers: memoryview = field(compare=False)
    weights: NDArray[np.uint32]
    offsets: memoryview = field(compare=False)
    names: memoryview = field(compare=False)

    def __len__(self) -> int:
        return len(self.weights)

    def name(self, rank: int) -> str:
        """Return the domain of a rank."""
        return str(self.names[self.offsets[rank] : self.offsets[rank + 1]], "utf-8", "surrogatepass")

    def rank_of(self, domain: str) -> int:
        """Return the rank of a domain, -1 when it is not in the base."""
        ranks = narrow_first(self.buckets(one(domain), len(self)))
        return next((rank for rank in ranks if self.name(rank) == domain), -1)

    def buckets(self, keys: Words, limit: int) -> list[list[int]]:
        """Return the ranks in the bucket of each key that has one, the best `limit` of each."""
        return buckets(self.entries, self.numbers, keys, limit)


def _parts(domains: int, entries: int, names: int) -> tuple[int, int, int, int, int]:
    """Return where entries, weights, offsets and names begin, and where the file ends."""
    at_entries = HEADER.size
    at_weights = at_entries + 8 * entries
    at_offsets = at_weights + 4 * domains
    at_names = at_offsets + 4 * (domains + 1)
    return at_entries, at_weights, at_offsets, at_names, at_names + names


def empty() -> Base:
    """Return a base without domains, generation 0: what a folder holds before the first build."""
    nothing = np.zeros(0, np.uint64)
    return Base(
        0,
        nothing,
        memoryview(b"").cast("Q"),
        np.zeros(0, np.uint32),
        memoryview(b"\0\0\0\0").cast("I"),
        memoryview(b""),
    )


def open_base(folder: Path, generation: int) -> Base:
    """Map the base of a generation. Raises `FileNotFoundError` when a merge removed it, `NearError` when it is damaged."""
    path = base_path(folder, generation)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < HEADER.size:
            raise _damaged(path)
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    magic, number, domains, entries, names, check = HEADER.unpack_from(view)
    at_entries, at_weights, at_offsets, at_names, end = _parts(domains, entries, names)
    if magic != MAGIC or check != crc32(view[: HEADER.size - 24]) or number != generation or end != size:
        raise _damaged(path)
    return Base(
        generation,
        np.frombuffer(view, np.uint64, entries, at_entries),
        view[at_entries:at_weights].cast("Q"),
        np.frombuffer(view, np.uint32, domains, at_weights),
        view[at_offsets:at_names].cast("I"),
        view[at_names:end],
    )


def _damaged(path: Path) -> NearError:
    return NearError(f"{path}: not a whole index of domains; remove its folder and build the index again")


def current_generation(folder: Path) -> int:
    """Return the generation that counts, 0 when none was built. Raises `NearError` when `CURRENT` is unreadable."""
    path = folder / CURRENT
    try:
        return int(path.read_text("ascii"))
    except FileNotFoundError:
        return 0
    except (ValueError, UnicodeDecodeError):
        raise _damaged(path) from None


def ranked(domains: Iterable[tuple[str, int]]) -> tuple[list[str], NDArray[np.uint32]]:
    """Return the domains by weight, highest first (equal ones as they came), each once, and the weights in that order.

    Raises `NearError` when there are more than an index can number.
    """
    totals: dict[str, int] = {}
    for domain, weight in domains:
        totals[domain] = totals.get(domain, 0) + weight
    if len(totals) > MAX_RANK:
        raise NearError(f"{len(totals)} domains are more than the {MAX_RANK} that an index can hold; shorten retention")
    names = list(totals)
    weights = np.fromiter(totals.values(), np.int64, len(names)).clip(0, MAX_WEIGHT)
    order = np.argsort(-weights, kind="stable")
    return [names[i] for i in order.tolist()], weights[order].astype(np.uint32)


def write_base(
    folder: Path, generation: int, names: Sequence[str], weights: NDArray[np.uint32], entries: Words | None = None
) -> None:
    """Write the base of a generation and make it the one that counts.

    `names` and `weights` are in order of rank; `entries` are sorted, and made from the names when they are not given.
    """
    if entries is None:
        entries = entries_of(names)
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    offsets = np.zeros(len(names) + 1, np.uint32)
    np.cumsum([len(name) for name in encoded], out=offsets[1:])
    blob = b"".join(encoded)
    head = HEADER.pack(MAGIC, generation, len(names), len(entries), len(blob), 0)[: HEADER.size - 24]
    header = head + struct.pack("<I20x", crc32(head))
    replace(base_path(folder, generation), header, entries.data, weights.data, offsets.data, blob)
    replace(folder / CURRENT, f"{generation}\n".encode("ascii"))


def replace(path: Path, *parts: bytes | memoryview) -> None:
    """Put a file in place whole: written beside it, synced, renamed, the folder synced."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
