"""The message as far as it could be read: frozen, bounded, and honest about what was not seen.

A value that could not be read is `NotSeen(reason)`, never an exception and never silently absent, so that a policy can
tell "has no attachment" from "nobody looked". `core.mime` makes a `Message` of bytes; `sources.stream` makes one of JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Mailbox


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Stands where a value should be; `reason` is a code such as `not-given`, `too-large`, `too-deep`, `unreadable`."""

    reason: str


NOT_GIVEN = NotSeen("not-given")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree: where it stands, what it says it is, and its decoded text if it is readable text.

    `path` counts from 1 as in IMAP (RFC 3501, section 6.4.5); `size` is decoded bytes; `text` is cut at the limit of
    the reader, and then a defect of the message says so.
    """

    path: tuple[int, ...]
    content_type: str
    disposition: str
    filename: str = field(repr=False)
    size: int
    text: str | NotSeen = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One parsed message. Fields of people are empty tuples when the header is absent, `NotSeen` when nobody looked.

    `message_id`, `in_reply_to` and `references` come without angle brackets; `""` and `()` when absent.
    `body_digest` is SHA-256 over the raw bytes after the header, `b""` when there were none to see.
    `reported` are the Message-IDs of mail that a report encloses (RFC 6522), the first few.
    `received` counts `Received` fields. `content_type` is the whole message's (`multipart/report`). `defects` are codes, never text of the message.
    """

    from_: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    sender: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    reply_to: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    to: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    cc: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    bcc: tuple[Mailbox, ...] | NotSeen = field(default=(), repr=False)
    subject: str | NotSeen = field(default="", repr=False)
    date: datetime | None = None
    message_id: str = field(default="", repr=False)
    in_reply_to: tuple[str, ...] = field(default=(), repr=False)
    references: tuple[str, ...] = field(default=(), repr=False)
    auto_submitted: str = ""
    precedence: str = ""
    list_id: str = ""
    received: int = 0
    resent: bool = False
    nixie_fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    parts: tuple[Part, ...] | NotSeen = field(default=(), repr=False)
    body_digest: bytes = field(default=b"", repr=False)
    size: int = 0
    defects: tuple[str, ...] = ()
    content_type: str = ""
    reported: tuple[str, ...] = field(default=(), repr=False)
