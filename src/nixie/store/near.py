"""The near index of domains: which known ones could have been meant by a written one.

The index only proposes: it may know more than a moment in the past allows and may offer domains that no slip explains. What
shares a key with the written domain (`core.similarity.domain_keys`) is found; every proposal is tested afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.similarity import crowd, cut, narrow_first
from nixie.store.near_base import NearError
from nixie.store.near_index import FRESH_FOR, NearIndex
from nixie.store.near_keys import one
from nixie.store.near_kinds import DOMAINS
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nixie.store.near_keys import Words

__all__ = ["NearDomains", "NearError", "NearWriter", "build"]


def build(folder: Path, domains: Iterable[tuple[str, int]]) -> int:
    """Make the index of a folder from (domain, weight) pairs, in place of all it held; return how many it holds.

    Weights are how often a domain was written to; a domain that comes twice has the sum. For a folder that no `NearWriter`
    has open (`NearWriter.rebuild` is for one that has).
    """
    with NearWriter(folder) as writer:
        return writer.rebuild(domains)


REMEMBERED = 8_192
"""Look-ups whose answers are kept, some 2 kB each; then all are forgotten."""


@dataclass(slots=True)
class _Answer:
    """What a look-up found: the keys it asked for, the domains, and how many of the tail it has seen."""

    keys: Words
    domains: tuple[str, ...]
    tail: int


class NearDomains(NearIndex):
    """Look-ups in one folder, for one thread; the index of a folder that does not exist yet is empty.

    A look-up takes up by itself what was written since, at most every `fresh_for` seconds.
    """

    def __init__(self, folder: Path, fresh_for: float = FRESH_FOR) -> None:
        self._answers: dict[tuple[str, int], _Answer] = {}
        self._turns = 0
        super().__init__(folder, DOMAINS, fresh_for)

    def refresh(self) -> bool:
        """Take up what was written since the last call; return whether there was anything. A few microseconds if not.

        Raises `NearError` when the index is damaged.
        """
        generation = self.generation
        found = super().refresh()
        if generation != self.generation or self._tail.turns != self._turns:
            self._turns = self._tail.turns
            self._answers.clear()
        return found

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` domains that share a key with `domain`, which is never among them.

        The most written-to come first, those of the tail last. Of more than `limit`, those one slip
        away stay, then those that share a rare key. Raises `NearError` when the index is damaged.
        """
        self.keep_fresh()
        known = self._answers.get((domain, limit))
        if known is not None and self._holds(known):
            return known.domains
        keys = one(domain)
        found = self._look_up(domain, keys, limit) if limit > 0 and len(keys) else ()
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        self._answers[domain, limit] = _Answer(keys, found, len(self._tail.names))
        return found

    def _holds(self, known: _Answer) -> bool:
        """Return whether an answer is still right: nothing that came since shares a key with it."""
        if known.tail != len(self._tail.names):
            if any(bucket[-1] >= known.tail for bucket in self._tail.buckets(known.keys, len(self._tail.names))):
                return False
            known.tail = len(self._tail.names)
        return True

    def _look_up(self, domain: str, keys: Words, limit: int) -> tuple[str, ...]:
        base, tail = self._base, self._tail
        first = len(base)
        enough = crowd(limit) + 1 + len(tail.forgotten)
        buckets = base.buckets(keys, enough)
        if tail.names:
            buckets += [[first + rank for rank in ranks] for ranks in tail.buckets(keys, enough)]
        ranks: dict[str, int] = {}
        kept = cut(self._names(buckets, domain, ranks), domain, limit)
        return tuple(sorted(kept, key=ranks.__getitem__))

    def _names(self, buckets: list[list[int]], domain: str, ranks: dict[str, int]) -> Iterator[str]:
        """Yield the domains of the ranks in the buckets, each once, and note their ranks."""
        base, tail = self._base, self._tail
        first = len(base)
        for rank in narrow_first(buckets):
            name = base.name(rank) if rank < first else tail.names[rank - first]
            if name not in ranks and name != domain and name not in tail.forgotten:
                ranks[name] = rank
                yield name
