"""A dot is missing, stands one place off, or stands where none should: `gmailc.om`, `gmail.couk`, `lists.freed.esktop.org`.

Fires: `gmail.com` written as `gmailc.om`, `vger.kernel.example` written as `vger.ker.nel.example`.
Stays quiet: `x.org` written as `x.org.uk` (a whole label more or less).

Rate: 2 % of all slips (estimate). Among 13 slips of the domain seen in a public mailing list of 75,496 messages four were
stray dots, though three of them came from one broken line.
"""

from __future__ import annotations

from nixie.core.similarity import edit_kind

KIND = "dot"
PART = "domain"
SHARE = 0.020
SOURCE = "estimate; stray dots are a few of the 13 domain slips found in a public list of 75,496 messages"
WHAT = "a dot is missing or in the wrong place"
FIRES = (("gmail.com", "gmailc.om"), ("gmail.co.uk", "gmail.couk"), ("freedesktop.org", "freed.esktop.org"))
QUIET = (("x.org", "x.org.uk"), ("gmail.com", "gmial.com"), ("mail.example.org", "example.org"))

MISSING, SHIFTED, EXTRA = 0.4, 0.3, 0.3


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a dot slipped), 0.0 if none did."""
    edit = edit_kind(intended, written)
    if edit is None or "." not in edit.from_char + edit.to_char:
        return 0.0
    dots = max(1, intended.count("."))
    if edit.kind == "omission":
        return MISSING / dots
    if edit.kind == "swap":
        return SHIFTED / (2 * dots)
    if edit.kind == "insertion":
        return EXTRA / max(1, len(intended) - dots)
    return 0.0
