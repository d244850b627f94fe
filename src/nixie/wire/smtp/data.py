r"""The text of a message between DATA and its end: dots taken off on the way in, put on again on the way out.

Works on chunks as they arrive with `find`, `replace` and `count`, never line by line, so ten megabytes cost milliseconds
and a line of any length costs no memory. The one end of a message is CRLF "." CRLF (RFC 5321, section 4.1.1.4); LF "." LF
and its relatives are text with a defect, and a text with a defect is never handed on.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

END = b"\r\n.\r\n"
PIECE = 1 << 18
"""How many bytes `stuffed` treats at once."""


class Defect(StrEnum):
    """Why a text that arrived whole may not be taken."""

    BARE = "bare-cr-or-lf"
    TOO_LARGE = "too-large"


class TextReader:
    """Reads one text: `receive` returns the next piece without stuffed dots; after the end, `rest` is what followed it.

    `limit` is the largest text in bytes, 0 for none. After the first defect nothing more is returned, but the end is
    still looked for: the answer belongs behind it.
    """

    __slots__ = ("_limit", "_started", "_tail", "defect", "ended", "rest", "size")

    def __init__(self, limit: int = 0) -> None:
        # The line before the text ended in CRLF; seen so, a first line "." is the end like any other.
        self._tail = b"\r\n"
        self._started = False
        self._limit = limit
        self.size = 0
        self.defect: Defect | None = None
        self.ended = False
        self.rest = b""

    def receive(self, data: bytes) -> bytes:
        """Return what `data` adds to the text, `b""` when that is not known yet or no longer wanted."""
        data = self._tail + data if self._tail else data
        end = data.find(END)
        if end >= 0:
            self.ended = True
            self.rest = data[end + len(END) :]
            self._tail = b""
            data = data[: end + 2]
        else:
            held = _begun(data)
            self._tail = data[len(data) - held :]
            data = data[: len(data) - held]
        if self.defect is not None or not data:
            return b""
        # A piece never begins or ends inside a CRLF: `_begun` keeps CR and CRLF back.
        pairs = data.count(b"\r\n")
        if data.count(b"\n") != pairs or data.count(b"\r") != pairs:
            self.defect = Defect.BARE
            return b""
        text = data.replace(b"\r\n.", b"\r\n")
        if not self._started:
            self._started = True
            text = text[2:]
        self.size += len(text)
        if self._limit and self.size > self._limit:
            self.defect = Defect.TOO_LARGE
            return b""
        return text


def _begun(data: bytes) -> int:
    """Return how many bytes at the end of `data` may be the beginning of END."""
    for length in range(min(len(END) - 1, len(data)), 0, -1):
        if data.endswith(END[:length]):
            return length
    return 0


def stuffed(text: bytes | memoryview, piece: int = PIECE) -> Iterator[bytes]:
    """Yield `text` as it goes over the wire after DATA: dots doubled at line starts, the end marker last.

    A text that does not end in CRLF gets one, because the end marker needs it; texts from `TextReader` always do.
    """
    position, size = 0, len(text)
    if size <= piece and text[-2:] == b"\r\n":
        # A small message is one write and not two: a system call costs more than everything here.
        whole = bytes(text).replace(b"\r\n.", b"\r\n..") + b".\r\n"
        yield b"." + whole if text[:1] == b"." else whole
        return
    line_start = True
    while position < size:
        chunk = bytes(text[position : position + piece])
        position += len(chunk)
        if chunk.endswith(b"\r") and position < size:
            chunk += bytes(text[position : position + 1])
            position += 1
        stuffed_chunk = chunk.replace(b"\r\n.", b"\r\n..")
        yield b"." + stuffed_chunk if line_start and chunk.startswith(b".") else stuffed_chunk
        line_start = chunk.endswith(b"\r\n")
    yield b".\r\n" if line_start else END
