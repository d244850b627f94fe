"""How base and tail become the next base. Only numbers and bytes move: the keys of a name were computed when it came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nixie.store.near_base import current_generation, empty, open_base
from nixie.store.near_content import MAX_WEIGHT, Content, too_many, write_base
from nixie.store.near_keys import MAX_RANK, pack
from nixie.store.near_kinds import DOMAINS
from nixie.store.near_tail import FORGET, POSITION, read_segment, segment_path, segments, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from nixie.store.near_base import Base
    from nixie.store.near_keys import Words
    from nixie.store.near_kinds import Kind

    Places = NDArray[np.int64]

_GONE = np.uint64(1 << 63)
_STEP = 1 << 20
"""Entries that move together."""
_ROWS = 1 << 16
"""Names that move together."""


def merge(folder: Path, upto: int, kind: Kind = DOMAINS) -> int:
    """Write the base of generation `upto` from the base that counts and the segments up to that number.

    Those segments must not grow any more (`NearWriter.begin_merge`). Readers go on meanwhile; any process may do the
    work. Returns the number of names in the new base.
    """
    generation = current_generation(folder)
    base = open_base(folder, generation, kind) if generation else empty(kind)
    tail = _tail(folder, generation, upto)
    weights = base.weights.astype(np.int64)
    gone = np.zeros(len(base), bool)
    for name in tail.forgotten:
        if (rank := base.rank_of(name)) >= 0:
            gone[rank] = True
    fresh = []
    for name, times in tail.added.items():
        if (rank := base.rank_of(name)) >= 0:
            weights[rank] = times if gone[rank] else weights[rank] + times
            gone[rank] = False
        else:
            fresh.append(name)
    weights = np.concatenate([weights, np.array([tail.added[name] for name in fresh], np.int64)])
    order, ranks = _new_ranks(weights, np.concatenate([gone, np.zeros(len(fresh), bool)]))
    if len(order) > MAX_RANK:
        raise too_many(kind, len(order))
    text = _Text(base, fresh)
    content = Content(
        _new_entries(base, ranks, [tail.keys[name] for name in fresh]),
        np.minimum(weights[order], MAX_WEIGHT).astype(np.uint32),
        text.lengths[order],
        text.pieces(order),
        np.concatenate((base.signatures, kind.columns(fresh)[1]))[order] if kind.signed else base.signatures,
        max(base.position, tail.position),
    )
    write_base(folder, upto, content, kind)
    return len(order)


@dataclass(slots=True, repr=False)
class _Tail:
    """What some segments say: how often each name was added and its keys, the forgotten names, and the last position."""

    added: Counter[str] = field(default_factory=Counter)
    keys: dict[str, bytes] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    position: int = 0


def _tail(folder: Path, generation: int, upto: int) -> _Tail:
    """Return what the segments between say. A name that was added again after it was forgotten counts from then on."""
    tail = _Tail()
    for number in segments(folder):
        if not generation < number <= upto:
            continue
        for record in read_segment(segment_path(folder, number)):
            if record.kind == POSITION:
                tail.position = max(tail.position, record.position)
            elif record.kind == FORGET:
                tail.forgotten.add(record.domain)
                tail.added.pop(record.domain, None)
            else:
                tail.added[record.domain] += 1
                tail.keys[record.domain] = record.raw
    return tail


def _new_ranks(weights: Places, gone: NDArray[np.bool_]) -> tuple[Places, Words]:
    """Return the old ranks in their new order, and the new rank of each old one (`_GONE` for the forgotten)."""
    order = np.argsort(-weights, kind="stable")
    order = order[~gone[order]]
    ranks = np.full(len(weights), _GONE, np.uint64)
    ranks[order] = np.arange(len(order), dtype=np.uint64)
    return order, ranks


def _new_entries(base: Base, ranks: Words, fresh: list[bytes]) -> Words:
    """Return the sorted entries of the next base."""
    mask = np.uint64(MAX_RANK)
    known = len(base)
    later = np.repeat(ranks[known:], [len(raw) // 8 for raw in fresh])
    added = pack(words(b"".join(fresh)), later)
    entries = np.empty(len(base.entries) + len(added), np.uint64)
    at = 0
    for start in range(0, len(base.entries), _STEP):
        some = base.entries[start : start + _STEP]
        moved = ranks[(some & mask).astype(np.intp)]
        stays = moved != _GONE
        some = ((some & ~mask) | moved)[stays]
        entries[at : at + len(some)] = some
        at += len(some)
    entries[at : at + len(added)] = added
    entries = entries[: at + len(added)]
    entries.sort()
    return entries


class _Text:
    """The bytes of all names, those of the base and the fresh ones behind them, to be taken out in another order."""

    def __init__(self, base: Base, fresh: list[str]) -> None:
        raw = [name.encode("utf-8", "surrogatepass") for name in fresh]
        offsets = np.frombuffer(base.offsets, np.uint32).astype(np.int64)
        self.lengths: Places = np.concatenate((np.diff(offsets), np.fromiter(map(len, raw), np.int64, len(raw))))
        self._begins = np.cumsum(self.lengths) - self.lengths
        self._bytes = np.concatenate((np.frombuffer(base.names, np.uint8), np.frombuffer(b"".join(raw), np.uint8)))

    def pieces(self, order: Places) -> Iterator[memoryview]:
        """Yield the names of these old ranks, one after the other, in pieces."""
        for start in range(0, len(order), _ROWS):
            some = order[start : start + _ROWS]
            lengths = self.lengths[some]
            ends = np.cumsum(lengths)
            places = np.arange(int(ends[-1])) + np.repeat(self._begins[some] - (ends - lengths), lengths)
            yield self._bytes[places].data
