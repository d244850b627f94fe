"""The wrong entry of a completion list: `john.smith@a.example` for `john.roe@b.example`, who both come up at `joh`.

Fires: `john.roe@b.example` written as `john.smith@a.example`; the beginning of the address, the given name or the surname is
shared (at least three letters). Stays quiet: `john.roe@b.example` written as `mary.smith@a.example`.

A list shows the frequent and recent first. Whoever presses Enter too early gets the first entry, a finger that misses gets any
of them, and one who is often written to more than one who is not. The longer the shared beginning, the longer the list
still shows both.

Rate: 20 % of all slips (estimate). Carvalho and Cohen (2007) take it for the main cause of misdirected mail and build their
"3g-addresses" on it; no count of it is published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.person import PREFIX
from nixie.core.slips.person_kind import Offer, Person, known, spellings

if TYPE_CHECKING:
    from nixie.core.slips.person_kind import Offered

KIND = "autocomplete"
PART = "person"
SHARE = 0.09
SOURCE = "estimate; Carvalho and Cohen 2007 name completion lists as the main cause, without a count"
WHAT = "it begins like another address or name in the author's book"
FIRES = (
    (known("John Roe", "john.roe", "b.example"), known("John Smith", "john.smith", "a.example")),
    (known("", "info.desk", "b.example"), known("", "info", "a.example")),
    (known("Ann Smithers", "asmithers", "b.example"), known("Tom Smith", "tsmith", "a.example")),
)
QUIET = (
    (known("John Roe", "john.roe", "b.example"), known("Mary Smith", "mary.smith", "a.example")),
    (known("Jo Roe", "jo", "b.example"), known("John Smith", "john.smith", "a.example")),
)

FIELDS = (0.45, 0.35, 0.20)
"""How often an address, a given name, a surname is what people begin to type (estimate); as in `spellings`."""

REACH = {3: 0.6, 4: 0.75, 5: 0.9}
"""How often somebody stops typing within so many letters (estimate); more letters, or a whole word in common, count 1."""

FIRST, BY_WEIGHT, ANY = 0.3, 0.3, 0.4
"""Whom the wrong pick hits: the first entry, one in proportion to its weight, any of them alike (estimate)."""

UNSEEN = 0.05
"""How often a list offers somebody to whom the author never wrote, compared with one who was written to (estimate)."""


def likelihood(meant: Person, offer: Offer) -> float:
    """Return P(written | meant, the wrong entry was picked), 0.0 if no list shows both for one beginning."""
    found = 0.0
    words = offer.words.get(meant.address.key) or spellings(meant)
    others = offer.words[offer.wrote.address.key]
    for number, (share, word, other) in enumerate(zip(FIELDS, words, others, strict=True)):
        if (group := offer.groups.get((number, word[:PREFIX]))) is not None:
            found += share * _reach(word, other) * _picked(meant, offer, group)
    return found


def _reach(word: str, other: str) -> float:
    """Return how often a list still shows both when its user stops typing."""
    if word == other:
        return 1.0
    common = next(
        (at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other))
    )
    return REACH.get(common, 1.0)


def _picked(meant: Person, offer: Offer, group: Offered) -> float:
    """Return how probable it is that the written one is the wrong pick, of all that are offered beside the one meant."""
    key, away = offer.wrote.address.key, meant.address.key
    own = group.weights[key]
    missing = away not in group.weights
    rest = group.total - (0.0 if missing else group.weights[away])
    count = len(group.weights) - (0 if missing else 1)
    first = next((other for other in group.first if other != away), "")
    picked = FIRST * (first == key) + BY_WEIGHT * own / max(rest, own) + ANY / max(1, count)
    return picked if offer.wrote.mails > 0 else UNSEEN * picked
