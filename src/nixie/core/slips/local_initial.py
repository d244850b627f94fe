"""A middle initial left out or put in, or an initial where the given name stands: `john.smith` for `john.j.smith`.

Fires: `john.j.smith` written as `john.smith`, `john.smith` written as `john.j.smith` or as `j.smith`. Stays quiet:
`john.smith` written as `jane.smith`, and `john.j.smith` written as `john.k.smith` (a letter).

Rate: 2 % of all slips (estimate). Of 64 rare variants of frequent local parts in public archives 18 were of this kind: people
write the address as they would have made it, and where names are taken, the other form is a namesake.
"""

from __future__ import annotations

import re

KIND = "initial"
PART = "local"
SHARE = 0.020
SOURCE = "estimate, after 18 of 64 rare variants of frequent local parts in public archives"
WHAT = "an initial in the name is missing or is too many"
FIRES = (
    ("john.j.smith", "john.smith"),
    ("john.smith", "john.j.smith"),
    ("john.smith", "j.smith"),
    ("j.smith", "john.smith"),
)
QUIET = (
    ("john.smith", "jane.smith"),
    ("john.j.smith", "john.k.smith"),
    ("john.smith", "smith"),
    ("j.smith", "k.smith"),
)

LOST, ADDED, SHORTENED, SPELT_OUT = 0.5, 0.25, 0.2, 0.05
"""How often the middle initial is lost, one comes in, the given name becomes an initial, and the reverse."""

LETTERS, GIVEN_NAMES = 20.0, 12.0
"""About how many letters are initials, and how many given names in common use share one."""

_SEPARATOR = re.compile(r"[._-]")


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, an initial slipped), 0.0 if none did."""
    if not intended or not written or intended[0] != written[0] or intended[-1] != written[-1]:
        return 0.0
    meant, wrote = _SEPARATOR.split(intended), _SEPARATOR.split(written)
    if len(meant) == 3 and len(meant[1]) == 1 and wrote == [meant[0], meant[2]]:
        return LOST
    if len(wrote) == 3 and len(wrote[1]) == 1 and meant == [wrote[0], wrote[2]]:
        return ADDED / LETTERS
    if len(meant) == len(wrote) == 2 and meant[1] == wrote[1] and len(meant[0]) != len(wrote[0]):
        if len(wrote[0]) == 1:
            return SHORTENED
        return SPELT_OUT / GIVEN_NAMES if len(meant[0]) == 1 else 0.0
    return 0.0
