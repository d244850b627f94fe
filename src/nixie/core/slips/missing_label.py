"""A whole label was left out: `army.uk` for `army.mod.uk`.

Fires: `army.mod.uk` written as `army.uk` (a label in the middle or at the beginning is gone and something of one's own
remains). Stays quiet: `army.uk` written as `army.mod.uk` (a hand leaves out; it does not add whole labels), and the labels of
a public suffix, such as `example.co.uk` written as `example.uk` (those are `suffix_confusion`).

Rate: 2 % of all slips (estimate). The first label is lost less than one in the middle, because without it the rest is often
the same organisation; the name before the suffix hardly ever, unless it is a zone such as `mod.uk`: nobody forgets who they
write to.
"""

from __future__ import annotations

from nixie.core.suffixes import public_suffix
from nixie.core.tables import government_suffix

KIND = "missing_label"
PART = "domain"
SHARE = 0.020
SOURCE = "estimate; no published count"
WHAT = "a part between dots is missing"
FIRES = (("army.mod.uk", "army.uk"), ("mail.dept.example.org", "mail.example.org"))
QUIET = (("army.uk", "army.mod.uk"), ("example.co.uk", "example.uk"), ("example.org", "org"))

FIRST_LABEL, INNER_LABEL, NAME = 0.2, 1.0, 0.02
"""How often the first label is the lost one, one in the middle, and the name before the suffix."""


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, one label was left out), 0.0 if none was."""
    if len(written) >= len(intended):
        return 0.0
    meant, wrote = intended.split("."), written.split(".")
    own = len(meant) - public_suffix(intended).count(".") - 1
    if len(wrote) != len(meant) - 1 or len(wrote) < 2:
        return 0.0
    at = next((i for i, (a, b) in enumerate(zip(meant, wrote, strict=False)) if a != b), len(wrote))
    if at >= own or meant[at + 1 :] != wrote[at:]:
        return 0.0
    weight = INNER_LABEL
    if at == own - 1:
        zone = government_suffix(intended)
        weight = INNER_LABEL if zone is not None and zone.suffix == ".".join(meant[at:]) else NAME
    elif at == 0:
        weight = FIRST_LABEL
    return weight / (FIRST_LABEL + INNER_LABEL * max(1, own - 1))
