"""Command lines out of a stream of bytes: bounded, and ended by CRLF alone.

A line that ends in a bare LF, or holds a bare CR, is what SMTP smuggling is made of: two servers that disagree about
where a line ends disagree about where a message ends. So such a line is a value of its own, `Bare`, and the session
ends there. However the bytes are cut, the lines are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_LINE = 2560
"""Longest line without CRLF in bytes: 512 of a command (RFC 5321, section 4.5.3.1.4) and 2,048 of parameters."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its CRLF."""

    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line of more than the limit; its bytes were dropped up to the CRLF."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare CR or a bare LF: nothing after it can be trusted."""


class LineReader:
    """Bytes in by `receive`, lines out by `next_line`; `take` hands over what was not read as lines."""

    __slots__ = ("_buffer", "_last", "_limit", "_scanned", "_skipping")

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._buffer = bytearray()
        self._limit = limit
        self._scanned = 0
        self._skipping = False
        self._last = 0

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._buffer += data

    def take(self) -> bytes:
        """Return all waiting bytes and forget them."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return rest

    def next_line(self) -> Line | TooLong | Bare | None:
        """Return the next line, None when more bytes are needed. Memory stays below the limit and one read."""
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            # One more than the limit may be the CR of a line that just fits.
            if self._skipping or len(buffer) > self._limit + 1:
                self._skip()
            else:
                self._scanned = len(buffer)
            return None
        before = buffer[end - 1] if end else self._last
        skipped = self._skipping or end - 1 > self._limit
        line = bytes(buffer[: max(end - 1, 0)])
        del buffer[: end + 1]
        self._scanned = self._last = 0
        self._skipping = False
        if before != 0x0D:
            return Bare()
        if skipped:
            return TooLong()
        return Bare() if b"\r" in line else Line(line)

    def _skip(self) -> None:
        if self._buffer:
            self._last = self._buffer[-1]
            self._buffer.clear()
        self._scanned = 0
        self._skipping = True
