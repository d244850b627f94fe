"""How new domains come into the near index, whoever holds its lock.

The recorder owns the index while the guard runs; a `nixie learn` beside it hands its new domains over. Without a running guard
learning writes the index itself, and orders it by how often each domain is written to. Of addresses the recorder takes notice
by itself (`address_feed`); without a running guard they are taken up here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nixie.service.address_feed import AddressFeed
from nixie.service.recorder_client import ask_once
from nixie.store.knowledge_lists import domains_with_counts
from nixie.store.near_base import NearError
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from types import TracebackType

    from nixie.service.places import Places

PER_REQUEST = 5000


class IndexForLearning:
    """Takes the new domains of a learning run; a context manager that finishes the index at its end."""

    def __init__(self, places: Places, db: sqlite3.Connection) -> None:
        self._places = places
        self._db = db
        self._writer: NearWriter | None = None
        self._met = 0

    def __enter__(self) -> Self:
        try:
            self._writer = NearWriter(self._places.near)
        except NearError:
            self._writer = None  # the guard runs and owns it
        return self

    def add(self, domains: Sequence[str]) -> None:
        """Add domains that nobody had met; durable and findable on return. Raises the recorder client's errors."""
        self._met += len(domains)
        if self._writer is not None:
            self._writer.append(domains)
            return
        for start in range(0, len(domains), PER_REQUEST):
            ask_once(self._places.recorder, {"do": "domains", "names": list(domains[start : start + PER_REQUEST])})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        if kind is None and self._met:
            self._writer.rebuild((known.name, known.sent) for known in domains_with_counts(self._db))
        if kind is None:
            with AddressFeed(self._places) as feed:
                feed.take()
        self._writer.close()
