"""A letter of the domain stands twice: `gmaill.com` for `gmail.com`.

Fires: `yahoo.com` written as `yahooo.com`. Stays quiet: `office.example` written as `ofice.example` (that is an omission).

Rate: a twelfth of the typed slips; nothing but the place is left to chance.
"""

from __future__ import annotations

from nixie.core.slips.typed import SOURCE, place, typed_edit

__all__ = ["FIRES", "KIND", "PART", "QUIET", "SHARE", "SOURCE", "WHAT", "likelihood"]

KIND = "doubling"
PART = "domain"
SHARE = 0.018
WHAT = "one letter is doubled"
FIRES = (("yahoo.com", "yahooo.com"), ("gmail.com", "gmail.comm"))
QUIET = (("office.example", "ofice.example"), ("gmail.com", "gmaiil.comm"))


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a letter was struck twice), 0.0 if none was."""
    edit = typed_edit(intended, written)
    return place(edit, intended) if edit is not None and edit.kind == KIND else 0.0
