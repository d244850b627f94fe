"""A quick look before the slip kinds are asked: most domains that share a key with a written one are no slip of it.

A message to thousands of people brings a hundred thousand pairs. Two names that differ in their ending alone are told apart by
the endings, of which there are few; names that differ earlier must be one edit apart, look alike, or have lost a label. Where
the owner's name is itself a suffix, or other scripts are in play, nothing is said here.
"""

from __future__ import annotations

from functools import lru_cache

from nixie.core.similarity import edit_kind
from nixie.core.skeleton import ascii_lookalike
from nixie.core.slips.suffixes_confused import confusions
from nixie.core.suffixes import public_suffix
from nixie.core.tables import zone_suffixes

_look = lru_cache(maxsize=4096)(ascii_lookalike)

NAME = "example."
"""Any name of one label: whether an ending is a slip of another does not depend on the name before both."""


def endings(intended: str, written: str) -> tuple[str, str] | None:
    """Return the public suffix of the intended domain and what the written one has in its place; None where the names differ."""
    suffix = public_suffix(intended)
    name = len(intended) - len(suffix)
    if not name or intended[:name] != written[:name] or _special(intended, written):
        return None
    return suffix, written[name:]


def far_apart(intended: str, written: str) -> bool:
    """Return whether two domains with different names are certainly no slip of one another; False: ask the kinds."""
    if _special(intended, written):
        return False
    meant, wrote = intended, written
    while (first := meant.partition("."))[0] == (other := wrote.partition("."))[0] and first[2] and other[2]:
        meant, wrote = first[2], other[2]
    if meant in zone_suffixes() or meant in confusions() or public_suffix(intended).endswith(meant):
        return False
    if meant.endswith("." + wrote) or _look(meant) == _look(wrote):
        return False
    if -2 < len(meant) - len(wrote) < 2:
        # One edit touches two adjacent characters at most, so half of the rest is untouched before or behind it.
        half = max(0, (min(len(meant), len(wrote)) - 3) // 2)
        if meant[:half] == wrote[:half] or meant[len(meant) - half :] == wrote[len(wrote) - half :]:
            return edit_kind(meant, wrote) is None
    return True


def _special(intended: str, written: str) -> bool:
    """Return whether scripts, or suffixes that are domains themselves, make two domains a matter for the kinds alone."""
    if "xn--" in intended or "xn--" in written or not intended.isascii() or not written.isascii():
        return True
    return intended in zone_suffixes() or intended in confusions() or public_suffix(intended) == intended
