"""What the organisation's mail has shown: events in counts, never a judgement.

An event says that something happened between one of our people and an address outside (or inside), at a time. What
repetition is worth is decided when it is asked for (`core.intent`), so that counts depend neither on the order in which
sources are read nor on the policy in force, and one slip sent twice never becomes trusted.

Each event carries a `key` that is the same however often and wherever the mail is seen (live, in a log, in a mailbox):
the store counts a key once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Address


class EventKind(IntEnum):
    """The ways in which mail shows something; the numbers are stored, so they never change."""

    SENT = 1
    """One of ours wrote to the address, and the copy went on; a held copy counts when it leaves after all."""
    WROTE_TO_US = 2
    """The address wrote to one of ours."""
    REPLIED = 3
    """The address answered a message that one of ours had sent to it."""
    BOUNCED = 4
    """A delivery to the address failed for good ("no such user", 5.1.x)."""
    RELEASED_BY_SENDER = 5
    """The author said "send it as it is"."""
    RELEASED_BY_REVIEWER = 6
    """A reviewer said so."""
    CORRECTED_AWAY = 7
    """The author or a reviewer said that another address was meant."""
    CANCELLED = 8
    """The copy was cancelled before it left."""
    DISOWNED = 9
    """The address answered that it was the wrong one."""
    CONFIRMED = 10
    """An administrator confirmed the address (`nixie knowledge doubt --confirm`)."""


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` happened at `at` (aware, UTC) between `ours` (one of our people) and `other`; `key` counts it once."""

    kind: EventKind
    ours: Address
    other: Address
    at: datetime
    key: int


def event_key(kind: EventKind, message_id: str, other_key: str) -> int:
    """Return the 63-bit number by which one event is counted once, from a Message-ID (or body digest) and `Address.key`.

    The author is left out on purpose: a log knows the envelope sender, a mailbox the From field, and both mean the
    same mail.
    """
    digest = blake2b(f"{kind:d}\0{message_id}\0{other_key}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A `REPLIED` event that stands once one of the copies it refers to is known; a `BOUNCED` one, if it is by then.

    `to` are `event_key(SENT, reference, other.key)` for each Message-ID that the mail refers to.
    """

    event: Event
    to: tuple[int, ...]
