"""All slip kinds in use, and the question that the rest of Nixie asks of them: is this written form a slip of that one?

Kinds of the domain and of the local part look at two texts, kinds of people at two people and at whom the author's book holds
beside them. Adding a kind: write its file beside the others, add it to the registry of its part, done; no vocabulary, record
or rule changes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.slips import (
    autocomplete,
    dot,
    doubling,
    hyphen,
    idn,
    insertion,
    local_digit,
    local_initial,
    local_separator,
    lookalike,
    missing_label,
    namesake,
    omission,
    private_twin,
    substitution,
    suffix_confusion,
    swap,
    tld_confusion,
)
from nixie.core.slips.distance import NAME, endings, far_apart
from nixie.core.slips.kind import AnyKind, Slip, SlipKind, summed
from nixie.core.slips.local_typed import TYPED
from nixie.core.slips.person_kind import Offer, Person, PersonKind, offer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LOCAL_SLIPS",
    "PERSON_SLIPS",
    "SLIPS",
    "WORDS",
    "AnyKind",
    "Offer",
    "Person",
    "PersonKind",
    "Slip",
    "SlipKind",
    "explain",
    "explain_local",
    "explain_offered",
    "explain_person",
    "explain_with",
    "offer_of",
]

SLIPS: tuple[SlipKind, ...] = (
    suffix_confusion,
    tld_confusion,
    idn,
    hyphen,
    dot,
    missing_label,
    swap,
    doubling,
    omission,
    substitution,
    insertion,
    lookalike,
)
"""Every slip kind of the domain. The more telling stand first: `.mil` written as `.ml` is called a confusion, not a missing letter."""

LOCAL_SLIPS: tuple[SlipKind, ...] = (local_initial, local_separator, local_digit, *TYPED)
"""Every slip kind of the local part, the more telling first."""

PERSON_SLIPS: tuple[PersonKind, ...] = (private_twin, namesake, autocomplete)
"""Every slip kind that takes one person for another, the more telling first."""


WORDS: tuple[str, ...] = tuple(sorted({kind.KIND for kind in (*SLIPS, *LOCAL_SLIPS, *PERSON_SLIPS)}))
"""The words of all kinds, as policies and records know them; a typed slip is called the same in domain and local part."""


@lru_cache(maxsize=16384)
def explain(intended: str, written: str) -> Slip | None:
    """Return how `written` (an A-label domain) comes of `intended` by one slip; None when no kind explains it."""
    both = endings(intended, written)
    if _no_slip(*both) if both else far_apart(intended, written):
        return None
    return explain_with(SLIPS, intended, written)


@lru_cache(maxsize=16384)
def _no_slip(meant: str, wrote: str) -> bool:
    """Return whether no kind explains one ending for another behind the same name."""
    return explain_with(SLIPS, NAME + meant, NAME + wrote) is None


def explain_with(kinds: tuple[SlipKind, ...], intended: str, written: str) -> Slip | None:
    """Do what `explain` does, by these kinds."""
    if intended == written:
        return None
    return summed([(kind, kind.SHARE * kind.likelihood(intended, written)) for kind in kinds])


@lru_cache(maxsize=16384)
def explain_local(intended_local: str, written_local: str) -> Slip | None:
    """Return how one local part comes of another by one slip; None when no kind explains it. Case does not matter."""
    return explain_with(LOCAL_SLIPS, intended_local.lower(), written_local.lower())


def explain_person(meant: Person, wrote: Person, alike: Sequence[Person], at: int) -> Slip | None:
    """Return how somebody comes to write to `wrote` who means `meant`; None when no kind explains it.

    `alike` is everybody in the author's book who shares a token (`core.person.tokens`) with `wrote`; `at` is the moment in
    microseconds since 1970. For many candidates of one written address, make the `offer_of` once and ask `explain_offered`.
    """
    return explain_offered(meant, offer_of(wrote, alike, at))


def explain_offered(meant: Person, offer: Offer) -> Slip | None:
    """Do what `explain_person` does, with an offer at hand."""
    if meant.address.key == offer.wrote.address.key:
        return None
    # A name of two people says more than that both begin alike, however seldom it is to blame.
    return summed([(kind, kind.SHARE * kind.likelihood(meant, offer)) for kind in PERSON_SLIPS], telling=0.0)
