"""The near index of addresses: which known ones are beside a written one (`core.near_addresses`), among ten million.

The keys of ten million addresses are 320 megabytes, mapped and shared. A look-up finds the cell of each of its fifteen numbers
through the fences and looks at a dozen entries there. Under most keys lie a few addresses, whose text is read; where many
share one (`j` and `mith` at one provider), their signatures are compared first, all at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nixie.core.near_addresses import CROWD, SLIP_BITS, asked_keys, is_beside, signature, split
from nixie.store.near_index import FRESH_FOR, NearIndex
from nixie.store.near_keys import MAX_RANK, slot_of
from nixie.store.near_kinds import ADDRESSES
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["NearAddresses", "build_addresses"]

_RANK_MASK = np.uint64(MAX_RANK)
_ALL = 1 << 40


def build_addresses(folder: Path, addresses: Iterable[tuple[str, int]], position: int = 0) -> int:
    """Make the index of a folder from (address key, weight) pairs, in place of all it held; return how many it holds.

    Each address comes once. For a folder that no `NearWriter` has open.
    """
    with NearWriter(folder, ADDRESSES) as writer:
        return writer.rebuild(addresses, position)


class NearAddresses(NearIndex):
    """Look-ups in one folder, for one thread; the index of a folder that does not exist yet is empty.

    A look-up takes up by itself what was written since, at most every `fresh_for` seconds.
    """

    def __init__(self, folder: Path, fresh_for: float = FRESH_FOR) -> None:
        super().__init__(folder, ADDRESSES, fresh_for)

    def beside(self, key: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known addresses at the same domain, one typed slip of the local part away from `key`.

        All are `Address.key` values; `key` is never among them. The most written-to come first, those of the tail last. Raises
        `NearError` when the index is damaged.
        """
        self.keep_fresh()
        keys = asked_keys(key) if limit > 0 else []
        if not keys:
            return ()
        base, tail = self._base, self._tail
        found = []
        for rank in self._ranks(key, keys):
            name = base.name(rank)
            if is_beside(name, key) and name not in tail.forgotten:
                found.append(name)
                if len(found) == limit:
                    return tuple(found)
        if tail.names:
            known = set(found)
            buckets = tail.buckets(np.fromiter(keys, np.uint64, len(keys)), _ALL)
            for rank in sorted({rank for bucket in buckets for rank in bucket}):
                name = tail.names[rank]
                if is_beside(name, key) and name not in tail.forgotten and name not in known:
                    found.append(name)
        return tuple(found[:limit])

    def _ranks(self, key: str, keys: list[int]) -> list[int]:
        """Return the ranks in the base that share a number with the written address, the signature of crowds compared."""
        base = self._base
        ranks: set[int] = set()
        wanted = -1
        for begin, end in base.spans([slot_of(number) for number in keys]):
            if end - begin < CROWD:
                ranks.update([entry & MAX_RANK for entry in base.numbers[begin:end]])
                continue
            if wanted < 0:
                wanted = signature(split(key)[0])
            crowd = (base.entries[begin:end] & _RANK_MASK).astype(np.intp)
            changed = np.bitwise_count(base.signatures[crowd] ^ np.uint64(wanted))
            ranks.update(crowd[changed <= SLIP_BITS].tolist())
        return sorted(ranks)
