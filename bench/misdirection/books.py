"""What each sender did before a moment of the walk: whom it wrote to, how often, with whom together; and who was met at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from people import local_of, words

if TYPE_CHECKING:
    import random

    from corpora import Corpus, Mail
    from typed import Letters, Observed

LARGEST = 50
"""Most people of a group that is remembered."""


@dataclass(slots=True)
class Book:
    """What one sender did before: contacts (by person) with counts, the address used last, groups, and the index of first letters."""

    counts: Counter[int] = field(default_factory=Counter)
    address: dict[int, str] = field(default_factory=dict)
    groups: set[frozenset[int]] = field(default_factory=set)
    prefixes: dict[tuple[str, str], dict[int, None]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class World:
    """The state of the walk at one message, and the tools of the makers."""

    corpus: Corpus
    dice: random.Random
    letters: Letters
    observed: Observed
    books: dict[int, Book] = field(default_factory=lambda: defaultdict(Book))
    met: set[str] = field(default_factory=set)
    all_addresses: set[str] = field(default_factory=set)
    newcomers: list[tuple[int, str]] = field(default_factory=list)
    passed: int = 0

    def counted(self, mail: Mail) -> list[tuple[str, str]]:
        """Return the recipients that can be right or wrong: no lists, not the sender."""
        me = self.corpus.people.person(mail.sender)
        return [(a, n) for a, n in mail.recipients if a not in self.corpus.lists and self.corpus.people.person(a) != me]

    def keys(self, address: str) -> set[tuple[str, str]]:
        """Return the first three letters of address, given name and surname, each with its kind."""
        name = words(self.corpus.people.name(address)) or words(local_of(address).replace(".", " ").replace("_", " "))
        found = {("address", local_of(address)[:3])}
        if name:
            found |= {("given", name[0][:3])}
        if len(name) > 1:
            found |= {("surname", name[-1][:3])}
        return {k for k in found if len(k[1]) == 3}

    def learn(self, mail: Mail) -> None:
        """Take the message into its sender's book."""
        people = self.corpus.people
        book = self.books[people.person(mail.sender)]
        self.met.add(mail.sender)
        group = set()
        for address, _ in self.counted(mail):
            person = people.person(address)
            if book.address.get(person) != address:
                book.address[person] = address
                for key in self.keys(address):
                    book.prefixes[key][person] = None
            book.counts[person] += 1
            group.add(person)
        self.met.update(a for a, _ in mail.recipients)
        if 3 <= len(group) <= LARGEST:
            book.groups.add(frozenset(group))
