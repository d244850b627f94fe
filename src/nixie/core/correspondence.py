"""What counts say about writing to an address: how probable that it is meant, how probable that it is written rightly.

Both are one mixture, read twice. An address gets copies because the author wrote there before, because somebody of the
organisation did, because it is new at a domain we know, or because it is new at a domain that is new to us
(`core.honest`). Shares are additive and smoothed, so that one copy more to an address never makes it less probable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.doubt import cleared_for_all, cleared_for_author, relation_of, same_owner
from nixie.core.honest import NEAR_NAME, Newcomers, domain_share, learned_share, local_share
from nixie.core.proposals import known_key
from nixie.core.suffixes import name_label, public_suffix
from nixie.core.tables import government_suffix, personal_provider

if TYPE_CHECKING:
    from nixie.core.address import Address
    from nixie.core.doubt import Doubt
    from nixie.core.facts import Counts, Facts
    from nixie.core.organisation import Organisation

AUTHOR_PART = 0.4
"""How much the author's own history weighs once it is long; the organisation's has the rest."""

AUTHOR_SMOOTHING, ORGANISATION_SMOOTHING = 50, 200
"""Copies' worth of "somebody else" in each share."""

OWN_MASS, OWN_FLOOR = 0.2, 0.02
"""How many copies are meant for own domains when nothing is counted, all together and for each at least."""

PARTNER_MASS, PARTNER_FLOOR = 0.05, 0.001
"""The same for partners' domains."""

SIBLING = 3e-4
"""Of the copies to new addresses, how many go to another true ending of a known name (`suse.cz` beside `suse.com`)."""

HOST = 1e-3
"""How probable one certain other host of a known registered domain is, for an address that is new or that is known at
the first host: people have mail at both."""

MOST_SUSPICION = 50.0
"""How far bounces, disownings and corrections of an address may raise the odds against it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How probable it is that the author means an address, what its domain is to us (own, partner, known, unknown), the
    partner's name, and whether somebody of ours has written to exactly this address.
    """

    probability: float
    relation: str
    partner: str
    known: bool


class Correspondence:
    """The counts of one moment, and what they make probable."""

    def __init__(self, facts: Facts, organisation: Organisation) -> None:
        self._facts = facts
        self._organisation = organisation
        self._newcomers = Newcomers.learned(facts.totals)

    def expected(self, address: Address) -> Expected:
        """Return how probable it is that the author means this address, before the written one is looked at.

        Only copies that we sent count: whoever writes to us first must not become somebody we may have meant.
        """
        history, domain = self._facts.address(known_key(address)), self._facts.domain(address.domain)
        local, newcomers = local_share(address.local), self._newcomers
        at_domain = self._share(domain.author.sent, domain.organisation.sent)
        relation, partner, mass = self._named(address.domain)
        probability = (
            self._share(history.author.sent, history.organisation.sent)
            + newcomers.address * (1.0 - newcomers.domain) * at_domain * local
            + newcomers.address * newcomers.domain * self._domain_share(address.domain) * local
            + mass * local
        )
        if not relation:
            relation = "known" if domain.organisation.sent else "unknown"
        return Expected(probability, relation, partner, history.organisation.sent > 0)

    def honest(self, written: Address, intended: Address, doubted: Doubt | None) -> float:
        """Return how probable it is that exactly this address is written to and meant, the intended one being known.

        A doubted domain's counts carry no trust; what a person cleared does.
        """
        history, domain = self._facts.address(known_key(written)), self._facts.domain(written.domain)
        for_all, for_author = cleared_for_all(history), cleared_for_author(history)
        author = _trusted(history.author) if doubted is None or for_author else 0
        organisation = _trusted(history.organisation) if doubted is None or for_all else 0
        share = self._share(max(author, int(for_author)), max(organisation, int(for_all)))
        at_domain = 0.0
        if doubted is None or written.domain == intended.domain:
            at_domain = self._share(_trusted(domain.author), _trusted(domain.organisation))
        newcomers = self._newcomers
        new = (1.0 - newcomers.domain) * at_domain + newcomers.domain * self._domain_share(written.domain)
        new += self._relative(written.domain, intended.domain)
        local = local_share(written.local)
        if written.domain == intended.domain:
            local = min(local, NEAR_NAME)
        return share + self._alias(written, intended) + newcomers.address * new * local

    def newcomer(self, address: Address) -> float:
        """Return how probable exactly this address is, of all that the organisation writes to for the first time or seldom."""
        history, domain = self._facts.address(known_key(address)), self._facts.domain(address.domain)
        newcomers = self._newcomers
        at_domain = self._share(_trusted(domain.author), _trusted(domain.organisation))
        new = (1.0 - newcomers.domain) * at_domain + newcomers.domain * self._domain_share(address.domain)
        return self._share(0, history.organisation.sent) + new * local_share(address.local)

    def _domain_share(self, domain: str) -> float:
        """Return how probable exactly this domain is among those new to us."""
        if not self._facts.suffixes.get(public_suffix(domain)):
            return domain_share(domain)
        return domain_share(domain, self._ending_share(domain))

    def _ending_share(self, domain: str) -> float:
        """Return how often a domain new to us ends like this one."""
        suffix = public_suffix(domain)
        return learned_share(suffix, self._facts.suffixes.get(suffix, 0), self._facts.totals.new_domains)

    def _alias(self, written: Address, intended: Address) -> float:
        """Return how probable the written address is as another of the intended person's, at a host of the same domain."""
        if written.domain == intended.domain or not same_owner(written.domain, intended.domain):
            return 0.0
        history = self._facts.address(known_key(intended))
        return HOST * self._share(history.author.sent, history.organisation.sent)

    def suspicion(self, written: Address) -> float:
        """Return by what factor bad experience with an address raises the odds against it, 1.0 to `MOST_SUSPICION`."""
        history = self._facts.address(known_key(written))
        counts = history.organisation
        if cleared_for_author(history):
            return 1.0
        return min(MOST_SUSPICION, 1.0 + 2.0 * counts.bounced + 8.0 * (counts.disowned + counts.corrected_away))

    def _share(self, author: int, organisation: int) -> float:
        """Return the smoothed share of all copies that these counts are."""
        totals = self._facts.totals
        whole = max(totals.author_sent, author) + AUTHOR_SMOOTHING
        everybody = max(totals.organisation_sent, organisation) + ORGANISATION_SMOOTHING
        weight = AUTHOR_PART * (whole - AUTHOR_SMOOTHING) / whole
        return AUTHOR_PART * author / whole + (1.0 - weight) * organisation / everybody

    def _named(self, domain: str) -> tuple[str, str, float]:
        """Return what a domain is to us by configuration, the partner's name, and its share on the first day."""
        organisation = self._organisation
        relation, partner = relation_of(domain, organisation)
        if relation == "own":
            return relation, "", max(OWN_MASS / max(1, len(organisation.own_domains)), OWN_FLOOR)
        if relation == "partner":
            return relation, partner, max(PARTNER_MASS / max(1, len(organisation.partners)), PARTNER_FLOOR)
        return "", "", 0.0

    def _relative(self, written: str, intended: str) -> float:
        """Return how probable the written domain is as another true domain of whoever has the intended one."""
        if self._organisation.owns(intended) or written == intended:
            return 0.0
        counts = self._facts.domain(intended)
        share = self._share(counts.author.sent, counts.organisation.sent)
        if same_owner(written, intended):
            return HOST * share
        if name_label(written) != name_label(intended) or personal_provider(intended) or government_suffix(intended):
            return 0.0
        return SIBLING * share * self._ending_share(written)


def _trusted(counts: Counts) -> int:
    """Return how many events show that an address is one we deal with."""
    return counts.sent + counts.wrote_to_us + counts.replied
