"""Two letters of the domain changed places: `gmial.com` for `gmail.com`.

Fires: `example.org` written as `example.ogr`. Stays quiet: a letter and a dot that changed places (that is `dot`), and
letters that were not beside each other.

Rate: one in six of the typed slips: 10 % of the counted spelling errors, and more when fingers of two hands race.
"""

from __future__ import annotations

from nixie.core.slips.typed import SOURCE, place, typed_edit

__all__ = ["FIRES", "KIND", "PART", "QUIET", "SHARE", "SOURCE", "WHAT", "likelihood"]

KIND = "swap"
PART = "domain"
SHARE = 0.040
WHAT = "two letters are swapped"
FIRES = (("gmail.com", "gmial.com"), ("example.org", "example.ogr"))
QUIET = (("gmail.com", "gmailc.om"), ("gmail.com", "gliam.com"))


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, two neighbours changed places), 0.0 if none did."""
    edit = typed_edit(intended, written)
    return place(edit, intended) if edit is not None and edit.kind == KIND else 0.0
