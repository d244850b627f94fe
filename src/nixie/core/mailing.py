"""One mail as knowledge keeps it: who wrote it, to whom together, when, in which thread, with which telling words.

Counts by day (`core.events`) say how often somebody is written to; they do not say with whom, in answer to what, or about
what. A mailing does, and a decision reads only the latest few of each person, all before its moment: so what is read stays
bounded, is exact to the instant, and no judgement is stored. Words are numbers that nothing can be read from.

A mailing has a `key` that is the same however often and wherever the mail is seen; what two sightings of one mail show of its
recipients, names and words is put together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Address

LARGEST_GROUP = 50
"""Most recipients of a mail that says who belongs together; a larger one is kept without its circle, as a circular is."""

MOST_WORDS = 32
"""Most words kept of one mail."""

MOST_REFERENCES = 8
"""How many of the last Message-IDs that a mail refers to are kept and looked for."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """One mail to be learned.

    `sender` and `recipients` are canonical, inside and outside alike; recipients are To, Cc and the envelope together, each
    once, and empty where there were more than `LARGEST_GROUP`. `references` are keys (`mailing_key`) of mail it refers to,
    oldest first. `names` are display names beside addresses. `words` are those of `core.vocabulary`. `ours` is whether one of
    our people wrote it, `topic` what its subject is about (`core.topic`, 0 for nothing). `readers` are those of the recipients who
    are our people.
    """

    key: int
    at: datetime
    sender: Address
    recipients: tuple[Address, ...]
    references: tuple[int, ...] = ()
    names: tuple[tuple[Address, str], ...] = field(default=(), repr=False)
    words: tuple[int, ...] = field(default=(), repr=False)
    ours: bool = True
    topic: int = 0
    readers: tuple[Address, ...] = ()


class PastMail(NamedTuple):
    """One mail that knowledge remembers: its moment (microseconds since 1970, UTC), people as numbers, words as numbers.

    `members` are the recipients' numbers in ascending order; numbers mean something within one answer of a store only.
    A decision reads a hundred of these, so they are of the kind that costs least to make.
    """

    key: int
    at: int
    sender: int
    members: tuple[int, ...]
    words: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"PastMail(key={self.key}, at={self.at}, sender={self.sender}, members={self.members})"


def mailing_key(message_id: str) -> int:
    """Return the 63-bit number of a mail, from its Message-ID without brackets or what stands for it."""
    digest = blake2b(f"mail\0{message_id}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def keys_of(mailing: Mailing) -> list[str]:
    """Return the `Address.key` of everybody in a mailing."""
    return [mailing.sender.key, *(r.key for r in mailing.recipients)]
