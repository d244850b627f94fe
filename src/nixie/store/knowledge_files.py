"""How far each source was read: written in the transaction that counts what was read, so neither runs ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class LearnedFile:
    """One source: digest of its first `head_size` bytes, `stat` as text, bytes read, digest of the last of them, state.

    `position` counts decompressed bytes; `state` is the reader's own text (open queue ids of a log).
    """

    head_size: int
    head: bytes = field(repr=False)
    stat: str = field(repr=False)
    position: int = 0
    mark: bytes = field(default=b"", repr=False)
    state: str = field(default="", repr=False)


_COLUMNS = "head_size, head, stat, position, mark, state"


def by_head(db: sqlite3.Connection, head_size: int, head: bytes) -> LearnedFile | None:
    """Return the source that begins with these bytes."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM learned_file WHERE head_size = ? AND head = ?", (head_size, head)
    ).fetchone()
    return LearnedFile(*row) if row else None


def head_sizes(db: sqlite3.Connection) -> list[int]:
    """Return the sizes of all heads, largest first."""
    return [n for (n,) in db.execute("SELECT DISTINCT head_size FROM learned_file ORDER BY head_size DESC")]


def save(db: sqlite3.Connection, file: LearnedFile) -> None:
    """Write how far a source was read; inside the transaction that counts it."""
    db.execute(
        f"INSERT INTO learned_file ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (head_size, head) DO UPDATE SET"
        " stat = excluded.stat, position = excluded.position, mark = excluded.mark, state = excluded.state",
        (file.head_size, file.head, file.stat, file.position, file.mark, file.state),
    )
