"""Compressed and rotated files: opened streams in, plain bytes out, and the order in which parts of a set were written.

Who opens files is `service.learning`; here a stream that is open already is wrapped by what its first bytes say it is
(RFC 1952, RFC 8878, xz, bzip2), never by its name.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixie.sources.syslog import Clock

UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a damaged compressed stream may raise."""
_PACKED = 1 << 13
"""Compressed bytes taken at a time: what they can grow into stays in memory."""
_ROTATED = re.compile(r"(?:[.-]\d+|[.-]\d{8}(?:-\d+)?)*(?:\.(?:gz|zst|xz|bz2))?$")


class _Zstandard:
    """Frames one after another. The library's own reader takes a cut file for a whole one; this one does not."""

    def __init__(self, stream: IO[bytes]) -> None:
        import zstandard  # noqa: PLC0415 - only for .zst

        self._error = zstandard.ZstdError
        self._new = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj
        self._frame = self._new()
        self._begun = False
        self._stream = stream
        self._plain = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` plain bytes, `b""` at the end; OSError where it is damaged, EOFError where it is cut."""
        while len(self._plain) < size:
            packed = self._stream.read(_PACKED)
            if not packed:
                if self._begun:
                    raise EOFError
                break
            while packed:
                try:
                    self._plain += self._frame.decompress(packed)
                except self._error as error:
                    raise OSError(str(error)) from error
                self._begun, packed = not self._frame.eof, b""
                if self._frame.eof:
                    packed = self._frame.unused_data
                    self._frame = self._new()
        found, self._plain = self._plain[:size], self._plain[size:]
        return found


def _zstandard(stream: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Zstandard(stream))


_MAGIC: tuple[tuple[bytes, Callable[[IO[bytes]], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda s: cast("IO[bytes]", gzip.GzipFile(fileobj=s))),
    (b"\x28\xb5\x2f\xfd", _zstandard),
    (b"\xfd7zXZ\x00", lambda s: cast("IO[bytes]", lzma.LZMAFile(s))),  # noqa: SIM115 - who opened the stream closes it
    (b"BZh", lambda s: cast("IO[bytes]", bz2.BZ2File(s))),
)


def compressed(start: bytes) -> bool:
    """Return whether the first bytes are those of a compressed file."""
    return any(start.startswith(magic) for magic, _ in _MAGIC)


def plain_stream(stream: IO[bytes], start: bytes) -> IO[bytes]:
    """Return a stream of plain bytes over a stream that stands at its beginning and begins with `start`."""
    return next((open_ for magic, open_ in _MAGIC if start.startswith(magic)), lambda s: s)(stream)


def set_name(name: str) -> str:
    """Return what the parts of a rotated set share: `mail.log` for `mail.log`, `mail.log.1`, `mail.log-20260301.gz`."""
    return _ROTATED.sub("", name)


def first_second(head: bytes, clock: Clock) -> int:
    """Return the time of the first dated line, 0 when none is."""
    for line in head.split(b"\n")[:50]:
        if (at := clock.seconds(line)) is not None:
            return at
    return 0
