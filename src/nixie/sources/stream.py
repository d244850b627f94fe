"""Mail as JSON lines: what `nixie check --stream` judges and `nixie learn` reads.

One object a line: `id`, `date` (ISO 8601, RFC 5322, or seconds since 1970), `kind` (message, bounce, outcome), `sender`,
`to`, `cc`, `bcc`, `subject`, `body`, `in_reply_to`, `references`, `attachments`, `learn`, `judge`. An address is a header
string (`Name <addr>`, several with commas) or `{"addr": ..., "name": ...}`; where several may stand, a list of these too.

* A missing key is `NotSeen`, which is not the same as an empty value.
* An address that is not SMTP (X.400, Exchange, a bare name) is kept whole as a local part without a domain; the defect
  `opaque-address` counts it, and it is never matched with another.
* `kind: bounce`: the addresses in `to` refused the mail `id` of `sender` for good.
* `kind: outcome`: `outcome` names what came of the copies of mail `id` to `to` (`released_by_sender`,
  `released_by_reviewer`, `corrected_away`, `cancelled`, `disowned`, `confirmed`).
* Any line gives an item; one that is no JSON object has the kind `unreadable`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nixie.core.address import NULL, Address, Mailbox, canonical, parse_mailboxes
from nixie.core.envelope import Envelope, Recipient
from nixie.core.events import Event, EventKind
from nixie.core.message import NOT_GIVEN, Message, NotSeen, Part
from nixie.sources.headers import moment_of
from nixie.sources.records import Record, RecordKind, events_of, person_key, record_of_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixie.core.organisation import Organisation
    from nixie.core.reading import Reading

MAX_ADDRESSES = 5_000
MAX_ATTACHMENTS = 2_000
_REMEMBERED = 1 << 14
"""Spellings of addresses that are remembered: a stream names the same people again and again."""

OUTCOMES = {
    kind.name.lower(): kind
    for kind in (
        EventKind.RELEASED_BY_SENDER,
        EventKind.RELEASED_BY_REVIEWER,
        EventKind.CORRECTED_AWAY,
        EventKind.CANCELLED,
        EventKind.DISOWNED,
        EventKind.CONFIRMED,
    )
}
_KINDS = frozenset(("message", "bounce", "outcome"))

Mailboxes = tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One line: the message and envelope it describes, its moment (None when it gives none), and what to do with it.

    `kind` is message, bounce, outcome or unreadable; `id` the line's own name for it. `defects` are codes.
    """

    id: str
    kind: str
    message: Message
    envelope: Envelope
    date: datetime | None
    learn: bool = True
    judge: bool = True
    outcome: str = ""
    defects: tuple[str, ...] = ()


def read_item(line: bytes | str) -> StreamItem:
    """Return the item of one line, never raising."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        return StreamItem("", "unreadable", Message(), _envelope((), ()), None, defects=("not-json",))
    defects: list[str] = []
    kind = row.get("kind", "message")
    if not isinstance(kind, str) or kind not in _KINDS:
        defects.append("unknown-kind")
        kind = "unreadable"
    sender = _mailboxes(row, "sender", defects)
    people = {name: _mailboxes(row, name, defects) for name in ("to", "cc", "bcc")}
    reached = tuple(m for boxes in people.values() if not isinstance(boxes, NotSeen) for m in boxes)
    date = _date(row.get("date"))
    if date is None:
        defects.append("no-date")
    subject, body = row.get("subject", NOT_GIVEN), row.get("body")
    identity = str(row.get("id", "")).strip().strip("<>")
    text = body if isinstance(body, str) else ""
    message = Message(
        from_=sender,
        sender=NOT_GIVEN,
        reply_to=NOT_GIVEN,
        to=people["to"],
        cc=people["cc"],
        bcc=people["bcc"],
        subject=subject if isinstance(subject, str | NotSeen) else "",
        date=date,
        message_id=identity,
        in_reply_to=_ids(row.get("in_reply_to")),
        references=_ids(row.get("references")),
        auto_submitted=str(row.get("auto_submitted") or "").lower(),
        list_id=str(row.get("list_id") or ""),
        parts=_parts(row),
        body_digest=sha256(text.encode("utf-8", "surrogatepass")).digest() if isinstance(body, str) else b"",
        size=len(text),
        defects=tuple(defects),
    )
    return StreamItem(
        id=identity,
        kind=kind,
        message=message,
        envelope=_envelope(sender, reached),
        date=date,
        learn=row.get("learn", True) is not False,
        judge=row.get("judge", True) is not False and kind == "message",
        outcome=str(row.get("outcome", "")),
        defects=tuple(defects),
    )


def record_of_item(item: StreamItem, reading: Reading | None = None) -> Record | None:
    """Return the record of a message or bounce, None for an item without a date and for outcomes.

    `reading` as in `records.record_of_message`.
    """
    if item.date is None or item.kind not in ("message", "bounce"):
        return None
    recipients = tuple(r.address for r in item.envelope.recipients)
    if item.kind == "bounce":
        return Record(item.message.message_id, item.date, item.envelope.sender, recipients, RecordKind.BOUNCE)
    return record_of_message(item.message, item.envelope.sender, recipients, item.date, reading=reading)


def events_of_item(item: StreamItem, organisation: Organisation) -> Iterator[Event]:
    """Yield what an item of any kind shows; nothing where it has no date."""
    if record := record_of_item(item):
        yield from events_of(record, organisation)
    else:
        yield from outcomes_of_item(item, organisation)


def outcomes_of_item(item: StreamItem, organisation: Organisation) -> Iterator[Event]:
    """Yield what an outcome teaches; nothing for an item of another kind or without a date."""
    kind = OUTCOMES.get(item.outcome)
    if item.kind != "outcome" or kind is None or item.date is None:
        return
    ours = canonical(item.envelope.sender)
    for recipient in item.envelope.recipients:
        other = canonical(recipient.address)
        if other.domain and not organisation.inside(other.domain):
            yield Event(kind, ours, other, item.date, person_key(kind, item.message.message_id, other, ours))


def _date(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return moment_of(value[:200]) if isinstance(value, str) else None
    return None


def _ids(value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    words = (w.strip("<>,") for t in texts if isinstance(t, str) for w in t.replace("><", "> <").split())
    return tuple(w for w in words if w)


def _mailboxes(row: dict[str, Any], name: str, defects: list[str]) -> Mailboxes | NotSeen:
    if name not in row:
        return NOT_GIVEN
    value = row[name]
    found: list[Mailbox] = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            text, label = str(entry.get("addr") or entry.get("address") or ""), str(entry.get("name") or "")
            found.append(_box(label, _only(text) if "@" in text else None, text, defects))
        elif isinstance(entry, str):
            several = parse_mailboxes(entry)
            found.extend(box if box.address else _box(box.name, None, box.raw, defects) for box in several)
        elif entry is not None:
            defects.append("address-type")
        if len(found) > MAX_ADDRESSES:
            defects.append("too-many-addresses")
            break
    return tuple(found[:MAX_ADDRESSES])


@lru_cache(maxsize=_REMEMBERED)
def _only(text: str) -> Address | None:
    """Return the one address of a text; None where there are several or none."""
    boxes = [m for m in parse_mailboxes(text) if m.address]
    return boxes[0].address if len(boxes) == 1 else None


def _box(name: str, address: Address | None, text: str, defects: list[str]) -> Mailbox:
    if address and address.domain:
        return Mailbox(name, address, text, "", 0, len(text), ())
    defects.append("opaque-address" if text.strip() else "no-address")
    opaque = Address(text.strip(), "") if text.strip() else None
    return Mailbox(name, opaque, text, "", 0, len(text), ("opaque-address",))


def _envelope(sender: Mailboxes | NotSeen, reached: Mailboxes) -> Envelope:
    author = next((m.address for m in sender if m.address), NULL) if not isinstance(sender, NotSeen) else NULL
    people = {m.address.key: m.address for m in reached if m.address}
    recipients = tuple(Recipient(_path(a), a) for a in people.values())
    return Envelope(_path(author), author, recipients)


def _path(address: Address) -> bytes:
    return b"<%s>" % str(address).encode("utf-8", "surrogatepass")


def _parts(row: dict[str, Any]) -> tuple[Part, ...] | NotSeen:
    if "body" not in row and "attachments" not in row:
        return NOT_GIVEN
    body = row.get("body")
    text = body if isinstance(body, str) else NOT_GIVEN
    parts = [Part((1,), "text/plain", "", "", len(text) if isinstance(text, str) else 0, text)]
    attachments = row.get("attachments")
    for number, entry in enumerate(attachments[:MAX_ATTACHMENTS] if isinstance(attachments, list) else (), 2):
        name, kind, size = (
            (entry, "", 0)
            if isinstance(entry, str)
            else (entry.get("filename") or entry.get("name"), entry.get("content_type"), entry.get("size"))
            if isinstance(entry, dict)
            else ("", "", 0)
        )
        size = size if isinstance(size, int) else 0
        media = str(kind or "application/octet-stream")
        parts.append(Part((number,), media, "attachment", str(name or ""), size, NOT_GIVEN))
    return tuple(parts)
