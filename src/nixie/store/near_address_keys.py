"""Keys and signatures of many addresses at once: what `core.near_addresses` says of one, a column of characters at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from nixie.core.near_addresses import (
    CLASSES,
    MAX_ADDRESS,
    PARTS,
    TWICE,
    address_keys,
    class_of,
    cuts,
    signature,
    split,
)
from nixie.store.near_keys import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from nixie.store.near_keys import Words

    Bytes = NDArray[np.uint8]
    Halves = NDArray[np.uint32]
    Places = NDArray[np.int64]

_ROWS = 1 << 16
"""Addresses taken together: bounds the memory of a build."""

_STEP = np.array([crc32(bytes((c,))) ^ crc32(b"\0") for c in range(256)], np.uint32)
_BYTE = np.uint32(255)
_ONE = np.uint64(1)
_FLIP = np.uint32(0xFFFF_FFFF)
_CLASS = np.array([class_of(char) for char in range(128)], np.uint64)


def one_address(key: str) -> Words:
    """Return the keys of one address as an array."""
    keys = address_keys(key)
    return np.fromiter(keys, np.uint64, len(keys))


def address_columns(keys: Sequence[str]) -> tuple[Words, Words]:
    """Return the sorted entries of all addresses, and the signature of each; its rank is its place in the sequence."""
    entries = np.empty(PARTS * len(keys), np.uint64)
    signatures = np.zeros(len(keys), np.uint64)
    odd: list[int] = []
    at = 0
    for ranks, columns, salts in _by_length(keys, odd):
        signatures[ranks] = _signatures(columns)
        for begin, end, salt in cuts(len(columns)):
            form = np.concatenate((columns[:begin], columns[end:]))
            found = pack(_crc(form, salts ^ np.uint32(salt)).astype(np.uint64), ranks.astype(np.uint64))
            entries[at : at + len(found)] = found
            at += len(found)
    for rank in odd:
        signatures[rank] = signature(split(keys[rank])[0])
        found = pack(one_address(keys[rank]), np.array(rank, np.uint64))
        entries[at : at + len(found)] = found
        at += len(found)
    entries = entries[:at]
    entries.sort()
    return entries, signatures


def _signatures(columns: Bytes) -> Words:
    """Return the signature of each column of characters."""
    once = np.zeros(columns.shape[1], np.uint64)
    twice = np.zeros(columns.shape[1], np.uint64)
    for number in _CLASS[columns]:
        bit = _ONE << number
        again = (once & bit) != 0
        twice[again] |= _ONE << number[again] % np.uint64(TWICE)
        once |= bit
    return once | twice << np.uint64(CLASSES)


def _by_length(keys: Sequence[str], odd: list[int]) -> Iterator[tuple[Places, Bytes, Halves]]:
    """Yield the plain addresses whose local parts have one length, some at a time; gather the ranks of the others in `odd`.

    Each time their ranks, their local parts (a row for each place, a column for each address), and their domains' salts.
    Plain is what is ASCII, not overlong, and has one `@` and something before it.
    """
    for start in range(0, len(keys), _ROWS):
        some = keys[start : start + _ROWS]
        text = "".join(some)
        raw = np.frombuffer(text.encode("ascii", "replace"), np.uint8)
        sizes = np.fromiter(map(len, some), np.int64, len(some))
        ends = np.cumsum(sizes)
        begins = ends - sizes
        signs = np.append(np.flatnonzero(raw == ord("@")), len(raw))
        first = np.searchsorted(signs, begins)
        plain = (np.searchsorted(signs, ends) - first == 1) & (signs[first] > begins) & (sizes <= MAX_ADDRESS)
        if not text.isascii():
            plain &= np.fromiter(map(str.isascii, some), bool, len(some))
        odd += (np.flatnonzero(~plain) + start).tolist()
        ranks = np.flatnonzero(plain)
        begins, signs, ends = begins[ranks], signs[first[ranks]], ends[ranks]
        salts = _crc_of_pieces(raw, signs + 1, ends)
        lengths = signs - begins
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            yield ranks[rows] + start, raw[begins[rows] + np.arange(length)[:, None]], salts[rows]


def _crc_of_pieces(raw: Bytes, begins: Places, ends: Places) -> Halves:
    """Return the CRC-32 of each piece of some bytes."""
    lengths = ends - begins
    order = np.argsort(-lengths, kind="stable")  # the longest first: at each place those that go on are the first ones
    begins, lengths = begins[order], lengths[order]
    state = np.full(len(order), _FLIP, np.uint32)
    for place in range(int(lengths[0]) if len(lengths) else 0):
        here = int(np.searchsorted(-lengths, -place))
        some = state[:here]
        state[:here] = _STEP[(some ^ raw[begins[:here] + place]) & _BYTE] ^ some >> np.uint32(8)
    found = np.empty(len(order), np.uint32)
    found[order] = state ^ _FLIP
    return found


def _crc(columns: Bytes, begin: Halves) -> Halves:
    """Return the CRC-32 of each column of bytes, continued from the value it begins with (as `zlib.crc32`)."""
    state = begin ^ _FLIP
    for row in columns:
        state = _STEP[(state ^ row) & _BYTE] ^ state >> np.uint32(8)
    return state ^ _FLIP
