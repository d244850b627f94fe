"""The written domain looks like the one that was meant: `exarnple.org` for `example.org`, a Cyrillic `а` for a Latin one.

Fires: `example.org` written as `exarnple.org`: equal skeletons (Unicode UTS #39, section 4), and ASCII pairs of small print
(rn/m, vv/w, cl/d, 0/o, 1/l/i, 5/s, q/g). Stays quiet: `example.org` written as `example.net` (a reader can tell them apart).
Nobody types such a name on purpose; it is copied out of a message that was sent to deceive, or read off paper.

Rate: 1 % of all slips (estimate); one of the few places that could look alike is hit.
"""

from __future__ import annotations

from nixie.core.skeleton import ascii_lookalike, skeleton, to_unicode

KIND = "lookalike"
PART = "domain"
SHARE = 0.010
SOURCE = "estimate; no published count of look-alikes in outgoing mail"
WHAT = "it is spelt with other characters that look alike"
FIRES = (("example.org", "exarnple.org"), ("example.org", "xn--xample-2of.org"), ("gmail.com", "gmai1.com"))
QUIET = (("example.org", "example.net"), ("mail.example", "mall.example.org"))

PLACES = 4.0
"""About how many look-alikes of a name are at hand."""


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, a look-alike came in its place), 0.0 if it is none."""
    if intended == written:
        return 0.0
    if "xn--" in intended or "xn--" in written:
        meant, wrote = skeleton(to_unicode(intended)), skeleton(to_unicode(written))
        return 1.0 / PLACES if ascii_lookalike(meant.lower()) == ascii_lookalike(wrote.lower()) else 0.0
    return 1.0 / PLACES if ascii_lookalike(intended) == ascii_lookalike(written) else 0.0
