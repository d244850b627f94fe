"""Which keys lie beside which: a finger that misses lands on a neighbour.

A layout is written as its four rows of keys, from the left; the characters that one key gives stand together. The rows of
a keyboard are shifted against each other, so two keys are neighbours when their middles are closer than one and a half
key widths in the plane of the rows. Nobody tells a mail server which keyboard was used: `beside` asks all layouts.
"""

from __future__ import annotations

from functools import cache

LAYOUTS: dict[str, tuple[str, str, str, str]] = {
    "us": (
        "`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+",
        "q w e r t y u i o p [{ ]} \\|",
        "a s d f g h j k l ;: '\"",
        "z x c v b n m ,< .> /?",
    ),
    "uk": (
        '`¬ 1! 2" 3£ 4$ 5% 6^ 7& 8* 9( 0) -_ =+',
        "q w e r t y u i o p [{ ]}",
        "a s d f g h j k l ;: '@ #~",
        "\\| z x c v b n m ,< .> /?",
    ),
    "de": (
        '^° 1! 2" 3§ 4$ 5% 6& 7/ 8( 9) 0= ß? ´`',
        "q@ w e€ r t z u i o p ü +*",
        "a s d f g h j k l ö ä #'",
        "<>| y x c v b n m ,; .: -_",
    ),
    "fr": (
        "² 1& 2é 3\" 4' 5( 6- 7è 8_ 9ç 0à )° =+",
        "a z e r t y u i o p ^¨ $£",
        "q s d f g h j k l m ù% *µ",
        "<> w x c v b n ,? ;. :/ !§",
    ),
}
"""Rows of keys by layout: digits, top, home, bottom; a space parts the keys."""

ROW_SHIFT = (-1.0, 0.5, 0.75, 1.25)
"""Where a row's first key lies, in key widths from the key 1 (the key left of 1 begins the row of digits)."""

ISO_BOTTOM_SHIFT = 0.25
"""The same for a bottom row with a key between shift and the first letter, as on European keyboards."""


@cache
def neighbours(layout: str) -> dict[str, frozenset[str]]:
    """Return, for each character of a layout (a key of `LAYOUTS`), the characters on the keys that touch its key."""
    placed: list[tuple[float, int, str]] = []
    for row, keys in enumerate(LAYOUTS[layout]):
        first = ROW_SHIFT[row]
        if row == 3 and layout != "us":
            first = ISO_BOTTOM_SHIFT
        placed.extend((first + column, row, key) for column, key in enumerate(keys.split(" ")))
    found: dict[str, frozenset[str]] = {}
    for x, row, key in placed:
        near = "".join(
            k for kx, krow, k in placed if k != key and abs(krow - row) <= 1 and _touches(kx - x, krow - row)
        )
        for char in key:
            found[char] = frozenset(near)
    return found


def _touches(dx: float, rows: int) -> bool:
    """Return whether two keys touch: side by side in a row, or overlapping in the row above or below."""
    return abs(dx) <= 1.0 if rows == 0 else abs(dx) < 1.0


@cache
def _beside_anywhere() -> dict[str, frozenset[str]]:
    """Return the neighbours of each character on any layout."""
    found: dict[str, frozenset[str]] = {}
    for layout in LAYOUTS:
        for char, near in neighbours(layout).items():
            found[char] = found.get(char, frozenset()) | near
    return found


def beside(first: str, second: str) -> bool:
    """Return whether two characters lie on touching keys of any layout in `LAYOUTS` (case does not matter)."""
    return second.lower() in _beside_anywhere().get(first.lower(), frozenset())
