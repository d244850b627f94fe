"""A public suffix of several labels confused: `example.com` for `example.com.au`, `dept.gov` for `dept.gov.uk`.

Fires: the country part left out, the second level left out (`example.uk` for `example.co.uk`), one second level for another
of the same meaning (`co.br` for `com.br`, `gob` for `gov`), and the rows of the packaged table. Stays quiet: `x.org.uk` for
`x.org`: a hand does not add whole labels, unless the table says so.

Rate: 4 % of all slips (estimate): the most expensive slip is the one in a domain of one's own, and who lives under `com.au` has
read `com` all day.
"""

from __future__ import annotations

from functools import lru_cache

from nixie.core.slips.suffixes_confused import confusions, suffix_pairs
from nixie.core.suffixes import public_suffix
from nixie.core.tables import government_suffix

KIND = "suffix_confusion"
PART = "domain"
SHARE = 0.040
SOURCE = "estimate; no published count"
WHAT = "its ending is not complete or is another one"
FIRES = (
    ("cba.com.au", "cba.com"),
    ("dept.gov.uk", "dept.gov"),
    ("example.co.uk", "example.uk"),
    ("ex.com.br", "ex.co.br"),
)
QUIET = (("x.org", "x.org.uk"), ("dept.gov.uk", "dept.mod.uk"), ("example.com", "example.com.au"))

SAME_MEANING = {
    "com": ("co",),
    "co": ("com",),
    "gov": ("gob", "gouv", "go", "gv"),
    "gob": ("gov",),
    "gouv": ("gov",),
    "edu": ("ac",),
    "ac": ("edu",),
}
"""Second levels that say the same in different countries."""

COUNTRY_DROPPED, SECOND_DROPPED, SAME, GLOBAL = 4.0, 1.0, 1.0, 2.0

ADDED = 0.1
"""How often a label is added, compared with one that is lost or changed, where the table lists it."""

FULL_LIST = 6.0
"""About what the ways to confuse a suffix weigh together where the table knows all of them."""

GLOBAL_FOR = {"co": "com", "ac": "edu"}
"""The global domain that people put in place of a national second level."""


@lru_cache(maxsize=1024)
def _options(suffix: str) -> dict[str, float]:
    """Return the suffixes written for a suffix that was meant, with weights that sum to one."""
    weights = {
        name: weight * (ADDED if name.count(".") > suffix.count(".") else 1.0)
        for name, weight in confusions().get(suffix, {}).items()
        if "." in suffix or "." in name
    }
    second, dot, country = suffix.partition(".")
    if dot and len(country) == 2 and (public_suffix(suffix) == suffix or government_suffix(suffix) is not None):
        found = {second: COUNTRY_DROPPED, country: SECOND_DROPPED}
        found.update({f"{word}.{country}": SAME for word in SAME_MEANING.get(second, ())})
        if second in GLOBAL_FOR:
            found[GLOBAL_FOR[second]] = GLOBAL
        weights = found | weights
    whole = max(sum(weights.values()), FULL_LIST)
    return {name: weight / whole for name, weight in weights.items()}


def likelihood(intended: str, written: str) -> float:
    """Return P(written | intended, the suffix was confused), 0.0 if it was not."""
    return max((_options(meant).get(wrote, 0.0) for meant, wrote in suffix_pairs(intended, written)), default=0.0)
