"""What a slip kind between two people is, and what it is asked about: somebody was meant, somebody else was picked.

No hand slipped here; a completion list, a memory of a name or an address book did. Whether one person was taken for another
cannot be read off two addresses: it depends on who else the list would have offered, and in which order. So these kinds see the
written person, whoever in the author's book shares the beginning of a name with it, and the moment: an `Offer`, made once for
each written address and asked about each candidate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import exp2
from typing import TYPE_CHECKING, Protocol

from nixie.core.address import Address
from nixie.core.name_words import MAX_NAME
from nixie.core.person import PREFIX, folded, person_name, person_names
from nixie.core.slips.kind import AnyKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nixie.core.person import Name

DAY = 86_400_000_000
"""Microseconds."""

HALF_LIFE = 90 * DAY
"""After how long a mail counts half in the order of a completion list (estimate; completers forget in weeks to months)."""

NEVER = 0.05
"""What somebody whom the author never wrote to counts in it: directories and collected addresses are offered too."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody behind an address: display names it was seen with (those of this message too), how many mails of the author
    went there, and when the latest did (microseconds since 1970, 0 for never).
    """

    address: Address
    names: tuple[str, ...] = field(default=(), repr=False)
    mails: int = 0
    last: int = 0

    def all_names(self) -> tuple[Name, ...]:
        """Return the person's names, from display names and the local part."""
        return person_names(self.address, self.names)


@dataclass(frozen=True, slots=True)
class Offered:
    """Those whom a completion list offers for one beginning: by `Address.key` what each weighs, the sum, the heaviest two."""

    weights: Mapping[str, float] = field(repr=False)
    total: float
    first: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """What stands around one written address: `groups` by field of `spellings` (its number) and first letters.

    `names` are those of `wrote`; `words` the spellings of everybody in it, by `Address.key`.
    """

    wrote: Person
    alike: tuple[Person, ...]
    at: int
    names: tuple[Name, ...] = field(repr=False)
    words: Mapping[str, tuple[str, str, str]] = field(repr=False)
    groups: Mapping[tuple[int, str], Offered] = field(repr=False)
    namesakes: dict[tuple[Name, ...], dict[str, float]] = field(default_factory=dict, compare=False, repr=False)
    """By names of a candidate: who of `alike` has one of them, and how surely; filled as candidates are asked about."""


class PersonKind(AnyKind, Protocol):
    """One way to take one person for another; `core.slips.PERSON_SLIPS` is the list of those in use."""

    @property
    def FIRES(self) -> tuple[tuple[Person, Person], ...]:  # noqa: N802 - a constant of a module
        """Pairs (meant, written) that are this slip."""

    @property
    def QUIET(self) -> tuple[tuple[Person, Person], ...]:  # noqa: N802 - a constant of a module
        """Pairs (meant, written) that are not."""

    def likelihood(self, meant: Person, offer: Offer) -> float:
        """Return P(exactly `offer.wrote` gets written | `meant` was meant, a slip of this kind happened), 0.0 if it is none."""


def known(name: str, local: str, domain: str, mails: int = 10) -> Person:
    """Return a person for an example: written to `mails` times, the last time at the beginning of 1970."""
    return Person(Address(local, domain), (name,) if name else (), mails, 1 if mails else 0)


def weight(person: Person, at: int) -> float:
    """Return what a person weighs in the order of a completion list: mails, halved with every `HALF_LIFE` since the last."""
    if person.mails <= 0:
        return NEVER
    age = max(0, at - person.last)
    return NEVER + person.mails * exp2(-age / HALF_LIFE)


def spellings(person: Person) -> tuple[str, str, str]:
    """Return what a completion list compares with what is typed: local part, given name, surname; folded, `""` if unknown."""
    return _spellings(person.address, person.names)


@lru_cache(maxsize=16384)
def _spellings(address: Address, names: tuple[str, ...]) -> tuple[str, str, str]:
    name = person_name(address, names)
    return folded(address.local[:MAX_NAME]), name.given, name.surname


def offer_of(wrote: Person, alike: Sequence[Person], at: int) -> Offer:
    """Return the offer around a written address; `alike` are those of the author's book who share a token with it."""
    own = wrote.address.key
    people = {person.address.key: person for person in alike}
    people[own] = wrote
    words = {key: spellings(person) for key, person in people.items()}
    begins = {(number, word[:PREFIX]) for number, word in enumerate(words[own]) if len(word) >= PREFIX}
    found: dict[tuple[int, str], dict[str, float]] = {group: {} for group in begins}
    for key, person in people.items():
        weighs = weight(person, at)
        for number, word in enumerate(words[key]):
            if (weights := found.get((number, word[:PREFIX]))) is not None:
                weights[key] = weighs
    groups = {
        group: Offered(weights, sum(weights.values()), tuple(sorted(weights, key=lambda key: (-weights[key], key))[:2]))
        for group, weights in found.items()
    }
    return Offer(wrote, tuple(alike), at, wrote.all_names(), words, groups)
