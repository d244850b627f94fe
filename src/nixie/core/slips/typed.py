"""What the typed slips share: the one edit between two domains, the places where it may stand, the letters that come.

Where the numbers come from. The 39,073 single-edit spelling errors of Norvig's `count_1edit.txt` split into 36 %
omissions, 31 % substitutions, 23 % insertions and 10 % swaps; the letters of `TYPED_LETTERS` are the letters that were
inserted there too much (8,855 events). They are errors of the mind as much as of the finger, so most of the weight goes to
the keys that touch the right one (Kernighan, Church and Gale 1990 found that both matter). The first character of a word is
wrong in only 4 % of those omissions, where one in seven would be expected: `place` counts it 0.3.
"""

from __future__ import annotations

from functools import lru_cache

from nixie.core.domains import unicode_domain
from nixie.core.similarity import Edit, edit_kind

SOURCE = "Norvig, count_1edit.txt: 39,073 one-letter edits; typed domain slips are 22 % of all slips (estimate)"

NEIGHBOUR_WEIGHT = 0.6
"""How much of the chance goes to keys that touch the right key."""

NEIGHBOURS = 5.5
"""How many letters touch a letter's key, on average over the keyboard."""

FIRST_PLACE = 0.3
"""How often the first character slips, compared with any other."""

TYPED_LETTERS = {
    "e": 0.236, "i": 0.087, "a": 0.087, "s": 0.070, "r": 0.070, "l": 0.060, "t": 0.049, "n": 0.048, "u": 0.046,
    "c": 0.041, "o": 0.041, "h": 0.034, "d": 0.033, "m": 0.018, "y": 0.015, "k": 0.012, "f": 0.012, "w": 0.011,
    "p": 0.011, "g": 0.009, "b": 0.005, "x": 0.002, "v": 0.002, "z": 0.002, "q": 0.001, "j": 0.001,
}  # fmt: skip
"""How often a letter is the one too many; what is not listed (digits, other scripts) comes with `RARE_LETTER`."""

RARE_LETTER = 0.001

_PUNCTUATION = frozenset(".-")


@lru_cache(maxsize=8192)
def typed_edit(intended: str, written: str) -> Edit | None:
    """Return the one typed slip between two A-label domains, in the form people type; None if it touches punctuation.

    Dots and hyphens have slip kinds of their own.
    """
    if "xn--" in intended or "xn--" in written:
        intended, written = unicode_domain(intended), unicode_domain(written)
    edit = edit_kind(intended, written)
    if edit is None or _PUNCTUATION.intersection(edit.from_char + edit.to_char):
        return None
    return edit


def place(edit: Edit, intended: str) -> float:
    """Return the chance that a slip of its kind stands where this one does: all letters alike, the first one rarer."""
    letters = max(2, len(intended) - intended.count(".") - intended.count("-"))
    return (FIRST_PLACE if edit.position == 0 else 1.0) / (letters - 1 + FIRST_PLACE)


def letter(edit: Edit) -> float:
    """Return the chance that the wrong letter is this one: a key beside the right one, or a letter that comes often."""
    often = (1.0 - NEIGHBOUR_WEIGHT) * TYPED_LETTERS.get(edit.to_char, RARE_LETTER)
    return often + (NEIGHBOUR_WEIGHT / NEIGHBOURS if edit.neighbour else 0.0)
