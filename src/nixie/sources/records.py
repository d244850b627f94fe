"""One mail as a source shows it, and the events that it is evidence for.

A log knows the envelope, a mailbox the headers, the door both; each makes a `Record`, and the rules here are the only ones
that turn records into events, so that the same mail teaches the same however it was seen. What the guard stopped is seen
differently, though: door and log show the copies that went on, a mailbox shows what was written.

* Ours to outside: one SENT per outside recipient, however its delivery ended; the author is the canonical sender.
* Outside to ours: one WROTE_TO_US per recipient of ours, and, where the mail refers to earlier mail, an `Answer`.
* Refused for good ("no such user", 5.1.x, RFC 3463 section 3.2): one BOUNCED.
* Nobody's mail teaches nothing about people: the null sender, automatic answers, lists. Nor does mail inside the house.

What a record says beyond counts (who belongs together, what about) is in `sources.mailings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nixie.core.address import Address, canonical, rewriting
from nixie.core.events import Answer, Event, EventKind, event_key
from nixie.core.message import NotSeen
from nixie.core.reading import text_of_message
from nixie.core.topic import topic_of
from nixie.core.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.core.reading import Reading

MAX_REFERENCES = 20
"""How many of the last Message-IDs that a mail refers to are looked for."""

MAX_NAMES = 60
"""Mailboxes of each field whose display names are kept."""


class RecordKind(StrEnum):
    """What a source says about a mail."""

    MAIL = "mail"
    BOUNCE = "bounce"
    """The recipients refused the mail of `sender` for good because nobody lives there."""


@dataclass(frozen=True, slots=True)
class Record:
    """One mail as seen: `message_id` without brackets (or what stands for it), `at` aware UTC, who, to whom.

    `automatic` is true for lists and automatic answers. `references` are the Message-IDs it refers to, oldest first. `shown` are
    people of its To and Cc beside `recipients`; `names` display names as they stand there, `words` those of `core.vocabulary`,
    `topic` that of `core.topic` (0 where the subject says nothing).
    """

    message_id: str = field(repr=False)
    at: datetime
    sender: Address
    recipients: tuple[Address, ...]
    kind: RecordKind = RecordKind.MAIL
    automatic: bool = False
    references: tuple[str, ...] = field(default=(), repr=False)
    defects: tuple[str, ...] = ()
    shown: tuple[Address, ...] = field(default=(), repr=False)
    names: tuple[tuple[Address, str], ...] = field(default=(), repr=False)
    words: tuple[int, ...] = field(default=(), repr=False)
    topic: int = 0


def record_of_message(
    message: Message,
    sender: Address,
    recipients: tuple[Address, ...],
    at: datetime,
    *,
    automatic: bool = False,
    shown: tuple[Address, ...] = (),
    reading: Reading | None = None,
) -> Record:
    """Return the record of a mail that was read whole, at a door or from a stream: the way live mail teaches.

    `sender` is the author (`Origin.author`) of outgoing mail, the From address or envelope sender of incoming. `reading` spares
    reading the text once more.
    """
    return Record(
        message_id=identity(message),
        at=at,
        sender=sender,
        recipients=recipients,
        automatic=automatic or message.auto_submitted not in ("", "no") or bool(message.list_id),
        references=tuple(dict.fromkeys((*message.references, *message.in_reply_to)))[-MAX_REFERENCES:],
        shown=shown,
        names=tuple(_names(message)),
        words=telling_words(message) if reading is None else reading.words,
        topic=topic_of_message(message) if reading is None else reading.topic,
    )


def telling_words(message: Message) -> tuple[int, ...]:
    """Return the telling words of a mail's subject and text."""
    return words_of(message.subject if isinstance(message.subject, str) else "", text_of_message(message))


def topic_of_message(message: Message) -> int:
    """Return what a mail's subject is about (`core.topic`), 0 for nothing."""
    return topic_of(message.subject)[0] if isinstance(message.subject, str) else 0


def _names(message: Message) -> Iterator[tuple[Address, str]]:
    for field_ in (message.from_, message.to, message.cc):
        for mailbox in () if isinstance(field_, NotSeen) else field_[:MAX_NAMES]:
            if mailbox.name and mailbox.address is not None:
                yield mailbox.address, mailbox.name


def identity(message: Message) -> str:
    """Return what a mail is known by: its Message-ID, without one the digest of its body in hexadecimal."""
    return message.message_id or message.body_digest.hex()


def person_key(kind: EventKind, message_id: str, other: Address, ours: Address) -> int:
    """Return the key of an event: outgoing mail counts once per recipient, incoming once per pair.

    An author is left out for outgoing mail, since a log knows the envelope's sender and a mailbox the From field. For
    incoming mail our side is the recipient and both know it; one mail to three of us is three copies, in any order.
    """
    if kind in (EventKind.WROTE_TO_US, EventKind.REPLIED):
        return event_key(kind, message_id, f"{other.key}\0{ours.key}")
    return event_key(kind, message_id, other.key)


def events_of(record: Record, organisation: Organisation) -> Iterator[Event]:
    """Yield what the record shows, each recipient once."""
    for kind, ours, other in _pairs(record, organisation):
        yield Event(kind, ours, other, record.at, person_key(kind, record.message_id, other, ours))


def answers_of(record: Record, organisation: Organisation) -> Iterator[Answer]:
    """Yield what the record would show if mail that it refers to turns out to be ours."""
    if not record.references:
        return
    refers = tuple(dict.fromkeys(record.references))[-MAX_REFERENCES:]
    for kind, ours, other in _pairs(record, organisation):
        if kind is EventKind.WROTE_TO_US:
            key = person_key(EventKind.REPLIED, record.message_id, other, ours)
            to = tuple(event_key(EventKind.SENT, reference, other.key) for reference in refers)
            yield Answer(Event(EventKind.REPLIED, ours, other, record.at, key), to)


def nobody(sender: Address) -> bool:
    """Return whether no person writes from this address: the null sender, or a list's and a robot's return path."""
    return sender.is_null or not sender.domain or rewriting(sender) == "verp"


def _pairs(record: Record, organisation: Organisation) -> Iterator[tuple[EventKind, Address, Address]]:
    if record.automatic or nobody(record.sender):
        return
    sender = canonical(record.sender)
    own = organisation.owns(sender.domain)
    inside = organisation.inside(sender.domain)
    seen: set[str] = set()
    for recipient in record.recipients:
        other = canonical(recipient)
        if not other.domain or other.key in seen:
            continue
        seen.add(other.key)
        there = organisation.inside(other.domain)
        if own and not there:
            yield (EventKind.BOUNCED if record.kind is RecordKind.BOUNCE else EventKind.SENT), sender, other
        elif not inside and organisation.owns(other.domain) and record.kind is RecordKind.MAIL:
            yield EventKind.WROTE_TO_US, other, sender
