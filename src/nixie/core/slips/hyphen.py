"""A hyphen is missing, is too many, or became a dot: `annlee.example` for `ann-lee.example`.

Fires: `uni-kiel.example` written as `unikiel.example` or `uni.kiel.example`. Stays quiet:
`ann-lee.example` written as `annxlee.example` (a letter in the hyphen's place).

Rate: 1 % of all slips (estimate): few names have a hyphen, and those that have one lose it often.
"""

from __future__ import annotations

from nixie.core.similarity import edit_kind

KIND = "hyphen"
PART = "domain"
SHARE = 0.010
SOURCE = "estimate: the kind is rare because few names have a hyphen"
WHAT = "a hyphen is missing, is too many, or became a dot"
FIRES = (("ann-lee.example", "annlee.example"), ("annlee.example", "ann-lee.example"), ("a-b.example", "a.b.example"))
QUIET = (("ann-lee.example", "annxlee.example"), ("annlee.example", "ann.lee.example"))

MISSING, EXTRA, TO_DOT, FROM_DOT = 0.6, 0.15, 0.15, 0.1


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a hyphen slipped), 0.0 if none did."""
    edit = edit_kind(intended, written)
    if edit is None or "xn--" in intended or "xn--" in written:
        return 0.0
    hyphens = max(1, intended.count("-"))
    if (edit.kind, edit.from_char) == ("omission", "-"):
        return MISSING / hyphens
    if (edit.kind, edit.to_char) == ("insertion", "-"):
        return EXTRA / max(1, len(intended) - 1)
    if (edit.from_char, edit.to_char) == ("-", "."):
        return TO_DOT / hyphens
    if (edit.from_char, edit.to_char) == (".", "-"):
        return FROM_DOT / max(1, intended.count("."))
    return 0.0
