"""A digit of the local part is missing, is another one, or is too many: `j.smith` for `j.smith1`.

Fires: `j.smith1` written as `j.smith` or `j.smith2`: where names are taken, organisations and providers number people, and
nobody remembers numbers. Stays quiet: `jsmith` written as `jsmth` (a letter).

Rate: 1.5 % of all slips (estimate): of 25 one-character variants of local parts in public archives six touched a digit, most of
them numbered lists.
"""

from __future__ import annotations

from nixie.core.similarity import edit_kind

KIND = "digit"
PART = "local"
SHARE = 0.015
SOURCE = "estimate, after 6 of 25 one-character variants of local parts in public archives, most of them numbered lists"
WHAT = "a digit in the name is missing or is another one"
FIRES = (("j.smith1", "j.smith"), ("j.smith1", "j.smith2"), ("j.smith", "j.smith1"), ("smith82", "smith28"))
QUIET = (("jsmith", "jsmth"), ("j.smith", "jsmith"), ("jsmith", "jsmith12"), ("jsmitho", "jsmith0"))

DIGITS = "0123456789"

MISSING, OTHER, EXTRA, SWAPPED = 0.4, 0.3, 0.2, 0.1

AT_THE_END = 0.8
"""How many digits that come in stand at the end."""


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a digit slipped), 0.0 if none did."""
    edit = edit_kind(intended, written)
    if edit is None or not set(edit.from_char + edit.to_char) <= set(DIGITS):
        return 0.0
    count = max(1, sum(char in DIGITS for char in intended))
    if edit.kind == "omission":
        return MISSING / count
    if edit.kind == "substitution":
        return OTHER / ((len(DIGITS) - 1) * count)
    if edit.kind == "swap":
        return SWAPPED / max(1, count - 1)
    end = edit.position >= len(intended)
    return EXTRA / len(DIGITS) * (AT_THE_END if end else (1.0 - AT_THE_END) / max(1, len(intended)))
