"""Statements that are asked for several values at once.

For a few values, which is nearly every question, the values stand in the statement: that costs half of what a JSON list does.
There are few sizes of it (the last value is repeated), so that all statements of a connection stay prepared.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SIZES = (1, 2, 4, 8, 16, 32)
_LIST = 0


class Several:
    """A statement with `IN ({})` in it, where the values go; they are the first that are bound."""

    def __init__(self, sql: str) -> None:
        self._statements = {size: sql.format(",".join("?" * size)) for size in SIZES}
        self._statements[_LIST] = sql.format("SELECT value FROM json_each(?)")

    def rows(self, db: sqlite3.Connection, values: Sequence[Any], *rest: object) -> list[Any]:
        """Return the rows for all these values, none for none."""
        n = len(values)
        if not n:
            return []
        for size in SIZES:
            if n <= size:
                last = values[-1]
                return db.execute(self._statements[size], (*values, *([last] * (size - n)), *rest)).fetchall()
        return db.execute(self._statements[_LIST], (json.dumps(list(values)), *rest)).fetchall()
