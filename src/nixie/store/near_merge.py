"""How base and tail become the next base. Only numbers move: the keys of a domain were computed when it came."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nixie.store.near_base import MAX_WEIGHT, NearError, current_generation, empty, open_base, write_base
from nixie.store.near_keys import MAX_RANK, pack
from nixie.store.near_tail import FORGET, read_segment, segment_path, segments

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nixie.store.near_base import Base
    from nixie.store.near_keys import Words

_GONE = np.uint64(1 << 63)


def merge(folder: Path, upto: int) -> int:
    """Write the base of generation `upto` from the base that counts and the segments up to that number.

    Those segments must not grow any more (`NearWriter.begin_merge`). Readers go on meanwhile; any process may do the
    work. Returns the number of domains in the new base.
    """
    generation = current_generation(folder)
    base = open_base(folder, generation) if generation else empty()
    added, keys, forgotten = _tail(folder, generation, upto)
    weights = base.weights.astype(np.int64)
    gone = np.zeros(len(base), bool)
    for domain in forgotten:
        if (rank := base.rank_of(domain)) >= 0:
            gone[rank] = True
    fresh = []
    for domain, times in added.items():
        if (rank := base.rank_of(domain)) >= 0:
            weights[rank] = times if gone[rank] else weights[rank] + times
            gone[rank] = False
        else:
            fresh.append(domain)
    weights = np.concatenate([weights, np.array([added[domain] for domain in fresh], np.int64)])
    gone = np.concatenate([gone, np.zeros(len(fresh), bool)])
    order, ranks = _new_ranks(weights, gone)
    if len(order) > MAX_RANK:
        raise NearError(f"{folder}: {len(order)} domains are more than the {MAX_RANK} that an index can hold")
    known = len(base)
    names = [base.name(old) if old < known else fresh[old - known] for old in order.tolist()]
    entries = _new_entries(base, ranks, [keys[domain] for domain in fresh])
    write_base(folder, upto, names, np.minimum(weights[order], MAX_WEIGHT).astype(np.uint32), entries)
    return len(names)


def _tail(folder: Path, generation: int, upto: int) -> tuple[Counter[str], dict[str, Words], set[str]]:
    """Return what the segments between say: how often each domain was added and its keys, and the forgotten domains.

    A domain that was added again after it was forgotten counts from then on.
    """
    added: Counter[str] = Counter()
    keys: dict[str, Words] = {}
    forgotten: set[str] = set()
    for number in segments(folder):
        if not generation < number <= upto:
            continue
        for record in read_segment(segment_path(folder, number)):
            if record.kind == FORGET:
                forgotten.add(record.domain)
                added.pop(record.domain, None)
            else:
                added[record.domain] += 1
                keys[record.domain] = record.keys
    return added, keys, forgotten


def _new_ranks(weights: NDArray[np.int64], gone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Words]:
    """Return the old ranks in their new order, and the new rank of each old one (`_GONE` for the forgotten)."""
    order = np.argsort(-weights, kind="stable")
    order = order[~gone[order]]
    ranks = np.full(len(weights), _GONE, np.uint64)
    ranks[order] = np.arange(len(order), dtype=np.uint64)
    return order, ranks


def _new_entries(base: Base, ranks: Words, fresh: list[Words]) -> Words:
    """Return the sorted entries of the next base."""
    mask = np.uint64(MAX_RANK)
    moved = ranks[(base.entries & mask).astype(np.intp)]
    stays = moved != _GONE
    parts = [((base.entries & ~mask) | moved)[stays]]
    parts += [pack(keys, ranks[len(base) + i]) for i, keys in enumerate(fresh)]
    entries = np.concatenate(parts)
    entries.sort()
    return entries
