"""The client's side of SMTP: commands to bytes, bytes of the server to replies, each with the command it answers.

Several commands may be under way when the server offers PIPELINING (RFC 2920); the replies come in their order. A reply
that answers nothing is an error, except 421, by which a server may say good-bye at any time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from nixie.wire.smtp.errors import LocalError, RemoteError
from nixie.wire.smtp.keywords import Keywords, read_keywords
from nixie.wire.smtp.replies import Reply, ReplyReader

GREETING = b""
"""Stands for the command that the greeting answers: there is none."""
TEXT_END = b"."
"""Stands for the end of the text."""

_LAST_OF_GROUP = frozenset({b"EHLO", b"HELO", b"DATA", b"QUIT", b"STARTTLS", TEXT_END})


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply and the verb that it answers; `verb` is None for a 421 that nobody asked for."""

    verb: bytes | None
    reply: Reply


class ClientSession:
    """One connection. `send` gives the bytes of a command, `next_answer` what came back; `keywords` after EHLO."""

    def __init__(self) -> None:
        self.keywords: Keywords = {}
        self._reader = ReplyReader()
        self._pending: deque[bytes] = deque([GREETING])

    @property
    def pipelining(self) -> bool:
        """Return whether the server takes several commands at once."""
        return b"PIPELINING" in self.keywords

    @property
    def waiting(self) -> int:
        """Return how many commands have no reply yet."""
        return len(self._pending)

    @property
    def spoken_to(self) -> bool:
        """Return whether bytes came that answer nothing (a 421 before a connection ends)."""
        return not self._pending and self._reader.waiting

    def send(self, line: bytes) -> bytes:
        """Return the bytes of a command line. Raises LocalError for what may not be sent now or ever."""
        if b"\r" in line or b"\n" in line:
            raise LocalError("a command holds a line end")
        verb = line.partition(b" ")[0].upper()
        if self._pending and (not self.pipelining or self._pending[-1] in _LAST_OF_GROUP):
            raise LocalError(f"{verb.decode('ascii', 'replace')} before the reply to what came before it")
        self._pending.append(verb)
        return line + b"\r\n"

    def text_ends(self) -> None:
        """Note that a text went out with its end marker (`data.stuffed`), so that its reply is awaited."""
        self._pending.append(TEXT_END)

    def receive(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._reader.receive(data)

    def next_answer(self) -> Answered | None:
        """Return the next reply with its command, None when more bytes are needed. Raises RemoteError."""
        reply = self._reader.next_reply()
        if reply is None:
            return None
        if not self._pending:
            if reply.code == 421:
                return Answered(None, reply)
            raise RemoteError(f"a reply {reply.code} that answers nothing")
        verb = self._pending.popleft()
        if verb in (b"EHLO", b"HELO") and reply.positive:
            self.keywords = read_keywords(reply) if verb == b"EHLO" else {}
        if verb == b"STARTTLS" and reply.positive:
            self.keywords = {}
            if self._reader.waiting:
                # RFC 3207 and CVE-2011-0411 seen from this side: a reply that was sent in clear ahead of TLS.
                self._reader.clear()
                raise RemoteError("the server spoke on in clear after its 220 to STARTTLS")
        return Answered(verb, reply)
