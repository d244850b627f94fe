"""Facts from a table: what a test says was sent, and cases made of a few addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core import decide
from nixie.core.address import NULL, Address, Mailbox, parse_address
from nixie.core.direction import Direction, Origin, SenderKind
from nixie.core.envelope import Envelope, Recipient
from nixie.core.facts import NOTHING, Counts, FactQuery, Facts, History, Totals
from nixie.core.message import Message
from nixie.core.organisation import Organisation
from nixie.core.similarity import SmallIndex

if TYPE_CHECKING:
    from nixie.core.case import Case

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OURS = Organisation(own_domains=("ministry.example",))
AUTHOR = Address("ann.lee", "ministry.example")


def address(text: str) -> Address:
    found = parse_address(text)
    assert found is not None, text
    return found


@lru_cache(maxsize=64)
def _index(domains: tuple[str, ...]) -> SmallIndex:
    return SmallIndex(domains)


@dataclass
class Known:
    """A store in memory: histories by address and domain, as if counted before `NOW`."""

    totals: Totals = field(default_factory=lambda: Totals(2_000, 10_000, 500, 150))
    addresses: dict[str, History] = field(default_factory=dict)
    domains: dict[str, History] = field(default_factory=dict)

    def address(self, text: str, author: Counts = NOTHING, organisation: Counts | None = None) -> Known:
        self.addresses[address(text).key] = History(author, organisation or author)
        return self

    def domain(self, name: str, author: Counts = NOTHING, organisation: Counts | None = None) -> Known:
        self.domains[name] = History(author, organisation or author)
        return self

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        return _index(tuple(self.domains)).near(domain, limit)

    def know(self, query: FactQuery) -> Facts:
        asked = {a.key for a in query.addresses}
        return Facts(
            query.as_of,
            self.totals,
            {key: history for key, history in self.addresses.items() if key in asked},
            {name: history for name, history in self.domains.items() if name in query.domains},
        )


def sent(n: int, **more: int) -> Counts:
    return Counts(sent=n, sent_90d=n, **more)


def origin(**changes: object) -> Origin:
    values: dict[str, object] = {
        "direction": Direction.OUTGOING,
        "author": AUTHOR,
        "author_basis": "login",
        "mailbox": AUTHOR,
        "envelope_sender": AUTHOR,
        "kind": SenderKind.PERSON,
        "notes": (),
    }
    return Origin(**{**values, **changes})  # type: ignore[arg-type]


def envelope(*recipients: str) -> Envelope:
    return Envelope(b"<ann.lee@ministry.example>", AUTHOR, tuple(Recipient(b"", address(r)) for r in recipients))


def message(*to: str) -> Message:
    boxes = tuple(Mailbox("", address(one), one, "", 0, len(one), ()) for one in to)
    return Message(to=boxes, message_id="m1@ministry.example", size=1_000)


def case(
    known: Known,
    *recipients: str,
    to: tuple[str, ...] | None = None,
    organisation: Organisation = OURS,
    origin: Origin | None = None,
    settings: dict[str, dict[str, object]] | None = None,
) -> Case:
    """Return the case of a message to `recipients`, by the very steps that the engine takes."""
    enveloped, read, who = envelope(*recipients), message(*(recipients if to is None else to)), origin or _origin()
    near = {d: known.near(d, decide.NEAR_LIMIT) for d in decide.domains_to_ask(enveloped, read, organisation)}
    facts = known.know(decide.facts_to_ask(read, enveloped, who, organisation, near, NOW))
    return decide.make_case(read, enveloped, who, organisation, near, facts, settings)


_origin = origin


def probabilities(found: Case) -> dict[str, float]:
    """Return the probability of a slip by recipient; 0.0 where nothing was found."""
    from nixie.core.intent import weigh

    seen = {f.recipient: dict(f.values)["probability"] for f in weigh(found) if hasattr(f, "values")}
    return {str(r.address): float(seen.get(number, 0.0)) for number, r in enumerate(found.envelope.recipients)}


__all__ = ["NULL", "Known", "address", "case", "envelope", "message", "origin", "probabilities", "sent"]
