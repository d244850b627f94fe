"""One top-level domain for another: `army.ml` for `army.mil`, `example.cm` for `example.com`.

Fires: pairs of the packaged table (`core/data/tld_confusions.csv`, every delegated top-level domain one edit from a common
one), and any two country domains one typed slip apart. Stays quiet: `.com` for `.org`: two organisations more often than one.

Rate: 5 % of all slips (estimate). The Malian registry collected some 117,000 messages meant for `.mil` in half of 2023:
this slip is made by memory and by completion lists as well as by fingers, so it counts beside the typed kinds.
"""

from __future__ import annotations

from nixie.core.similarity import edit_kind
from nixie.core.slips.suffixes_confused import confusions, suffix_pairs

KIND = "tld_confusion"
PART = "domain"
SHARE = 0.050
SOURCE = "estimate, after the .mil/.ml incident of July 2023 (about 117,000 messages in half a year)"
WHAT = "its ending is another one"
FIRES = (("army.mil", "army.ml"), ("example.com", "example.co"), ("example.cz", "example.sz"))
QUIET = (("army.ml", "army.mil"), ("example.org", "example.com"), ("x.org", "x.tv"), ("x.org", "x.org.uk"))

TWINS = 0.3
"""How much of the chance goes to country twins that no row of the table names."""

FULL_LIST = 16.0
"""About what the rows of a top-level domain weigh together where the table lists all of them; it does for sixteen."""

TWIN_COUNT = 25.0
"""About how many country domains lie one slip from a given one."""


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, the top-level domain was confused), 0.0 if it was not."""
    for meant, wrote in suffix_pairs(intended, written):
        if "." in meant or "." in wrote:
            continue
        table = confusions().get(meant, {})
        if wrote in table:
            listed = sum(weight for name, weight in table.items() if "." not in name)
            return (1.0 - TWINS) * table[wrote] / max(listed, FULL_LIST)
        if len(meant) == len(wrote) == 2:
            edit = edit_kind(meant, wrote)
            if edit is not None:
                return TWINS * (2.0 if edit.neighbour else 1.0) / TWIN_COUNT
    return 0.0
