"""One letter too many in the domain: `gmaiul.com` for `gmail.com`.

Fires: `roosoft.example` written as `roosoftl.example`. Stays quiet: `gmail.com` written as `gmaill.com` (that is a
doubling), and a whole label more.

Rate: a sixth of the typed slips. The letter is one beside the key that was meant, or one that comes easily.
"""

from __future__ import annotations

from nixie.core.slips.typed import SOURCE, letter, place, typed_edit

__all__ = ["FIRES", "KIND", "PART", "QUIET", "SHARE", "SOURCE", "WHAT", "likelihood"]

KIND = "insertion"
PART = "domain"
SHARE = 0.036
WHAT = "there is one letter too many"
FIRES = (("roosoft.example", "roosoftl.example"), ("gmail.com", "gamail.com"))
QUIET = (("gmail.com", "gmaill.com"), ("x.org", "x.org.uk"), ("gmail.com", "g.mail.com"))


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a letter came in), 0.0 if none did."""
    edit = typed_edit(intended, written)
    return place(edit, intended) * letter(edit) if edit is not None and edit.kind == KIND else 0.0
