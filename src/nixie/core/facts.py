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
    from nixie.core.mailing import PastMail


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
    mails_of: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class SuggestQuery:
    """Who else could have been meant? What the message shows, in the forms in which knowledge keeps it.

    `circle` is the whole circle of the message (`core.decide.make_case`), canonical, inside addresses too; `written` are those of it that may be
    slips. `tokens` maps the key of a written address to what else its person may be found by (`core.person.tokens`);
    `greeted` are tokens of names that the text speaks to. `references` are keys of the mails it answers
    (`core.mailing.mailing_key`), oldest first; `topic` is what it answers by its subject (`core.topic`), 0 where it does not.
    """

    author: Address | None
    circle: tuple[Address, ...]
    written: tuple[Address, ...]
    as_of: datetime
    tokens: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    greeted: tuple[str, ...] = field(default=(), repr=False)
    references: tuple[int, ...] = ()
    topic: int = 0


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Somebody the author or the organisation wrote to before the moment: address, number, display names it was seen with.

    `mails` is how many mailings of the author went to it before the moment (counted to `MOST_COUNTED`), `last` the moment of the
    latest one (microseconds since 1970, 0 for none).
    """

    address: Address
    number: int
    names: tuple[str, ...] = field(default=(), repr=False)
    mails: int = 0
    last: int = 0


MOST_COUNTED = 200
"""An author's mails to one address are counted up to here."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What knowledge says about a circle: the answer to `SuggestQuery`, all of it from before the moment.

    * `numbers`: number of each known address of the circle, by `Address.key` (the author's too)
    * `names`: display names with which addresses of the circle were seen, by `Address.key`
    * `mails`: the author's latest mails to each of the circle (newest first, at most `LATEST`), by `Address.key`
    * `counts`: how many of the author's mails went to each of them, counted up to `MOST_COUNTED`, by `Address.key`
    * `colleagues`: the organisation's latest mails to it (at most `LATEST_OF_ALL`), for those with fewer than `FEW` of the author's
    * `received`: the latest mails that the author got in which each of the circle wrote or was written to too (newest first, at
      most `LATEST_RECEIVED`), by `Address.key`; their members are the sender, first, and all recipients, their words stay unread
    * `thread`: the mails that this one answers, as far as they are known, oldest first; where none of `references` is, the author's
      latest ones with the `topic`
    * `wrong`: keys of addresses that were found wrong in this thread (bounced, disowned, corrected away after one of its mails)
    * `alike`: by key of a written address, whom the author knows that shares a token with it
    * `beside`: by key of a written address, known addresses one typed slip of the local part away, at the same domain
    * `together`: who else was in the mails of `mails` and `thread`, most often first (at most `MOST_TOGETHER`)
    * `greeted`: whom the author knows that shares a token with a greeted name
    * `author_mails`, `author_contacts`: how many mails of the author are known, to how many addresses, before the moment
    """

    numbers: Mapping[str, int] = field(default_factory=dict, repr=False)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    mails: Mapping[str, tuple[PastMail, ...]] = field(default_factory=dict, repr=False)
    counts: Mapping[str, int] = field(default_factory=dict, repr=False)
    colleagues: Mapping[str, tuple[PastMail, ...]] = field(default_factory=dict, repr=False)
    received: Mapping[str, tuple[PastMail, ...]] = field(default_factory=dict, repr=False)
    thread: tuple[PastMail, ...] = field(default=(), repr=False)
    wrong: frozenset[str] = field(default=frozenset(), repr=False)
    alike: Mapping[str, tuple[Acquaintance, ...]] = field(default_factory=dict, repr=False)
    beside: Mapping[str, tuple[Acquaintance, ...]] = field(default_factory=dict, repr=False)
    together: tuple[Acquaintance, ...] = field(default=(), repr=False)
    greeted: tuple[Acquaintance, ...] = field(default=(), repr=False)
    author_mails: int = 0
    author_contacts: int = 0


LATEST, LATEST_OF_ALL, LATEST_RECEIVED, FEW, MOST_TOGETHER = 32, 16, 24, 8, 24
"""Bounds of `Surroundings`; no cut is made before the as-of test."""

NO_SURROUNDINGS = Surroundings()


@dataclass(frozen=True, slots=True)
class Facts:
    """The answer: `addresses` by `Address.key`, `domains` by A-label; what is missing from a mapping is unknown.

    `mails` are the author's latest mails (at most 16) to those of `FactQuery.mails_of`, by `Address.key`. `suffixes` says, by
    public suffix of the domains asked about, how many domains under it the organisation has written to.
    """

    as_of: datetime
    totals: Totals = field(default_factory=Totals)
    addresses: Mapping[str, History] = field(default_factory=dict, repr=False)
    domains: Mapping[str, History] = field(default_factory=dict, repr=False)
    mails: Mapping[str, tuple[PastMail, ...]] = field(default_factory=dict, repr=False)
    suffixes: Mapping[str, int] = field(default_factory=dict, repr=False)

    def address(self, address: Address) -> History:
        """Return what is known of the address; `UNKNOWN` when nothing is."""
        return self.addresses.get(address.key, UNKNOWN)

    def domain(self, domain: str) -> History:
        """Return what is known of the domain; `UNKNOWN` when nothing is."""
        return self.domains.get(domain, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What leads to an address: keys of known `lists` that it is on, keys of `aliases` that stand for it alone."""

    lists: frozenset[str] = field(default=frozenset(), repr=False)
    aliases: frozenset[str] = field(default=frozenset(), repr=False)


NO_EXPANSION = Expansion()


class FactSource(Protocol):
    """Where facts come from: the store, a walk forward in memory, or a table in a test."""

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known domains that could have been meant by `domain`, which is never among them.

        Proposals share a key of `core.similarity.domain_keys` with the written domain; the most written-to come first.
        """

    def suggest(self, query: SuggestQuery) -> Surroundings:
        """Return who stands around the circle as of `query.as_of`; `NO_SURROUNDINGS` where nothing is remembered."""

    def know(self, query: FactQuery) -> Facts:
        """Return what is known as of `query.as_of`, in one read transaction."""

    def expansions(self, addresses: tuple[Address, ...]) -> Mapping[str, Expansion]:
        """Return what lists and aliases lead to each address, by `Address.key`; what is on none is missing.

        Lists are what they were when they were last learned, whatever the moment. Asked only for recipients that the header
        does not show.
        """
