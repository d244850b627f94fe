r"""Framed requests and answers between the recorder and everybody else: a length, one JSON object, perhaps a body.

    u32 length (big-endian, of all that follows) | JSON object in one line | "\n" and the body's bytes, when there is one

JSON made by Python never holds a raw newline, so the first one ends the object. The body is never parsed: it is the
verdict that goes into the ledger byte for byte.

* FrameError   too long, not JSON, not an object: the peer is not one of ours, and the connection ends
"""

from __future__ import annotations

import json
from typing import Any

LENGTH = 4
MAX_FRAME = 16 << 20
"""5,000 held recipients with their parameters are about 2 MB."""

Head = dict[str, Any]
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class FrameError(Exception):
    """What came is not a frame."""


def encode(head: Head, body: bytes = b"") -> bytes:
    """Return the frame. Raises `FrameError` when it is too long to be read."""
    told = _dumps(head).encode("ascii")
    size = len(told) + (1 + len(body) if body else 0)
    if size > MAX_FRAME:
        raise FrameError(f"a request of {size} bytes is longer than {MAX_FRAME}")
    length = size.to_bytes(LENGTH, "big")
    return b"".join((length, told, b"\n", body)) if body else length + told


class Decoder:
    """Frames out of bytes, however these are cut; linear, and bounded by `MAX_FRAME`."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Head, bytes]]:
        """Return the frames that are complete now, as (head, body). Raises `FrameError`."""
        if self._buffer:
            self._buffer += data
            data = self._buffer  # type: ignore[assignment]  # sliced and measured alike
        frames, at = [], 0
        while len(data) - at >= LENGTH:
            size = int.from_bytes(data[at : at + LENGTH], "big")
            if size > MAX_FRAME:
                raise FrameError(f"a frame of {size} bytes is longer than {MAX_FRAME}")
            end = at + LENGTH + size
            if end > len(data):
                break
            frames.append(_frame(bytes(data[at + LENGTH : end])))
            at = end
        if self._buffer:
            del self._buffer[:at]
        elif at < len(data):
            self._buffer += data[at:]
        return frames


def _frame(frame: bytes) -> tuple[Head, bytes]:
    told, _, body = frame.partition(b"\n")
    try:
        head = json.loads(told)
    except (ValueError, RecursionError):
        raise FrameError("a frame whose head is not JSON") from None
    if not isinstance(head, dict):
        raise FrameError("a frame whose head is not an object")
    return head, body
