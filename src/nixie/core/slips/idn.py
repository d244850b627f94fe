"""A letter with its mark written without it, or the other way round: `muller.example` or `mueller.example` for `müller.example`.

Fires: `müller.example` written as `muller.example`, and all three spellings of one name, in any direction. Stays quiet:
`müller.example` written as `moller.example` (names that differ in more than marks).

Rate: 1 % of all slips (estimate): rare over all names, frequent where such a name is meant, because a keyboard or a person
does not know the letter.
"""

from __future__ import annotations

from unicodedata import combining, normalize

from nixie.core.domains import unicode_domain

KIND = "idn"
PART = "domain"
SHARE = 0.010
SOURCE = "estimate; no published count"
WHAT = "a letter is written with another accent or spelling"
FIRES = (
    ("xn--mller-kva.example", "muller.example"),
    ("xn--mller-kva.example", "mueller.example"),
    ("mueller.example", "xn--mller-kva.example"),
)
QUIET = (("muller.example", "mueller.example"), ("xn--mller-kva.example", "moller.example"))

SPELT_OUT = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "å": "aa",
        "ø": "oe",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        "ł": "l",
    }
)
"""How letters are written where the keyboard has none of them (German, Nordic and Polish use)."""

STRIPPED_ONLY = str.maketrans({"ß": "s", "ø": "o", "æ": "a", "ł": "l", "ð": "d", "đ": "d", "ı": "i"})
"""Letters whose mark is no combining character."""


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a mark was lost or found), 0.0 if it is none."""
    if "xn--" not in intended and "xn--" not in written:
        return 0.0
    meant, wrote = unicode_domain(intended), unicode_domain(written)
    if meant == wrote:
        return 0.0
    if wrote == _stripped(meant):
        return 0.6
    if wrote == meant.translate(SPELT_OUT):
        return 0.3
    return 0.1 if meant in (_stripped(wrote), wrote.translate(SPELT_OUT)) else 0.0


def _stripped(text: str) -> str:
    """Return the text with marks taken off its letters."""
    return "".join(c for c in normalize("NFD", text.translate(STRIPPED_ONLY)) if not combining(c))
