"""Replies: one value for both directions, read within bounds and written in the form of RFC 5321, section 4.2.

A reply of the next hop reaches the client in the words in which it came; only bytes that could break a line are replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nixie.wire.smtp.errors import RemoteError

MAX_REPLY_LINE = 4096
MAX_REPLY_LINES = 256
MAX_TEXT = 500

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_CONTROLS = bytes(c if c >= 0x20 and c != 0x7F else 0x20 for c in range(256))


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` 200 to 599 and the text of each line (an enhanced status code is part of the text)."""

    code: int
    lines: tuple[bytes, ...] = field(default=(b"",), repr=False)

    @classmethod
    def of(cls, text: str, fallback: int = 451) -> Reply:
        """Return the reply that `text` says, such as `550 5.7.1 No`; several lines may be separated by LF.

        The lines may repeat the code. Text without a code of 4xx or 5xx, or 2xx, gets `fallback`. Controls become spaces,
        characters outside ASCII `?`, lines are cut at 500 bytes: what a policy's author wrote cannot break the dialogue.
        """
        code = 0
        lines = []
        for part in text.splitlines() or [""]:
            raw = part.encode("ascii", "replace").translate(_CONTROLS)
            match = _LINE.fullmatch(raw)
            if match is not None:
                code = code or int(match[1])
                raw = match[3] or b""
            lines.append(raw[:MAX_TEXT])
        return cls(code or fallback, tuple(lines))

    @property
    def positive(self) -> bool:
        """Return whether it says yes (2xx)."""
        return 200 <= self.code < 300

    @property
    def go_on(self) -> bool:
        """Return whether it asks for more (3xx)."""
        return 300 <= self.code < 400

    def encode(self) -> bytes:
        """Return the bytes of the reply, CRLF at the end of each line."""
        code = b"%d" % self.code
        last = len(self.lines) - 1
        return b"".join(
            code + (b" " if number == last else b"-") + text + b"\r\n" for number, text in enumerate(self.lines)
        )


class ReplyReader:
    """Bytes of a server in, replies out. Forgives a bare LF as line end: nothing that a reply says moves a message."""

    __slots__ = ("_buffer", "_code", "_lines", "_scanned")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._code = 0
        self._lines: list[bytes] = []

    @property
    def waiting(self) -> bool:
        """Return whether bytes of a reply are there that nobody has taken."""
        return bool(self._buffer or self._lines)

    def receive(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._buffer += data

    def clear(self) -> bytes:
        """Return and forget what waits (before TLS: what came in clear must not count as said under TLS)."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return rest

    def next_reply(self) -> Reply | None:
        """Return the next whole reply, None when more bytes are needed. Raises RemoteError for what is no reply."""
        while True:
            end = self._buffer.find(b"\n", self._scanned)
            if end > MAX_REPLY_LINE or (end < 0 and len(self._buffer) > MAX_REPLY_LINE):
                raise RemoteError(f"a reply line has more than {MAX_REPLY_LINE} bytes")
            if end < 0:
                self._scanned = len(self._buffer)
                return None
            raw = bytes(self._buffer[:end]).removesuffix(b"\r").translate(_CONTROLS)
            del self._buffer[: end + 1]
            self._scanned = 0
            match = _LINE.fullmatch(raw)
            if match is None:
                raise RemoteError("a reply line does not begin with a code")
            if self._lines and int(match[1]) != self._code:
                raise RemoteError("the lines of one reply differ in their code")
            self._code = int(match[1])
            self._lines.append(match[3] or b"")
            if match[2] != b"-":
                reply = Reply(self._code, tuple(self._lines))
                self._lines = []
                return reply
            if len(self._lines) >= MAX_REPLY_LINES:
                raise RemoteError(f"a reply has more than {MAX_REPLY_LINES} lines")
