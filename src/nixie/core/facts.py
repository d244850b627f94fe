"""The slice of knowledge that one decision may see.

The engine asks in two set-shaped rounds: *who could have been meant?* (`near`, which only proposes and may know more than
the moment allows) and *what is known of these?* (`know`, one read transaction, as of a moment). Both are values, so that
a decision can be repeated from a record, in a replay, or in a test, with no store in sight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from nixie.core.address import Address


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each kind of event was seen, over all days before the moment; days are UTC."""

    sent: int = 0
    sent_90d: int = 0
    wrote_to_us: int = 0
    replied: int = 0
    bounced: int = 0
    released_by_sender: int = 0
    released_by_reviewer: int = 0
    corrected_away: int = 0
    cancelled: int = 0
    disowned: int = 0
    confirmed: int = 0
    first_day: date | None = None
    last_day: date | None = None


NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one address or one domain: between it and the author, and between it and the organisation."""

    author: Counts = NOTHING
    organisation: Counts = NOTHING


UNKNOWN = History()


@dataclass(frozen=True, slots=True)
class Totals:
    """The sizes against which counts are read: copies sent by the author, by the organisation; addresses and domains
    that the organisation ever wrote to for the first time before the moment.
    """

    author_sent: int = 0
    organisation_sent: int = 0
    new_addresses: int = 0
    new_domains: int = 0


@dataclass(frozen=True, slots=True)
class FactQuery:
    """One question to the store: everything known of these addresses and domains, as of a moment (aware, UTC).

    `left_out` counts the proposals that a bound kept out of it; the store has no use for it. Without `totals` the answer's
    `Totals` may stay empty: where nobody else can have been meant, nothing is weighed.
    """

    author: Address | None
    addresses: tuple[Address, ...]
    domains: tuple[str, ...]
    as_of: datetime
    left_out: int = 0
    totals: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """The answer: `addresses` by `Address.key`, `domains` by A-label; what is missing from a mapping is unknown."""

    as_of: datetime
    totals: Totals = field(default_factory=Totals)
    addresses: Mapping[str, History] = field(default_factory=dict, repr=False)
    domains: Mapping[str, History] = field(default_factory=dict, repr=False)

    def address(self, address: Address) -> History:
        """Return what is known of the address; `UNKNOWN` when nothing is."""
        return self.addresses.get(address.key, UNKNOWN)

    def domain(self, domain: str) -> History:
        """Return what is known of the domain; `UNKNOWN` when nothing is."""
        return self.domains.get(domain, UNKNOWN)


class FactSource(Protocol):
    """Where facts come from: the store, a walk forward in memory, or a table in a test."""

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known domains that could have been meant by `domain`, which is never among them.

        Proposals share a key of `core.similarity.domain_keys` with the written domain; the most written-to come first.
        """

    def know(self, query: FactQuery) -> Facts:
        """Return what is known as of `query.as_of`, in one read transaction."""
