"""Known addresses, and whether an unknown one lies within two edits of one of them; exact, and quick for tens of thousands.

An edit changes at most two members of the set of characters that occur, so addresses whose sets differ in more than four are passed
over by one comparison of bit masks; what is left is measured by Damerau's distance (optimal string alignment).
"""

from __future__ import annotations

import numpy as np
from rapidfuzz.distance import OSA

FARTHEST = 2


class KnownAddresses:
    """A growing set of addresses with how often each was seen."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._names: list[str] = []
        self._masks = np.zeros(1024, np.uint64)
        self._lengths = np.zeros(1024, np.int32)

    def add(self, address: str) -> None:
        """Count one sight of an address."""
        if address in self._seen:
            self._seen[address] += 1
            return
        count = len(self._names)
        if count == len(self._masks):
            self._masks = np.concatenate([self._masks, np.zeros_like(self._masks)])
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        self._seen[address] = 1
        self._names.append(address)
        self._masks[count], self._lengths[count] = _mask(address), len(address)

    def nearest(self, address: str) -> tuple[str, int] | None:
        """Return the nearest known address within two edits, the most often seen of equally near ones, and its distance."""
        count = len(self._names)
        alike = np.bitwise_count(self._masks[:count] ^ np.uint64(_mask(address))) <= 2 * FARTHEST
        alike &= np.abs(self._lengths[:count] - len(address)) <= FARTHEST
        best: tuple[int, int, str] | None = None
        for number in np.flatnonzero(alike).tolist():
            name = self._names[number]
            distance = OSA.distance(address, name, score_cutoff=FARTHEST)
            if distance <= FARTHEST and name != address:
                found = (distance, -self._seen[name], name)
                best = found if best is None else min(best, found)
        return (best[2], best[0]) if best is not None else None

    def suspicion(self, address: str) -> float:
        """Return 0 for known addresses and those near nobody, else more the nearer and the more often seen the neighbour."""
        if address in self._seen or (found := self.nearest(address)) is None:
            return 0.0
        name, distance = found
        return FARTHEST + 1 - distance - 1 / (1 + self._seen[name])


def _mask(address: str) -> int:
    found = 0
    for letter in set(address):
        found |= 1 << (ord(letter) & 63)
    return found
