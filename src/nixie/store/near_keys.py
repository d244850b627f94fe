"""Keys of many domains at once, and how a key and a domain's rank are packed into one number.

`core.similarity.domain_keys` makes the keys of one domain. Most of them are its deletion neighbourhood, and both checksums
in a key are linear: what a byte adds to CRC-32 depends on the byte and its distance from the end alone, so sums from the
left and from the right give all deletions of all domains of one length in a few passes over a matrix.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING
from zlib import adler32, crc32

import numpy as np

from nixie.core.similarity import MAX_DOMAIN, all_keys, label_forms, spoken_forms
from nixie.core.skeleton import lookalike_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

RANK_BITS = 24
"""Low bits of an entry: the rank of a domain. The 40 bits above are of its key: 20 million keys give one false
neighbour in 50,000 look-ups."""

MAX_RANK = (1 << RANK_BITS) - 1
"""Highest rank, and so 16.7 million domains in an index."""

_RANK_MASK = np.uint64(MAX_RANK)
_RANK_SHIFT = np.uint64(RANK_BITS)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_ADLER = 65521
_ROWS = 1 << 16
"""Domains in one matrix: bounds the memory of a build."""


def slots(keys: Words) -> Words:
    """Return the upper 40 bits of each entry for an array of keys, the lower 24 bits zero.

    The multiplication spreads both halves of a key over the bits that are kept (it wraps on purpose).
    """
    return (keys * _SPREAD) & ~_RANK_MASK


def slot_of(key: int) -> int:
    """Return the slot of one key, as a plain integer."""
    return key * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FF00_0000


def pack(keys: Words, ranks: Words) -> Words:
    """Return entries: the slot of each key with the rank of its domain."""
    return slots(keys) | ranks


def buckets(entries: Words, numbers: memoryview, keys: Words, limit: int) -> list[list[int]]:
    """Return the ranks in the bucket of each key that has one, the best `limit` of each, in order.

    `numbers` is a view of the sorted `entries` that gives plain integers.
    """
    if not len(entries):
        return []
    wanted = slots(keys)
    wanted.sort()
    low = entries.searchsorted(wanted)
    # The first entry not below a slot belongs to it when it differs in the rank alone (it wraps past the last entry).
    hits = np.flatnonzero(entries.take(low, mode="clip") - wanted <= _RANK_MASK)
    found = []
    for begin, slot in zip(low[hits].tolist(), wanted[hits].tolist(), strict=True):
        end = bisect_right(numbers, slot | MAX_RANK, begin, min(begin + limit, len(numbers)))
        found.append([entry & MAX_RANK for entry in numbers[begin:end]])
    return found


def one(domain: str) -> Words:
    """Return the keys of one domain as an array, some of them more than once."""
    keys = all_keys(domain)
    return np.fromiter(keys, np.uint64, len(keys))


def entries_of(domains: Sequence[str]) -> Words:
    """Return the sorted entries of all domains; a domain's rank is its place in the sequence."""
    parts = []
    by_length: dict[int, list[int]] = {}
    for rank, domain in enumerate(domains):
        if 0 < len(domain) <= MAX_DOMAIN and domain[0] != "[" and domain.isascii() and domain.isprintable():
            by_length.setdefault(len(domain), []).append(rank)
    for length, ranks in by_length.items():
        for start in range(0, len(ranks), _ROWS):
            some = ranks[start : start + _ROWS]
            matrix = np.frombuffer("".join([domains[r] for r in some]).encode("ascii"), np.uint8).reshape(-1, length)
            keys = deletion_keys(matrix)
            parts.append(pack(keys, np.array(some, np.uint64)[:, None]).ravel())
    parts += _other_entries(domains)
    return _distinct(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def _other_entries(domains: Sequence[str]) -> Iterator[Words]:
    """Yield the entries of the keys that no matrix gives, many domains at a time."""
    for start in range(0, len(domains), _ROWS):
        forms: list[str] = []
        counts = []
        for domain in domains[start : start + _ROWS]:
            before = len(forms)
            if domain and domain[0] != "[" and len(domain) <= MAX_DOMAIN and domain.isascii() and domain.isprintable():
                forms.append("~" + lookalike_form(domain))
                forms += label_forms(domain)
                if "xn--" in domain:
                    forms += spoken_forms(domain)
            counts.append(len(forms) - before)
        ranks = np.repeat(np.arange(start, start + len(counts), dtype=np.uint64), counts)
        yield pack(_keys_of(forms), ranks)
    odd = [rank for rank, domain in enumerate(domains) if not (domain.isascii() and domain.isprintable())]
    yield from (pack(one(domains[rank]), np.array(rank, np.uint64)) for rank in odd)


def _keys_of(forms: list[str]) -> Words:
    """Return the key of each form; no form holds a line feed."""
    if not forms:
        return np.zeros(0, np.uint64)
    encoded = "\n".join(forms).encode().split(b"\n")
    high = np.fromiter(map(crc32, encoded), np.uint64, len(encoded))
    return high << np.uint64(32) | np.fromiter(map(adler32, encoded), np.uint64, len(encoded))


def _distinct(entries: Words) -> Words:
    """Sort entries in place and return them without repetitions (`np.unique` would copy once more)."""
    entries.sort()
    if len(entries) < 2:
        return entries
    keep = np.empty(len(entries), bool)
    keep[0] = True
    np.not_equal(entries[1:], entries[:-1], out=keep[1:])
    return entries[keep]


def deletion_keys(matrix: NDArray[np.uint8]) -> Words:
    """Return the keys of texts of one length (a row each, at least one byte) and of each with one byte left out.

    The last column is the whole text; column `i` is the text without byte `i`.
    """
    rows, length = matrix.shape
    keys = np.empty((rows, length + 1), np.uint64)
    keys[:, :length], keys[:, length] = _crc_parts(matrix)
    keys <<= np.uint64(32)
    without, whole = _adler_parts(matrix)
    keys[:, :length] |= without
    keys[:, length] |= whole
    return keys


@cache
def _crc_table() -> NDArray[np.uint32]:
    """Return what byte `c` at distance `k` from the end adds to a CRC-32, at index `k * 256 + c`."""
    table = np.zeros((MAX_DOMAIN + 1, 256), np.uint32)
    step = np.array([crc32(bytes((c,))) ^ crc32(b"\0") for c in range(256)], np.uint32)
    table[0] = step
    for k in range(1, MAX_DOMAIN + 1):
        table[k] = (table[k - 1] >> np.uint32(8)) ^ step[table[k - 1] & np.uint32(255)]
    return table.ravel()


def _crc_parts(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the CRC-32 of each row without each of its bytes, and of each whole row."""
    length = matrix.shape[1]
    distance = np.arange(length - 1, -1, -1, dtype=np.uint32) * np.uint32(256)
    at = matrix + distance
    table = _crc_table()
    whole = np.bitwise_xor.accumulate(table[at], axis=1)
    total = whole[:, -1]
    # Bytes before the one left out are one place nearer to the end.
    at[:, :-1] -= np.uint32(256)
    before = np.bitwise_xor.accumulate(table[at], axis=1)
    without = np.empty(matrix.shape, np.uint32)
    without[:, 0] = 0
    without[:, 1:] = before[:, :-1]
    without ^= whole
    without ^= total[:, None]
    without ^= np.uint32(crc32(bytes(length - 1)))
    return without, total ^ np.uint32(crc32(bytes(length)))


def _adler_parts(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the Adler-32 (RFC 1950 section 8) of each row without each of its bytes, and of each whole row."""
    length = matrix.shape[1]
    values = matrix.astype(np.int64)
    sums = values.cumsum(axis=1)
    weighted = (values * np.arange(length, 0, -1)).cumsum(axis=1)
    low = 1 + sums[:, -1]
    high = length + weighted[:, -1]
    # Without byte i: bytes before it count once less, the byte itself not at all, and the length is one less.
    before = sums - values
    low_without = low[:, None] - values
    high_without = high[:, None] - 1 - before - values * np.arange(length, 0, -1)
    return _join(low_without, high_without), _join(low, high)


def _join(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the two sums of an Adler-32 as one number."""
    return (high % _ADLER << 16 | low % _ADLER).astype(np.uint64)
