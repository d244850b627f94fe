"""All slip kinds in use, and the question that the rest of Nixie asks of them: is this written form a slip of that one?

Adding a kind: write its file beside the others, add it to `SLIPS`, done; no vocabulary, record or rule changes.
"""

from __future__ import annotations

from functools import lru_cache

from nixie.core.slips import (
    dot,
    doubling,
    hyphen,
    idn,
    insertion,
    lookalike,
    missing_label,
    omission,
    substitution,
    suffix_confusion,
    swap,
    tld_confusion,
)
from nixie.core.slips.distance import NAME, endings, far_apart
from nixie.core.slips.kind import Slip, SlipKind

__all__ = ["SLIPS", "Slip", "SlipKind", "explain", "explain_with"]

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
"""Every slip kind. The more telling stand first: `.mil` written as `.ml` is called a confusion, not a missing letter."""

TELLING = 0.25
"""The first kind that holds this part of the whole probability gives its name."""


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
    shares = [(kind, kind.SHARE * kind.likelihood(intended, written)) for kind in kinds]
    whole = sum(share for _, share in shares)
    if whole <= 0.0:
        return None
    named = next(kind for kind, share in shares if share >= TELLING * whole or share == max(s for _, s in shares))
    return Slip(named.KIND, named.WHAT, named.PART, whole)
