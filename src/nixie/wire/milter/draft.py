"""One message while it arrives: the envelope, and the header and body as the bytes they were on the SMTP line.

A milter sends fields apart, folded with LF alone. The bytes are put together again as they came in, so that digests and
DKIM signatures agree: `Name:` + value (its leading space kept where HDR_LEADSPC was agreed, else one space put back), CRLF
line ends, an empty line, the body chunks as they are.

Past a bound nothing is stored any more and the draft remembers which bound it was: the caller answers for it. Nothing
raises here; a full disk is a trouble like the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixie.wire.milter.events import Mail, Rcpt

ENVELOPE_BYTES: Final = 4 << 20
"""Most bytes of recipients with their parameters; 10,000 recipients of the longest legal path fit in."""

_FLUSH: Final = 1 << 16


class Sink(Protocol):
    """Where message bytes go. `append` may raise OSError when there is no room."""

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        """Add bytes at the end."""

    def close(self) -> None:
        """Let the bytes go."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may bring: bytes of header and body together, and recipients."""

    message_bytes: int = 100_000_000
    recipients: int = 10_000


class Trouble(StrEnum):
    """Why a message could not be taken whole."""

    TOO_LARGE = "too-large"
    TOO_MANY_RECIPIENTS = "too-many-recipients"
    NO_ROOM = "no-room"


class Draft:
    """A message from MAIL on. `size` counts header and body bytes as they will be judged."""

    __slots__ = (
        "_envelope_room",
        "_gap",
        "_head",
        "_limits",
        "_open_sink",
        "_sink",
        "macros",
        "recipients",
        "sender",
        "size",
        "trouble",
    )

    def __init__(self, sender: Mail, open_sink: Callable[[], Sink], limits: Limits, *, leading_space: bool) -> None:
        self.sender = sender
        self.recipients: list[Rcpt] = []
        self.macros: dict[bytes, bytes] = {}
        self.size = 0
        self.trouble: Trouble | None = None
        self._open_sink = open_sink
        self._limits = limits
        self._gap = b":" if leading_space else b": "
        self._envelope_room = ENVELOPE_BYTES
        self._head = bytearray()
        self._sink: Sink | None = None

    def add_recipient(self, recipient: Rcpt) -> None:
        """Add one copy."""
        self._envelope_room -= len(recipient.path) + sum(map(len, recipient.params))
        if len(self.recipients) >= self._limits.recipients or self._envelope_room < 0:
            self._stop(Trouble.TOO_MANY_RECIPIENTS)
        else:
            self.recipients.append(recipient)

    def add_header(self, name: bytes, value: bytes) -> None:
        """Add one field."""
        if b"\n" in value:
            value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._head += b"%b%b%b\r\n" % (name, self._gap, value)
        if len(self._head) > _FLUSH:
            self._flush()

    def end_headers(self) -> None:
        """Add the empty line."""
        self._head += b"\r\n"
        self._flush()

    def add_body(self, chunk: bytes) -> None:
        """Add bytes of the body."""
        self._store(chunk)

    def finish(self) -> Sink | None:
        """Hand the sink out; None when there was trouble."""
        sink, self._sink = self._sink, None
        return sink

    def drop(self) -> None:
        """Let the bytes go."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        self._head = bytearray()

    def _flush(self) -> None:
        head, self._head = self._head, bytearray()
        self._store(head)

    def _store(self, data: bytes | bytearray) -> None:
        if self.trouble is not None:
            return
        self.size += len(data)
        if self.size > self._limits.message_bytes:
            self._stop(Trouble.TOO_LARGE)
            return
        try:
            if self._sink is None:
                self._sink = self._open_sink()
            self._sink.append(data)
        except OSError:
            self._stop(Trouble.NO_ROOM)

    def _stop(self, trouble: Trouble) -> None:
        if self.trouble is None:
            self.trouble = trouble
        self.drop()
