"""How the message reached each of its envelope recipients: somebody wrote the address, or a table of ours put it there.

Mail servers expand lists and rewrite aliases before or after we see a message. Nobody typed an expanded member, so no slip is
possible there; what was typed is the list's address, which stands in the header. What is not known to be expanded counts as
written by a person, which is the careful side. A tag or a sender's rewriting (`core.proposals.known_key`) makes no other address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.facts import NO_EXPANSION
from nixie.core.message import NotSeen
from nixie.core.proposals import known_key
from nixie.core.verdict import Reached

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nixie.core.address import Address
    from nixie.core.envelope import Envelope
    from nixie.core.facts import Expansion
    from nixie.core.message import Message

__all__ = ["Reached", "not_shown", "reached"]


def not_shown(message: Message, envelope: Envelope) -> tuple[Address, ...]:
    """Return the recipients that To and Cc do not show, as knowledge keeps them: those whose expansions are asked for.

    Without an address in To or Cc there is nothing that could have been expanded.
    """
    keys = _shown(message)
    missing = [r.address for r in envelope.recipients if r.address.key not in keys] if keys else []
    if not missing:
        return ()
    keys = _as_known(message)
    known = {address.key: address for address in map(known_key, missing)}
    return tuple(address for key, address in known.items() if key and key not in keys)


def reached(message: Message, envelope: Envelope, expansions: Mapping[str, Expansion]) -> tuple[Reached, ...]:
    """Return how each envelope recipient was reached, in the envelope's order; `()` when nobody looked at To and Cc.

    `expansions` is what knowledge says of the addresses of `not_shown`, by their keys.
    """
    if isinstance(message.to, NotSeen) and isinstance(message.cc, NotSeen):
        return ()
    keys, recipients = _shown(message), envelope.recipients
    if all(r.address.key in keys for r in recipients):
        return (Reached.TYPED,) * len(recipients)
    keys |= _as_known(message)
    return tuple(_one(r.address, keys, expansions) for r in recipients)


def _one(address: Address, keys: set[str], expansions: Mapping[str, Expansion]) -> Reached:
    if address.key in keys:
        return Reached.TYPED
    key = known_key(address).key
    known = expansions.get(key, NO_EXPANSION)
    ways = (
        (Reached.TYPED, key in keys),
        (Reached.EXPANDED, not known.lists.isdisjoint(keys)),
        (Reached.REWRITTEN, not known.aliases.isdisjoint(keys)),
    )
    return next((way for way, taken in ways if taken), Reached.BLIND)


def _shown(message: Message) -> set[str]:
    return {address.key for address in _written(message)}


def _as_known(message: Message) -> set[str]:
    return {known_key(address).key for address in _written(message)}


def _written(message: Message) -> Iterator[Address]:
    for boxes in (message.to, message.cc):
        if not isinstance(boxes, NotSeen):
            yield from (box.address for box in boxes if box.address is not None and not box.address.is_null)
