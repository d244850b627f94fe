"""Transfer encodings undone (RFC 2045, section 6), and no more of them than somebody asked for."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from nixie.core.words import base64_bytes

if TYPE_CHECKING:
    from nixie.core.headers import Buffer


def decoded(buffer: Buffer, start: int, end: int, encoding: str, limit: int) -> tuple[bytes | None, int, bool]:
    """Return at least `limit` decoded bytes (or all there are), the whole decoded size, and whether there are more."""
    if encoding == "base64":
        # Four characters make three bytes; a sixth more makes room for line ends and stray characters.
        stop = min(end, start + (limit + 3) * 4 // 3 + limit // 6 + 16)
        raw = base64_bytes(bytes(buffer[start:stop]))
        size = len(raw) if raw is not None and stop == end else base64_size(buffer, start, end)
        return raw, size, stop < end or size > limit
    if encoding == "quoted-printable":
        stop = min(end, start + 3 * limit + 16)
        raw = binascii.a2b_qp(bytes(buffer[start:stop]))
        return raw, len(raw) if stop == end else end - start, stop < end or len(raw) > limit
    if encoding in ("uuencode", "x-uuencode", "x-uue"):
        return None, end - start, False
    return bytes(buffer[start : min(end, start + limit)]), end - start, end - start > limit


def base64_size(buffer: Buffer, start: int, end: int) -> int:
    """Return the decoded size of base64 from the length of its first line, without reading the rest."""
    length = end - start
    first = buffer.find(b"\n", start, min(end, start + 1000))
    line = first + 1 - start if first >= 0 else length
    chars = len(bytes(buffer[start : start + line]).strip())
    breaks = line - chars
    lines = -(-(length + breaks) // line) if line else 0
    tail = bytes(buffer[max(start, end - 8) : end]).count(b"=")
    return max(0, (length - breaks * max(0, lines - 1)) * 3 // 4 - tail)
