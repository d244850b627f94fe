"""Message bytes on their way through a door: in memory while small, in an unlinked file when large, never under a name.

The first named file that ever holds mail is the encrypted one in the spool (design, section 4, item 8).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from typing import IO

MEMORY_BYTES = 1 << 20


class Carried:
    """Bytes that grow while they arrive and are then looked at as one buffer."""

    __slots__ = ("_file", "_map", "_memory", "size")

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._map: mmap.mmap | None = None
        self.size = 0

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes at the end; not after `view`. Raises OSError when the disk is full."""
        self.size += len(data)
        if self._file is None and self.size > MEMORY_BYTES:
            self._file = tempfile.TemporaryFile(prefix="nixie-")  # noqa: SIM115 - lives as long as the message
            self._file.write(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += data
        else:
            self._file.write(data)

    def view(self) -> bytes | memoryview:
        """Return all bytes: a mapping of the file when there is one, else a copy; `close` ends its life."""
        if self._file is None:
            return bytes(self._memory)
        if self._map is None:
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return memoryview(self._map)

    def descriptor(self) -> int | None:
        """Return the descriptor of the unlinked file, None while the bytes are in memory."""
        if self._file is None:
            return None
        self._file.flush()
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        return self._file.fileno()

    def close(self) -> None:
        """Let the bytes go. A view that is still held keeps its mapping alive until it is dropped."""
        self._memory = bytearray()
        if self._map is not None:
            with contextlib.suppress(BufferError):
                self._map.close()
            self._map = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def __repr__(self) -> str:
        return f"Carried(size={self.size})"
