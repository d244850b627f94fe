"""The namesake: the same person-name at another organisation, or behind an address that is somebody else's.

Fires: `john.smith@b.example` written as `john.smith@a.example` (John Smith is the name of both, in full, by a short form or an
initial), and `"John Smith" <mary.roe@b.example>`, where the display name says one person and the address another.
Stays quiet: `john.smith@b.example` written as `jane.smith@a.example`, and a personal mailbox of the name (that is `private_twin`).

Rate: 6 % of all slips (estimate; no published count). Many people have two addresses: whether the other one is a
namesake or the same person is for `core.intent` to weigh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.person import local_name, name_likeness
from nixie.core.slips.person_kind import Offer, Person, known
from nixie.core.suffixes import registrable
from nixie.core.tables import personal_provider

if TYPE_CHECKING:
    from nixie.core.person import Name

KIND = "namesake"
PART = "person"
SHARE = 0.01
SOURCE = "estimate; no published count"
WHAT = "it belongs to somebody else of that name"
FIRES = (
    (known("John Smith", "john.smith", "b.example"), known("John Smith", "john.smith", "a.example")),
    (known("Smith, John", "jsmith", "b.example"), known("", "john.smith", "a.example")),
    (known("William Roe", "william.roe", "b.example"), known("Bill Roe", "bill.roe", "a.example")),
    (known("John Smith", "john.smith", "b.example"), known("John Smith", "mary.roe", "b.example")),
)
QUIET = (
    (known("John Smith", "john.smith", "b.example"), known("Jane Smith", "jane.smith", "a.example")),
    (known("John Smith", "john.smith", "b.example"), known("John Smith", "john.smith", "gmail.com")),
    (known("John Smith", "john.smith", "b.example"), known("John Smith", "j.smith", "mail.b.example")),
    (known("Sales Team", "sales", "b.example"), known("Sales Team", "sales", "a.example")),
)

ELSEWHERE, MISLABELLED = 0.8, 0.2
"""How many of them are at another organisation, and how many are a name put beside somebody else's address."""


def likelihood(meant: Person, offer: Offer) -> float:
    """Return P(written | meant, a namesake was taken), 0.0 if it is none."""
    wrote, names = offer.wrote, meant.all_names()
    like = likeness(names, offer.names)
    if like <= 0.0:
        return 0.0
    if registrable(meant.address.domain) == registrable(wrote.address.domain):
        return MISLABELLED * like if _says_another(wrote, names) else 0.0
    if personal_provider(meant.address.domain) != personal_provider(wrote.address.domain):
        return 0.0
    aside = {meant.address.key, wrote.address.key}
    others = sum(sure for key, sure in _namesakes(names, offer).items() if key not in aside)
    return ELSEWHERE * like / (1.0 + others)


def _namesakes(names: tuple[Name, ...], offer: Offer) -> dict[str, float]:
    """Return who of those alike has one of these names, and how surely: asked once for all candidates of one name."""
    found = offer.namesakes.get(names)
    if found is None:
        found = {p.address.key: sure for p in offer.alike if (sure := likeness(names, p.all_names())) > 0.0}
        offer.namesakes[names] = found
    return found


def likeness(names: tuple[Name, ...], others: tuple[Name, ...]) -> float:
    """Return how surely (0 to 1) some name of one person is some name of another."""
    return max([name_likeness(one, other) for one in names for other in others], default=0.0)


def _says_another(person: Person, names: tuple[Name, ...]) -> bool:
    """Return whether the local part shows a name that is none of these."""
    shown = local_name(person.address.local)
    return bool(shown.whole) and likeness((shown,), names) == 0.0
