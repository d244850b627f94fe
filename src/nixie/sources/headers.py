"""A mail as far as learning needs it: who, to whom, when, which mail, from the header alone at a tenth of the cost of reading it
all. Only for the telling words of a person's mail the beginning of the body is read as well.

Dates are UTC. The topmost `Received` field says when our side got the mail, which is what a log would say too; the
copies people keep of what they sent have none, and then `Date` counts. A clock that is in the future of the mailbox is
wrong, and the moment is cut to the mailbox's own (RFC 5322, section 3.6.1 promises nothing about clocks).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from nixie.core import mime
from nixie.core.address import NULL, parse_mailboxes
from nixie.sources.records import MAX_NAMES, MAX_REFERENCES, Record, telling_words, topic_of_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.core.address import Mailbox

MAX_HEADER = 1 << 18
"""Bytes of header that are looked at; what stands behind them is not seen, and a defect says so."""

_WANTED = (
    b"from|to|cc|bcc|date|received|message-id|in-reply-to|references|auto-submitted|precedence|list-id|list-post"
    b"|x-autoreply|delivered-to"
)
_FIELD = re.compile(rb"^(" + _WANTED + rb")[ \t]*:((?:[^\n]*+\n[ \t])*+[^\n]*+)", re.IGNORECASE | re.MULTILINE)
HAS_ID = re.compile(rb"^message-id[ \t]*:\s*<[^<>\s]+>", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,995})>")
_LIST_PRECEDENCE = frozenset({b"list", b"bulk", b"junk"})
MAX_TEXT = 1 << 15
"""Bytes of body that are read for telling words."""

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)


def body_digest(body: bytes) -> bytes:
    """Return the digest by which a mail without Message-ID is known: SHA-256 of the body with CRLF line ends."""
    return sha256(body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).digest()


def header_end(raw: bytes, start: int = 0) -> int:
    """Return where the body begins behind an empty line, -1 when the header does not end in `raw`."""
    if raw.startswith(b"\n", start):
        return start + 1
    if raw.startswith(b"\r\n", start):
        return start + 2
    ends = [i + n for mark, n in ((b"\n\n", 2), (b"\n\r\n", 3)) if (i := raw.find(mark, start)) >= 0]
    return min(ends, default=-1)


def record_of(raw: bytes, latest: datetime, digest: bytes = b"", body: bytes = b"") -> Record | None:
    """Return the record of one mail from its header bytes; None when it names no sender or no date at all.

    `latest` is a moment after which the mail cannot have been written; `digest` stands for a Message-ID that is missing; `body`
    is what follows the header, which may be cut at `MAX_TEXT`.
    """
    fields: dict[bytes, list[bytes]] = {}
    for found in _FIELD.finditer(raw, 0, MAX_HEADER):
        fields.setdefault(found[1].lower(), []).append(found[2])
    defects = ["header-cut"] if len(raw) > MAX_HEADER else []
    author = _mailboxes(fields.get(b"from", []))
    sender = author[0].address if author else None
    at = _moment(fields, latest, defects)
    if at is None:
        return None
    shown = _mailboxes([v for name in (b"to", b"cc") for v in fields.get(name, ())])
    people = [*shown, *_mailboxes(fields.get(b"bcc", ()))]
    recipients = tuple(m.address for m in people if m.address)
    automatic = _automatic(fields)
    identity = _ids(fields.get(b"message-id", ()))
    if identity:
        message_id = identity[0]
    else:
        defects.append("no-message-id")
        message_id = (digest or sha256(raw).digest()).hex()
    references = (*_ids(fields.get(b"references", ())), *_ids(fields.get(b"in-reply-to", ())))
    whole = None if automatic or sender is None else mime.read(b"".join((raw, body[:MAX_TEXT])))
    return Record(
        message_id=message_id,
        at=at,
        sender=sender or NULL,
        recipients=recipients,
        automatic=automatic,
        references=tuple(dict.fromkeys(references))[-MAX_REFERENCES:],
        defects=tuple(defects),
        names=tuple((m.address, m.name) for m in (*author[:1], *shown[:MAX_NAMES]) if m.name and m.address),
        words=telling_words(whole) if whole is not None else (),
        topic=topic_of_message(whole) if whole is not None else 0,
    )


def moment_of(text: str) -> datetime | None:
    """Return a date field's moment in UTC, None when it is none; a date without a zone is taken as UTC."""
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _moment(fields: dict[bytes, list[bytes]], latest: datetime, defects: list[str]) -> datetime | None:
    received = fields.get(b"received", [b""])[0].rpartition(b";")[2]
    for value in (received, *fields.get(b"date", ())[:1]):
        at = moment_of(" ".join(value[:200].decode("ascii", "replace").split())) if value else None
        if at is not None and at >= _EARLIEST:
            if at <= latest:
                return at
            defects.append("date-in-the-future")
            return latest
    return None


def _mailboxes(values: Sequence[bytes]) -> list[Mailbox]:
    """Return the mailboxes of some fields that have an address with a domain."""
    unfolded = (value.replace(b"\r", b"").replace(b"\n", b" ").strip() for value in values)
    return [m for value in unfolded for m in parse_mailboxes(value) if m.address and m.address.domain]


def _ids(values: list[bytes] | tuple[bytes, ...]) -> list[str]:
    return [i.decode("utf-8", "surrogateescape") for v in values for i in _MESSAGE_ID.findall(v)]


def _automatic(fields: dict[bytes, list[bytes]]) -> bool:
    submitted = fields.get(b"auto-submitted", [b""])[0].split(b";")[0].strip().lower()
    precedence = fields.get(b"precedence", [b""])[0].strip().lower()
    return (
        submitted not in (b"", b"no")
        or precedence in _LIST_PRECEDENCE
        or bool(fields.keys() & {b"list-id", b"list-post", b"x-autoreply"})
    )
