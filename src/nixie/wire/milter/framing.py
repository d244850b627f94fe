"""Packets out of bytes: a length word, a letter, the rest (both directions, TCP and UNIX sockets alike).

| field | size          | meaning                               |
|-------|---------------|---------------------------------------|
| len   | u32, network  | bytes that follow, the letter included |
| cmd   | 1             | letter                                |
| data  | len - 1       | by letter                             |

However the bytes are cut, the packets are the same. The work is linear in the bytes even when they come one at a time:
an incomplete packet waits in a `bytearray` and is looked at again only when it is complete.
"""

from __future__ import annotations

from struct import Struct

from nixie.wire.milter.constants import MAX_PACKET
from nixie.wire.milter.errors import LocalError, ProtocolError

_pack_head = Struct("!IB").pack
_unpack_length = Struct("!I").unpack_from


class Frames:
    """A queue of bytes from which whole packets are taken. `limit` bounds the length word, in bytes."""

    __slots__ = ("_at", "_buffer", "_limit", "_need", "_tail")

    def __init__(self, limit: int = MAX_PACKET) -> None:
        self._buffer = b""
        self._at = 0
        self._tail = bytearray()
        self._need = 0
        self._limit = limit

    def feed(self, data: bytes) -> None:
        """Add what arrived. The caller bounds how much waits by not reading on."""
        if self._at < len(self._buffer):
            self._tail = bytearray(memoryview(self._buffer)[self._at :])
            self._need = 0
            self._buffer, self._at = b"", 0
        if self._tail:
            self._tail += data
        else:
            self._buffer, self._at = data, 0

    def take(self) -> tuple[int, bytes] | None:
        """Return the next letter and its data, None when more bytes are needed. Raises ProtocolError on a bad length."""
        buffer, at = self._buffer, self._at
        if at == len(buffer):
            if not self._tail or len(self._tail) < self._need:
                return None
            buffer, at = bytes(self._tail), 0
            self._buffer, self._at = buffer, 0
            self._tail = bytearray()
        start = at + 4
        if start > len(buffer):
            self._wait(4)
            return None
        (length,) = _unpack_length(buffer, at)
        if not 0 < length <= self._limit:
            raise ProtocolError(f"packet of {length} bytes; 1 to {self._limit} are allowed")
        end = start + length
        if end > len(buffer):
            self._wait(4 + length)
            return None
        self._at = end
        return buffer[start], buffer[start + 1 : end]

    def waiting(self) -> int:
        """Return how many bytes arrived and were not taken yet."""
        return len(self._buffer) - self._at + len(self._tail)

    def _wait(self, need: int) -> None:
        self._tail = bytearray(memoryview(self._buffer)[self._at :])
        self._buffer, self._at = b"", 0
        self._need = need


def frame(letter: int, data: bytes = b"") -> bytes:
    """Return one packet. Raises LocalError when it would be longer than a peer reads."""
    if len(data) >= MAX_PACKET:
        raise LocalError(f"packet of {len(data) + 1} bytes; at most {MAX_PACKET} are allowed")
    return _pack_head(len(data) + 1, letter) + data
