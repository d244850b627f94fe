"""What the near indexes of domains and of addresses share: a folder that one process writes and any number read.

A folder holds a base (`near_base`: immutable, mapped, shared by all processes) and a tail (`near_tail`: what came since). One
process writes and merges (`near_write`, `near_merge`); nobody waits for anybody. Everything in it can be made again from the
knowledge in the database.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from nixie.store.near_base import CURRENT, NearError, current_generation, empty, open_base
from nixie.store.near_tail import TailReader

if TYPE_CHECKING:
    from pathlib import Path

    from nixie.store.near_kinds import Kind

FRESH_FOR = 0.25
"""Seconds that a look-up trusts the last one to have seen what was appended."""


class NearIndex:
    """The base and the tail of one folder, for one thread; the index of a folder that does not exist yet is empty."""

    def __init__(self, folder: Path, kind: Kind, fresh_for: float) -> None:
        self._kind = kind
        self._fresh_for = fresh_for
        self._refreshed = 0.0
        self._folder = folder
        self._current = str(folder / CURRENT)
        self._seen: tuple[int, int] | None = None
        self._base = empty(kind)
        self._tail = TailReader(folder, 1)
        while self.refresh():  # a long tail comes in pieces, and here nobody waits for an answer
            pass

    def __len__(self) -> int:
        """Return the number of names in base and tail (one that stands in both counts twice until a merge)."""
        return len(self._base) + len(self._tail.names)

    @property
    def generation(self) -> int:
        """Return the generation of the base in use."""
        return self._base.generation

    def keep_fresh(self) -> None:
        """Take up what was written since, unless that was done a moment ago. Raises `NearError` when the index is damaged."""
        if time.monotonic() - self._refreshed > self._fresh_for:
            self.refresh()

    def refresh(self) -> bool:
        """Take up what was written since the last call; return whether there was anything. A few microseconds if not.

        Raises `NearError` when the index is damaged.
        """
        self._refreshed = time.monotonic()
        followed, read = self._follow(), self._tail.refresh()
        return followed or read

    def _follow(self) -> bool:
        """Map the base that counts, if it is another one."""
        for _ in range(5):
            try:
                found = os.stat(self._current)  # noqa: PTH116 - half the cost, asked for every message
            except FileNotFoundError:
                return False
            seen = (found.st_ino, found.st_mtime_ns)
            if seen == self._seen:
                return False
            generation = current_generation(self._folder)
            try:
                self._base = open_base(self._folder, generation, self._kind)
            except FileNotFoundError:
                continue  # a merge finished in between: CURRENT names the next one by now
            self._seen = seen
            self._tail = TailReader(self._folder, generation + 1)
            return True
        raise NearError(f"{self._folder}: CURRENT names an index that is not there; build the index again")
