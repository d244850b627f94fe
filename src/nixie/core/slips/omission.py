"""One letter of the domain is missing: `gmal.com` for `gmail.com`.

Fires: `intel.com` written as `inte.com`. Stays quiet: `gmail.com` written as `gml.com` (two letters), and
`ann-lee.example` written as `annlee.example` (that is a hyphen).

Rate: a third of the typed slips. Any letter may be lost; the first one seldom is.
"""

from __future__ import annotations

from nixie.core.slips.typed import SOURCE, place, typed_edit

__all__ = ["FIRES", "KIND", "PART", "QUIET", "SHARE", "SOURCE", "WHAT", "likelihood"]

KIND = "omission"
PART = "domain"
SHARE = 0.070
WHAT = "one letter is missing"
FIRES = (("intel.com", "inte.com"), ("inwind.example", "inwid.example"))
QUIET = (("gmail.com", "gml.com"), ("ann-lee.example", "annlee.example"), ("inte.com", "intel.com"))


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a letter was left out), 0.0 if none was."""
    edit = typed_edit(intended, written)
    return place(edit, intended) if edit is not None and edit.kind == KIND else 0.0
