"""Bytes of a message to the frozen `Message`: one pass over the header, one search for each boundary, within limits.

The standard library reads 56 MB/s, recurses on nested parts and costs 0.3 ms on a small message; this is on the way of
every mail. It serves as the oracle of the tests instead. Nothing is ever re-serialised: the bytes that go on are the
bytes that came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from mmap import mmap
from typing import TYPE_CHECKING

from nixie.core._mime_tree import leaves
from nixie.core.address import parse_mailboxes
from nixie.core.headers import cut_fields, date_of, message_ids, readable, token, unfolded
from nixie.core.message import Message, NotSeen
from nixie.core.words import mended

if TYPE_CHECKING:
    from nixie.core.address import Mailbox
    from nixie.core.headers import Buffer, Fields


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a message is read. Past a limit there is a defect, and `NotSeen` where a value would be incomplete."""

    header_bytes: int = 2 << 20
    """Of the whole header: 5,000 recipients with names take 0.4 MB."""
    header_fields: int = 2000
    mailboxes: int = 5000
    """Of one kind of field; the rest stays together in a last mailbox with the defect `too-many`."""
    people_bytes: int = 512 << 10
    """Of all fields of one kind (To, Cc, ...). 5,000 recipients with names take 400 kB; junk costs 5 us a byte to look at."""
    subject: int = 4096
    """Characters."""
    ids: int = 100
    """Of References and of In-Reply-To."""
    nixie_fields: int = 50
    depth: int = 50
    """Multiparts and attached messages inside one another."""
    parts: int = 2000
    part_header_bytes: int = 64 << 10
    text_bytes: int = 256 << 10
    """Decoded bytes of one text part."""
    total_text_bytes: int = 2 << 20
    attached_bytes: int = 4 << 20
    """Of an attached message that must be decoded before it can be read."""
    scans: int = 20
    """How often the whole message may be searched for boundaries (each level of nesting searches its part again)."""
    scan_floor: int = 64 << 20
    """Bytes that may be searched in any case, so that small messages may nest as deep as `depth` says."""


DEFAULT_LIMITS = Limits()

_PEOPLE = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_ONCE = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"subject", b"date", b"message-id")
_LIST_FIELDS = (b"list-post", b"list-unsubscribe", b"list-subscribe", b"list-help", b"list-owner", b"list-archive")
_OTHERS = (
    *(b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"auto-submitted", b"precedence", b"list-id"),
    *(b"received", b"content-type", b"content-transfer-encoding", b"content-disposition"),
)
_WANTED = dict.fromkeys((*_PEOPLE, *_OTHERS, *_LIST_FIELDS), True)
_PREFIXES = (b"resent-", b"x-nixie-")
_REPORTED = re.compile(rb"^message-id:[ \t]*+(?:\r?\n[ \t]++)?(<[^<>\r\n]{1,998}>)", re.IGNORECASE | re.MULTILINE)
_REPORT_BYTES, _REPORTED_IDS = 65_536, 5
_IN_BRACKETS = re.compile(r"<([^<>]{1,255})>")


def read(raw: bytes | bytearray | memoryview, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Return the message in the bytes (CRLF or LF line ends), never raising and never recursing.

    Linear in the size of the message. The value keeps no reference to `raw`.
    """
    buffer = _searchable(raw)
    size = len(buffer)
    fields = cut_fields(
        buffer, 0, size, _WANTED, max_bytes=limits.header_bytes, max_fields=limits.header_fields, prefixes=_PREFIXES
    )
    defects = [f"repeated-{name.decode()}" for name in _ONCE if len(fields.values.get(name, ())) > 1]
    if fields.cut:
        defects.append("header-too-long")
    if not fields.separated:
        defects.append("header-unended")
    parts, more, content_type = leaves(buffer, size, fields, limits)
    ids = message_ids(fields.first(b"message-id"), 1)
    return Message(
        from_=_people(fields, b"from", limits),
        sender=_people(fields, b"sender", limits),
        reply_to=_people(fields, b"reply-to", limits),
        to=_people(fields, b"to", limits),
        cc=_people(fields, b"cc", limits),
        bcc=_people(fields, b"bcc", limits),
        subject=_subject(fields, limits),
        date=date_of(fields.first(b"date")) if b"date" in fields.values else None,
        message_id=ids[0] if ids else mended(unfolded(fields.first(b"message-id")[:998])).strip("<> "),
        in_reply_to=_ids(fields, b"in-reply-to", limits),
        references=_ids(fields, b"references", limits),
        auto_submitted=token(fields.first(b"auto-submitted")),
        precedence=token(fields.first(b"precedence")),
        list_id=_list_id(fields),
        received=len(fields.values.get(b"received", ())),
        resent=any(name.startswith(b"resent-") for name, _ in fields.prefixed),
        nixie_fields=_nixie_fields(fields, limits),
        parts=parts,
        body_digest=_digest(buffer, fields.body),
        size=size,
        defects=(*defects, *more),
        content_type=content_type,
        reported=_reported(buffer, fields.body) if content_type == "multipart/report" else (),
    )


def _searchable(raw: bytes | bytearray | memoryview) -> Buffer:
    """Return an object with `find` over the same bytes: a view's own buffer where it shows all of it, else a copy."""
    if not isinstance(raw, memoryview):
        return raw
    owner = raw.obj
    if isinstance(owner, (bytes, mmap)) and raw.contiguous and raw.nbytes == len(owner):
        return owner
    return bytes(raw)


def _reported(buffer: Buffer, start: int) -> tuple[str, ...]:
    """Return the Message-IDs of the mail that a report gives back, whole or as a header; they stand near its beginning."""
    found = _REPORTED.findall(bytes(buffer[start : start + _REPORT_BYTES]))
    return tuple(dict.fromkeys(one for value in found[:_REPORTED_IDS] for one in message_ids(value, 1)))


def _digest(buffer: Buffer, start: int) -> bytes:
    with memoryview(buffer) as whole, whole[start:] as body:
        return sha256(body).digest()


def _people(fields: Fields, name: bytes, limits: Limits) -> tuple[Mailbox, ...] | NotSeen:
    values = fields.values.get(name)
    if values is None:
        # A field that was not found may stand in the part of the header that was not read.
        return NotSeen("too-large") if fields.cut else ()
    if sum(map(len, values)) > limits.people_bytes:
        return NotSeen("too-large")
    if len(values) == 1:
        return parse_mailboxes(unfolded(values[0]), limits.mailboxes)
    found: list[Mailbox] = []
    for value in values:
        found.extend(parse_mailboxes(unfolded(value), max(0, limits.mailboxes - len(found))))
    return tuple(found)


def _subject(fields: Fields, limits: Limits) -> str | NotSeen:
    if b"subject" not in fields.values:
        return NotSeen("too-large") if fields.cut else ""
    return readable(fields.first(b"subject"), limits.subject)


def _ids(fields: Fields, name: bytes, limits: Limits) -> tuple[str, ...]:
    value = fields.first(name)
    return message_ids(value, limits.ids) if value else ()


def _list_id(fields: Fields) -> str:
    """Return the list's identifier (RFC 2919), else the address it is written to, else `unnamed` for any List field."""
    if value := fields.first(b"list-id"):
        text = mended(unfolded(value[:1024]).lower())
        found = _IN_BRACKETS.search(text)
        return (found[1] if found else text)[:255].strip() or "unnamed"
    if value := fields.first(b"list-post"):
        found = _IN_BRACKETS.search(mended(unfolded(value[:1024]).lower()))
        if found and found[1].startswith("mailto:"):
            return found[1].removeprefix("mailto:").partition("?")[0]
    return "unnamed" if any(name in fields.values for name in _LIST_FIELDS) else ""


def _nixie_fields(fields: Fields, limits: Limits) -> tuple[tuple[str, str], ...]:
    ours = [(n.decode("ascii"), readable(v, 1000)) for n, v in fields.prefixed if n.startswith(b"x-nixie-")]
    return tuple(ours[: limits.nixie_fields])
