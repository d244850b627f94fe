"""From a verdict to what a door can express, with the answers already recorded for copies that were seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.direction import Direction, Origin, SenderKind
from nixie.core.finding import Failed
from nixie.core.verdict import CopyVerdict, Disposition, Verdict
from nixie.service.engine import Decision
from nixie.service.ports import Answer
from nixie.store.hold_states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nixie.core.envelope import Envelope
    from nixie.core.message import Message
    from nixie.store.hold_views import Existing

PASSES = (State.RELEASING, State.RELEASED)
"""A copy whose hold stands so may come from the release hop, and then it goes on."""

REFUSAL = "550 5.7.1 This message may not be sent; please ask your postmaster"


@dataclass(frozen=True, slots=True)
class Arrival:
    """By what signs a copy that was released and comes back is told from a client that tries again.

    The courier says hello with the hold's id; a server between it and this door adds a Received field.
    """

    helo: str
    received: int

    def brings(self, existing: Existing) -> bool:
        """Return whether this is the released copy itself on its way."""
        by_name = self.helo.upper().startswith(f"{existing.id}.")
        return existing.state in PASSES and (by_name or self.received > existing.received)


FIRST = Arrival("", 0)
"""A copy that nothing says was here before."""


@dataclass(frozen=True, slots=True)
class Expressed:
    """What becomes of each copy, by number in the envelope.

    `to_hold` are new holds (a copy refused while others go on is one too: the courier gives it back to the author),
    `refused` the copies of a message that is refused whole, `kept` copies whose hold exists already.
    """

    to_hold: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    reply: str = ""

    def answer(self, hold_ids: Sequence[str], token: str) -> Answer:
        """Return the door's answer once the holds are recorded under these ids."""
        if self.refused:
            return Answer(refused=self.refused, reply=self.reply)
        held = tuple(sorted({*self.to_hold, *self.kept}))
        return Answer(held=held, token=token if hold_ids else "", hold_ids=tuple(hold_ids))


def express(
    verdict: Verdict, keys: Sequence[bytes], known: Mapping[bytes, Existing], arrival: Arrival = FIRST
) -> Expressed:
    """Return what becomes of each copy; a copy that was decided before keeps that answer."""
    kept = tuple(i for i, key in enumerate(keys) if key in known and not arrival.brings(known[key]))
    new = [c for c in verdict.copies if keys[c.recipient] not in known]
    refused = tuple(c.recipient for c in new if c.disposition is Disposition.REFUSE)
    if refused and len(refused) == len(verdict.copies):
        return Expressed(refused=refused, reply=_refusal(verdict.copies))
    held = tuple(c.recipient for c in new if c.disposition is not Disposition.DELIVER)
    return Expressed(to_hold=held, kept=kept)


def known_answer(existing: Sequence[Existing], arrival: Arrival) -> Answer:
    """Return the recorded answer of a message that was seen before with all its copies."""
    held = tuple(i for i, e in enumerate(existing) if not arrival.brings(e))
    return Answer(held=held, hold_ids=tuple(existing[i].id for i in held))


def unread_decision(message: Message, envelope: Envelope, error: str) -> Decision:
    """Return the decision about a message that breaks us every time: every copy is held for the postmaster."""
    hold = Disposition.HOLD_REVIEWER
    copies = tuple(CopyVerdict(i, hold, hold, rule="failed-every-time") for i in range(len(envelope.recipients)))
    origin = Origin(Direction.OUTGOING, None, "none", None, envelope.sender, SenderKind.PERSON, ())
    return Decision(message, envelope, origin, Verdict(copies, failed=(Failed("nixie", error),)))


def _refusal(copies: Sequence[CopyVerdict]) -> str:
    """Return the reply of a refused message: the rule's sentence, as far as SMTP can carry it."""
    text = next((c.message for c in copies if c.message), "")
    clean = "".join(c if " " <= c <= "~" else "?" for c in text)[:400]
    return f"550 5.7.1 {clean}" if clean else REFUSAL
