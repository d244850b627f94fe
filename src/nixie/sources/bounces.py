"""What a bounce that comes to us shows: that nobody lives at an address which one of ours wrote to.

A log of ours says it in its own lines; where the other side takes a mail first and gives it back later, a delivery status
notification says it (RFC 3464). Anybody can write one, so it counts only where it names a mail that we sent to that address, once a
mail, and only against the address, never for one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixie.core.address import canonical, parse_address
from nixie.core.events import Answer, Event, EventKind, event_key
from nixie.core.message import NotSeen
from nixie.sources.records import person_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation

MOST_FAILED = 20
"""Recipients of one notification that are looked at."""

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_FIELD = re.compile(r"^(action|status|final-recipient|original-recipient):[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_NOBODY_THERE = re.compile(r"5\.1\.\d{1,3}\b")


def failed_recipients(message: Message) -> tuple[Address, ...]:
    """Return the addresses at which a notification says that nobody lives (failed for good, 5.1.x), as they were written."""
    if isinstance(message.parts, NotSeen):
        return ()
    found: dict[str, Address] = {}
    for part in message.parts:
        if part.content_type not in _STATUS_TYPES or isinstance(part.text, NotSeen):
            continue
        for block in part.text.split("\n\n"):
            address = _failed(block)
            if address is not None and len(found) < MOST_FAILED:
                found.setdefault(address.key, address)
    return tuple(found.values())


def bounces_of(
    message: Message, recipients: tuple[Address, ...], at: datetime, organisation: Organisation
) -> Iterator[Answer]:
    """Yield a BOUNCED event for each failed recipient, to stand if the mail that is given back is known to be ours."""
    ours = next((canonical(r) for r in recipients if organisation.owns(r.domain)), None)
    if ours is None or not message.reported:
        return
    for failed in failed_recipients(message):
        other = canonical(failed)
        if organisation.inside(other.domain):
            continue
        for message_id in message.reported:
            key = person_key(EventKind.BOUNCED, message_id, other, ours)
            sent = event_key(EventKind.SENT, message_id, other.key)
            yield Answer(Event(EventKind.BOUNCED, ours, other, at, key), (sent,))


def _failed(block: str) -> Address | None:
    """Return the recipient of one block of fields, where it failed because nobody lives there."""
    fields = {name.lower(): value.strip() for name, value in _FIELD.findall(block)}
    if fields.get("action", "").lower() != "failed" or not _NOBODY_THERE.match(fields.get("status", "")):
        return None
    # "rfc822; bob@example.org"; the original recipient is the one that was written (RFC 3461, section 4.2).
    written = fields.get("original-recipient") or fields.get("final-recipient", "")
    address = parse_address(written.partition(";")[2].strip())
    return address if address is not None and address.domain else None
