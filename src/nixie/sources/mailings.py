"""Records as mailings: who belongs together, in answer to what, about what (`core.mailing`).

The rules are those of the events in `sources.records`: nobody's mail, lists and automatic answers teach nothing, mail of ours
counts wherever it goes, mail from outside where it comes to us. What differs is that mail inside the house is a mailing too: a
stranger is noticed by the people one usually writes to.

A log knows the envelope, a mailbox the header, the door both; all three give one mail the same key, and the store unites
what they show. A recipient whose copy was stopped is in none of it until the copy leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.address import canonical
from nixie.core.mailing import LARGEST_GROUP, MOST_REFERENCES, Mailing, mailing_key
from nixie.core.message import NotSeen
from nixie.sources.records import RecordKind, nobody, record_of_message

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.sources.records import Record

LONGEST_NAME = 100
"""Characters of a display name; a longer one is a sentence."""


def mailing_of_message(
    message: Message,
    sender: Address,
    recipients: tuple[Address, ...],
    at: datetime,
    organisation: Organisation,
    *,
    shown: tuple[Address, ...] = (),
) -> Mailing | None:
    """Return the mailing of a mail that was read whole; None where it teaches nothing.

    `sender` as in `records.record_of_message`; `recipients` are those whose copies went on, `shown` people of To and Cc besides
    (`shown_beside`).
    """
    return mailing_of_record(record_of_message(message, sender, recipients, at, shown=shown), organisation)


def mailing_of_record(record: Record, organisation: Organisation) -> Mailing | None:
    """Return the mailing of a record; None for nobody's mail, and for mail that is neither from us nor to us.

    The sender is not among the recipients. Display names are kept for the people of the circle; a stranger is asked for his own
    alone, since anybody may call anybody anything.
    """
    if record.kind is not RecordKind.MAIL or record.automatic or not record.message_id or nobody(record.sender):
        return None
    sender = canonical(record.sender)
    ours = organisation.owns(sender.domain)
    if not ours and (organisation.inside(sender.domain) or not _to_us(record, organisation)):
        return None
    circle: dict[str, Address] = {}
    for address in (*record.recipients, *record.shown):
        person = canonical(address)
        if person.domain and person.key != sender.key:
            circle.setdefault(person.key, person)
            if len(circle) > LARGEST_GROUP:
                break
    if not circle:
        return None
    group = tuple(circle.values()) if len(circle) <= LARGEST_GROUP else ()
    named = {sender.key, *(circle if ours and group else ())}
    key = mailing_key(record.message_id)
    references = (mailing_key(reference) for reference in record.references[-MOST_REFERENCES:])
    return Mailing(
        key=key,
        at=record.at,
        sender=sender,
        recipients=group,
        references=tuple(r for r in references if r != key),
        names=tuple(dict.fromkeys(_names(record, named))),
        words=record.words,
        ours=ours,
        topic=record.topic,
        readers=tuple(person for person in group if organisation.owns(person.domain)),
    )


def shown_beside(
    message: Message, reached: Container[str], organisation: Organisation, *, ours: bool
) -> tuple[Address, ...]:
    """Return who stands in To and Cc beside the recipients of this envelope (`reached`, by `Address.key`).

    In mail of ours only people of ours: a copy to the outside may be held in a transaction of its own, which will teach it.
    """
    found: dict[str, Address] = {}
    for mailboxes in (message.to, message.cc):
        for mailbox in () if isinstance(mailboxes, NotSeen) else mailboxes:
            address = mailbox.address
            if address is None or address.key in reached or (ours and not organisation.inside(address.domain)):
                continue
            found.setdefault(address.key, address)
            if len(found) > LARGEST_GROUP:
                return tuple(found.values())
    return tuple(found.values())


def _to_us(record: Record, organisation: Organisation) -> bool:
    return any(organisation.owns(canonical(recipient).domain) for recipient in record.recipients)


def _names(record: Record, named: Container[str]) -> Iterator[tuple[Address, str]]:
    for address, name in record.names:
        person = canonical(address)
        if person.key in named:
            text = " ".join(name.split())
            if text and len(text) <= LONGEST_NAME and "@" not in text:
                yield person, text
