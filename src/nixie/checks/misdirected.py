"""A copy is about to go to another address than the one its author meant.

The slip kinds (`core/slips`) propose who may have been meant, `core.intent` weighs all proposals of the message together, and
this check returns at most one finding per recipient.

Fires: `ops@army.ml`, when the organisation writes to `army.mil` every day and nobody confirmed the other one; `cba.com` on the
first day, when `cba.com.au` is an own domain. Stays quiet: a first message to `mailw.com`, although `mail.com` is known;
`x.org.uk` beside `x.org`; a neighbour who is written to as often (`smu.edu` beside `msu.edu`).

Skipped: mail that does not leave the house (`not-outgoing`), bounces, list posts, forwards and machines' mail, whose addresses
nobody typed (`not-typed`), mail that neither a login nor a trusted client answers for (`no-author`), and per recipient, where
only too few counts speak for the proposal (`too-little-history`). A message with more proposals than can be weighed says so
(`too-many-proposals`); the likeliest were weighed. Named at a recipient, it means that the message has too many of them, and the
policy sees `message.unread` there.

Values: `probability` (0 to 1), `slip` (the slip kind), `intended_known` (somebody of ours has written to exactly the intended
address), `intended_relation` (own, partner, known, unknown). Options: none; what a probability is worth is the policy's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.intent import CHECK, weigh

if TYPE_CHECKING:
    from nixie.core.case import Case
    from nixie.core.finding import Finding, Skipped

ID = CHECK
VALUES: dict[str, type] = {"probability": float, "slip": str, "intended_known": bool, "intended_relation": str}
RELATIONS = ("own", "partner", "known", "unknown")


def check(case: Case) -> tuple[Finding | Skipped, ...]:
    """Return one finding per recipient that may be a slip; see `core.intent.weigh`."""
    return weigh(case)
