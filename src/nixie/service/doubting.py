"""Which learned addresses look like slips of others: history contains its slips, and they must not become trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.doubt import doubts
from nixie.core.facts import Counts
from nixie.core.similarity import SmallIndex
from nixie.store.knowledge_lists import addresses_with_counts, domains_with_counts
from nixie.store.near import NearDomains

if TYPE_CHECKING:
    import sqlite3

    from nixie.core.organisation import Organisation
    from nixie.service.places import Places

PROPOSALS = 64


@dataclass(frozen=True, slots=True)
class DoubtedAddress:
    """One learned address at a domain that looks like a slip of `instead`; counts are copies sent by the organisation."""

    address: str = field(repr=False)
    sent: int
    domain: str
    instead: str
    instead_sent: int
    slip: str


def doubted_addresses(db: sqlite3.Connection, places: Places, organisation: Organisation) -> list[DoubtedAddress]:
    """Return the doubted addresses that no person confirmed, the most written-to first."""
    counts = {k.name: Counts(sent=k.sent) for k in domains_with_counts(db) if k.sent}
    near, named = NearDomains(places.near), SmallIndex(organisation.known_domains())
    proposals = {d: dict.fromkeys((*named.near(d, PROPOSALS), *near.near(d, PROPOSALS))) for d in counts}
    doubted = {d.domain: d for d in doubts(counts, proposals, organisation)}
    found = []
    for known in addresses_with_counts(db):
        doubt = doubted.get(known.name.rpartition("@")[2])
        if doubt is not None and known.sent and not known.vouched:
            found.append(
                DoubtedAddress(known.name, known.sent, doubt.domain, doubt.instead, doubt.instead_sent, doubt.slip.kind)
            )
    return sorted(found, key=lambda d: (-d.sent, d.address))
