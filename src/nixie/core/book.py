"""The author's book: how probable it is that he writes to somebody, from his own mails alone.

The counts of the whole organisation (`core.correspondence`) say whether an address exists for us at all; between two people whom
one author knows they say little. Here each is as probable as the author's mails to him are many, and somebody new is as probable
as new people are in this author's mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.core.facts import Surroundings

SMOOTHING = 10.0
"""Mails' worth of "somebody else" in each share."""

NEW_PEOPLE, NEW_PEOPLE_MAILS = 0.1, 20
"""One mail in ten goes to somebody new, until 20 mails' worth of an author's own say otherwise."""

TWIN = 0.001
"""How probable another true address of a person is, of the mails to that person: people have mail in two places."""


@dataclass(frozen=True, slots=True)
class Book:
    """`mails` of the author to his `contacts`, before the moment."""

    mails: int
    contacts: int

    @staticmethod
    def of(around: Surroundings) -> Book:
        """Return the author's book."""
        return Book(around.author_mails, around.author_contacts)

    def share(self, mails: int) -> float:
        """Return how probable an address is that got so many of the mails; 0.0 for none."""
        return mails / (max(self.mails, mails) + SMOOTHING)

    def newcomer(self) -> float:
        """Return how probable somebody new is, 0 to 1."""
        return min(0.9, (self.contacts + NEW_PEOPLE * NEW_PEOPLE_MAILS) / (self.mails + NEW_PEOPLE_MAILS))
