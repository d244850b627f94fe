"""The ledger's rows as `render.story` tells them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nixie.render.story import Told
from nixie.service.records import verdict_of
from nixie.store.ledger import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.store.ledger import Row


def told(rows: Iterable[Row]) -> list[Told]:
    """Return the rows ready for rendering; a decision whose body is of another version is told without its verdict."""
    return [_told(row) for row in rows]


def _told(row: Row) -> Told:
    verdict = None
    if row.kind is Kind.DECISION and isinstance(row.body, dict):
        try:
            verdict = verdict_of(row.body, row.addresses)
        except ValueError:
            verdict = None
    at = datetime.fromtimestamp(row.at / 1000, UTC)
    return Told(row.seq, at, row.kind.name.lower(), row.hold, row.addresses, row.body, verdict)
