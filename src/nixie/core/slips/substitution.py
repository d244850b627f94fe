"""One letter of the domain stands for another: `hptmail.com` for `hotmail.com`.

Fires: `gmail.com` written as `gnail.com` (n lies beside m), and as `gmeil.com` (e comes often). Stays quiet: two letters
changed. A letter that neither lies near nor comes often is possible but improbable, so that `jmu.edu` beside `jhu.edu`
remains what it is: another university.

Rate: a quarter to a third of the typed slips.
"""

from __future__ import annotations

from nixie.core.slips.typed import SOURCE, letter, place, typed_edit

__all__ = ["FIRES", "KIND", "PART", "QUIET", "SHARE", "SOURCE", "WHAT", "likelihood"]

KIND = "substitution"
PART = "domain"
SHARE = 0.060
WHAT = "one letter is a different one"
FIRES = (("hotmail.com", "hptmail.com"), ("gmail.com", "gmeil.com"))
QUIET = (("gmail.com", "gnsil.com"), ("a-b.example", "a.b.example"))


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, one letter was struck for another), 0.0 if none was."""
    edit = typed_edit(intended, written)
    return place(edit, intended) * letter(edit) if edit is not None and edit.kind == KIND else 0.0
