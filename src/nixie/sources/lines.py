"""What readers of directories and lists share: bounded lines out of blocks, defects with their line, words for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.words import mended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nixie.core.address import Address

MAX_LINE = 1 << 16
"""Bytes of a line that are kept; no name and no address is longer."""

MAX_NAME = 100
"""Characters of a person's name or a unit that are kept."""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a file that was not used: the number of its line (from 1) and the reason, without any text of the file."""

    line: int
    reason: str


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of some blocks without their ends (LF or CRLF), each cut to `MAX_LINE`; without a byte order mark."""
    rest, first = b"", True
    for block in blocks:
        pieces = block.split(b"\n")
        pieces[0] = rest + pieces[0]
        rest = pieces.pop()[:MAX_LINE]
        for piece in pieces:
            yield _line(piece, first=first)
            first = False
    if rest:
        yield _line(rest, first=first)


def _line(piece: bytes, *, first: bool) -> bytes:
    line = piece[:MAX_LINE].removesuffix(b"\r")
    return line.removeprefix(b"\xef\xbb\xbf") if first else line


def words(text: str) -> str:
    """Return a name for people: without controls, single spaces, at most `MAX_NAME` characters."""
    return " ".join(mended(text[: 4 * MAX_NAME]).split())[:MAX_NAME].strip()


def once(found: Iterable[Address]) -> tuple[Address, ...]:
    """Return each address once, as it was first written."""
    by_key: dict[str, Address] = {}
    for address in found:
        by_key.setdefault(address.key, address)
    return tuple(by_key.values())
