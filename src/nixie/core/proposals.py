"""Who could have been meant: the circle of a message, and for each outside address in it a short list of domains.

Proposals come from three places: the store's near index (domains written to before), the organisation's own and partners'
domains (candidates from the first minute), and, where the written ending does not exist, the table of confused endings.
A proposal that no slip kind explains is dropped here. The list is bounded; what was cut is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.address import Address, canonical
from nixie.core.doubt import relation_of
from nixie.core.honest import real_suffix
from nixie.core.message import NotSeen
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

PER_MESSAGE = 400
"""Most proposals weighed for one message."""

LARGEST_CIRCLE = 6_000
"""Most addresses of a circle; a message with more keeps its envelope's and is cut in its header's."""

FROM_NAMED = 64
"""Most proposals taken from own and partners' domains for one written domain, before slips are asked."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`written` (an outside address of the circle) may be a slip of the same local part at `domain`."""

    written: Address
    domain: str
    slip: Slip

    @property
    def intended(self) -> Address:
        """Return the address that may have been meant."""
        return Address(self.written.local, self.domain)


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
    """Return the addresses that leave the house and have a domain that could be a slip (no literal, no bare name)."""
    seen: dict[str, bool] = {}
    kept = []
    for address in circle:
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


def shortlist(
    circle: Iterable[Address], near: Mapping[str, tuple[str, ...]], organisation: Organisation
) -> tuple[tuple[Proposal, ...], int]:
    """Return the proposals of a circle, the likeliest slips first, and how many had to be cut.

    `near` maps written domains to known ones that may have been meant. The order of the circle changes nothing.
    """
    found: list[Proposal] = []
    cut = 0
    by_domain: dict[str, tuple[tuple[float, str, Slip], ...]] = {}
    for address in outside(circle, organisation):
        slips = by_domain.get(address.domain)
        if slips is None:
            slips = by_domain[address.domain] = _slips(address.domain, near.get(address.domain, ()), organisation)
        cut += max(0, len(slips) - PER_RECIPIENT)
        found.extend(Proposal(address, domain, slip) for _, domain, slip in slips[:PER_RECIPIENT])
    if len(found) > PER_MESSAGE:
        cut += len(found) - PER_MESSAGE
        found.sort(key=lambda p: (-p.slip.probability, p.written.key, p.domain))
        del found[PER_MESSAGE:]
    return tuple(found), cut


def proposed(near: Mapping[str, tuple[str, ...]], organisation: Organisation) -> tuple[str, ...]:
    """Return every domain that one slip turns into a written one, each once, before any bound."""
    return tuple(dict.fromkeys(name for written in near for _, name, _ in _slips(written, near[written], organisation)))


def _slips(written: str, near: tuple[str, ...], organisation: Organisation) -> tuple[tuple[float, str, Slip], ...]:
    """Return the domains that one slip turns into the written one, the likeliest first."""
    candidates = dict.fromkeys((*near, *_named(written, organisation), *by_ending(written)))
    explained = ((domain, explain(domain, written)) for domain in candidates)
    return tuple(sorted((-slip.probability, domain, slip) for domain, slip in explained if slip is not None))


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
            if len(self._answers) >= 20_000:
                self._answers.clear()
            answer = self._answers[written] = self._index.near(written, FROM_NAMED)
        return answer
