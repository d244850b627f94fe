"""The private twin: a name at a personal mail provider where the one at work is meant, or the reverse.

Fires: `john.smith@work.example` written as `jsmith82@gmail.com`, one's own or another's, by the name or by the local part.
Stays quiet: `john.smith@work.example` written as `mary.roe@gmail.com`, and a namesake at another organisation.

Rate: 5 % of all slips (estimate; no published count). Work mail to a private mailbox is the common direction: the
completion list has learned it on some weekend.
"""

from __future__ import annotations

from nixie.core.person import ROLES, local_fits, local_words, name_likeness
from nixie.core.slips.person_kind import Offer, Person, known
from nixie.core.tables import personal_provider

KIND = "private_twin"
PART = "person"
SHARE = 0.04
SOURCE = "estimate; no published count"
WHAT = "it is a private mailbox of that name where the one at work is meant, or the reverse"
FIRES = (
    (known("John Smith", "john.smith", "work.example"), known("John Smith", "john.smith", "gmail.com")),
    (known("John Smith", "john.smith", "work.example"), known("", "jsmith82", "gmail.com")),
    (known("", "jsmith", "work.example"), known("", "jsmith", "gmx.de")),
    (known("John Smith", "jsmith", "gmail.com"), known("John Smith", "john.smith", "work.example")),
)
QUIET = (
    (known("John Smith", "john.smith", "work.example"), known("Mary Roe", "mary.roe", "gmail.com")),
    (known("John Smith", "john.smith", "work.example"), known("John Smith", "john.smith", "a.example")),
    (known("", "info", "work.example"), known("", "info", "gmail.com")),
    (known("John Smith", "john.smith", "gmx.de"), known("John Smith", "john.smith", "gmail.com")),
)

TO_PRIVATE, TO_WORK = 0.75, 0.25
"""How often the private mailbox is the wrong one, and how often it was meant."""

SAME_LOCAL = 0.8
"""How surely two addresses with one local part are one person's."""

SHORTEST_LOCAL = 4
"""Letters below which one local part is many people's (`jo`, `ann`)."""


def likelihood(meant: Person, offer: Offer) -> float:
    """Return P(written | meant, the twin was taken), 0.0 if it is none."""
    wrote = offer.wrote
    private = personal_provider(wrote.address.domain)
    if private == personal_provider(meant.address.domain):
        return 0.0
    like = twins(meant, wrote)
    if like <= 0.0:
        return 0.0
    aside = {meant.address.key, wrote.address.key}
    others = sum(
        twins(meant, person)
        for person in offer.alike
        if person.address.key not in aside and personal_provider(person.address.domain) == private
    )
    return (TO_PRIVATE if private else TO_WORK) * like / (1.0 + others)


def twins(one: Person, other: Person) -> float:
    """Return how surely (0 to 1) two addresses bear one person's name."""
    names, others = one.all_names(), other.all_names()
    found = [name_likeness(a, b) for a in names for b in others]
    if not max(found, default=0.0):
        found += [local_fits(other.address.local, name) for name in names]
        found += [local_fits(one.address.local, name) for name in others]
        found.append(_same_local(one, other))
    return max(found, default=0.0)


def _same_local(one: Person, other: Person) -> float:
    """Return how surely two addresses are one person's by their local parts alone."""
    words = local_words(one.address.local)
    letters = "".join(words)
    if len(letters) < SHORTEST_LOCAL or not ROLES.isdisjoint(words):
        return 0.0
    return SAME_LOCAL if letters == "".join(local_words(other.address.local)) else 0.0
