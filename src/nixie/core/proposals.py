"""Who could have been meant: the circle of a message, and for each outside address in it a short list of domains.

Proposals come from three places: the store's near index (domains written to before), the organisation's own and partners'
domains (candidates from the first minute), and, where the written ending does not exist, the table of confused endings.
A proposal that no slip kind explains is dropped here. The list is bounded by domains, not by copies, since all copies at one
domain have the same possibilities: no address is left out for having many neighbours. What was cut is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.address import Address, canonical
from nixie.core.doubt import relation_of
from nixie.core.honest import real_suffix
from nixie.core.message import NotSeen
from nixie.core.routed import routed
from nixie.core.similarity import SmallIndex
from nixie.core.slips import explain
from nixie.core.suffixes import registrable
from nixie.core.tables import tld_confusions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixie.core.envelope import Envelope
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.core.slips import Slip

PER_RECIPIENT = 32
"""Most proposals weighed for one recipient."""

PER_MESSAGE = 20_000
"""Most proposals weighed for one message; the first one of each address is weighed in any case."""

TOO_MANY = "too-many-proposals"
"""The reason of a `Skipped` where a bound left possibilities out; `message.unread` of a recipient whom `PER_MESSAGE` hit."""

LARGEST_CIRCLE = 6_000
"""Most addresses of a circle; a message with more keeps its envelope's and is cut in its header's."""

FROM_NAMED = 64
"""Most proposals taken from own and partners' domains for one written domain, before slips are asked."""

REMEMBERED = 20_000
"""Written domains whose answers are kept; then all are forgotten."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`written` (an outside address of the circle) may be a typed slip of `intended`."""

    written: Address
    intended: Address
    slip: Slip


def circle_of(message: Message, envelope: Envelope) -> tuple[Address, ...]:
    """Return everybody whom the message shows or reaches, each once: the envelope's recipients, then To and Cc."""
    found: dict[str, Address] = {}
    for recipient in envelope.recipients:
        if not recipient.address.is_null:
            found.setdefault(recipient.address.key, recipient.address)
    for mailboxes in (message.to, message.cc):
        if isinstance(mailboxes, NotSeen):
            continue
        for mailbox in mailboxes:
            if len(found) >= LARGEST_CIRCLE:
                break
            if mailbox.address is not None and not mailbox.address.is_null:
                found.setdefault(mailbox.address.key, mailbox.address)
    return tuple(found.values())


def outside(circle: Iterable[Address], organisation: Organisation) -> tuple[Address, ...]:
    """Return where copies go that leave the house, as far as the domain could be a slip (no literal, no bare name)."""
    seen: dict[str, bool] = {}
    kept = []
    for written in circle:
        address = routed(written, organisation)
        domain = address.domain
        if domain not in seen:
            seen[domain] = bool(domain) and domain[0] != "[" and not organisation.inside(domain)
        if seen[domain]:
            kept.append(address)
    return tuple(kept)


def known_key(address: Address) -> Address:
    """Return the address under which knowledge keeps it: tags and senders' rewritings taken off.

    A forwarder's rewriting (SRS) names another domain than the one that gets the copy, so it lends no trust to it.
    """
    known = canonical(address)
    return known if known.domain == address.domain else address


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The proposals to be weighed, how many a bound left out, and the written domains (`crowded`) that lost some of them
    because the message has so many recipients.
    """

    proposals: tuple[Proposal, ...]
    left_out: int = 0
    crowded: frozenset[str] = frozenset()


NOBODY_ELSE = Shortlist(())


def shortlist(circle: Iterable[Address], near: Mapping[str, tuple[str, ...]], organisation: Organisation) -> Shortlist:
    """Return the proposals of a circle. `near` maps written domains to known ones that may have been meant.

    The order of the circle changes nothing about which there are.
    """
    copies: dict[str, list[Address]] = {}
    for address in outside(circle, organisation):
        copies.setdefault(address.domain, []).append(address)
    pairs: list[tuple[int, float, str, str, Slip]] = []
    left_out, crowded = 0, set()
    for written, addresses in copies.items():
        slips = _slips(written, near.get(written, ()), organisation)
        left_out += max(0, len(slips) - PER_RECIPIENT) * len(addresses)
        kept = enumerate(slips[:PER_RECIPIENT])
        pairs.extend((rank, -slip.probability, written, domain, slip) for rank, (domain, slip) in kept)
    if not pairs:
        return NOBODY_ELSE
    # First the best of each domain, then the second of each: where the bound bites, everybody keeps something.
    pairs.sort(key=lambda pair: pair[:4])
    found: list[Proposal] = []
    for rank, _, written, domain, slip in pairs:
        addresses = copies[written]
        if rank and len(found) + len(addresses) > PER_MESSAGE:
            left_out += len(addresses)
            crowded.add(written)
        else:
            found.extend(Proposal(address, Address(address.local, domain), slip) for address in addresses)
    return Shortlist(tuple(found), left_out, frozenset(crowded))


def proposed(near: Mapping[str, tuple[str, ...]], organisation: Organisation) -> tuple[str, ...]:
    """Return every domain that one slip turns into a written one, each once, before any bound."""
    return tuple(dict.fromkeys(name for written in near for name, _ in _slips(written, near[written], organisation)))


def _slips(written: str, near: tuple[str, ...], organisation: Organisation) -> tuple[tuple[str, Slip], ...]:
    """Return the domains that one slip turns into the written one: own and partners' first, then the likeliest slips.

    The answer is remembered: a message asks for it several times, and most mail goes to few domains.
    """
    index = _Named.of(organisation)
    known = index.slips.get(written)
    if known is not None and known[0] == near:
        return known[1]
    candidates = dict.fromkeys((*near, *_named(written, organisation), *by_ending(written)))
    explained = ((domain, explain(domain, written)) for domain in candidates)
    found = [(domain, slip) for domain, slip in explained if slip is not None]
    found.sort(key=lambda f: (not relation_of(f[0], organisation)[0], -f[1].probability, f[0]))
    slips = tuple(found)
    if len(index.slips) >= REMEMBERED:
        index.slips.clear()
    index.slips[written] = near, slips
    return slips


def _named(written: str, organisation: Organisation) -> tuple[str, ...]:
    """Return the own and partners' domains that may have been meant; hosts below them where wildcards say so."""
    index = _Named.of(organisation)
    found = index.near(written)
    registered = registrable(written)
    if not registered or registered == written:
        return found
    host = written[: -len(registered)]
    below = (host + domain for domain in index.near(registered))
    return (*found, *(domain for domain in below if relation_of(domain, organisation)[0]))


@lru_cache(maxsize=4096)
def by_ending(written: str) -> tuple[str, ...]:
    """Return the domains with an ending that exists, for one whose ending does not: `example.con` gives `example.com`."""
    stem, dot, ending = written.rpartition(".")
    if not dot or real_suffix(ending):
        return ()
    return tuple(f"{stem}.{c.intended}" for c in tld_confusions().get(ending, ()) if "." not in c.intended)


class _Named:
    """The own and partners' domains of one organisation as an index, with the answers it gave."""

    _latest: tuple[Organisation, _Named] | None = None

    def __init__(self, organisation: Organisation) -> None:
        self._index = SmallIndex(organisation.known_domains())
        self._answers: dict[str, tuple[str, ...]] = {}
        self.slips: dict[str, tuple[tuple[str, ...], tuple[tuple[str, Slip], ...]]] = {}
        """By written domain: the near domains it was asked with, and what `_slips` answered."""

    @classmethod
    def of(cls, organisation: Organisation) -> _Named:
        """Return the index of the organisation; the value is frozen, so the same value has the same index."""
        if cls._latest is None or cls._latest[0] is not organisation:
            cls._latest = organisation, cls(organisation)
        return cls._latest[1]

    def near(self, written: str) -> tuple[str, ...]:
        """Return the named domains that may have been meant."""
        answer = self._answers.get(written)
        if answer is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            answer = self._answers[written] = self._index.near(written, FROM_NAMED)
        return answer
