"""What happens upstream after the decision: the copies that go on leave, the holds stand or fall with them.

The client was told 250 for each recipient before the decision, and gets one final reply for all. So two rules decide
every awkward case (the table of `docs/smtp-door.md` goes through them):

* Until the text went upstream nothing is lost or sent twice by answering 451: the client still has the message.
* A next hop that contradicts its own earlier 250 has not said its last word. The client gets 451, tries again, and
  then hears that word itself, for the recipient that it concerns.

Provisional holds become firm only between the next hop's 250 and ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.service.smtp_hop import HopLostError
from nixie.wire.smtp import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixie.service.ports import Answer, Judge
    from nixie.service.smtp_hop import Hop
    from nixie.wire.smtp import Mail, Rcpt

LATER = Reply(451, (b"4.3.0 Try again later",))
UNRECORDED = Reply(451, (b"4.3.0 The decision could not be recorded; try again later",))
HOP_LOST = Reply(451, (b"4.4.2 The next hop was lost; try again later",))
HOP_CHANGED = Reply(451, (b"4.4.0 The next hop changed its answer; try again later",))
REFUSED = "550 5.7.1 Refused by policy"


class ClientGoneError(Exception):
    """The client left before its message was on its way; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the next hop has accepted: the MAIL command, and the RCPT commands in the order of the envelope."""

    mail: Mail = field(repr=False)
    rcpts: tuple[Rcpt, ...] = field(repr=False)


async def forward(
    transaction: Transaction,
    answer: Answer,
    text: bytes | memoryview,
    hop: Hop,
    judge: Judge,
    *,
    gone: Callable[[], bool] = lambda: False,
) -> Reply:
    """Do what `answer` says; return the client's final reply. Raises ClientGoneError when `gone` says so in time.

    On every way out, an exception and a cancelled task included, the holds of `answer.token` are either confirmed or void.
    """
    firm = False
    try:
        reply, firm = await _forward(transaction, answer, text, hop, gone)
        if firm and answer.token:
            firm = await judge.confirm(answer.token)
            if not firm and (answer.held or answer.refused):
                # The next hop may have taken the other copies. They may come twice; a held copy is never lost.
                return UNRECORDED
        return reply
    finally:
        if answer.token and not firm:
            await judge.void(answer.token)


async def _forward(
    transaction: Transaction, answer: Answer, text: bytes | memoryview, hop: Hop, gone: Callable[[], bool]
) -> tuple[Reply, bool]:
    """Return the final reply, and whether the transaction stands with it."""
    if answer.later:
        await abandon(hop)
        return Reply.of(answer.reply) if answer.reply else LATER, False
    if answer.stops(len(transaction.rcpts)):
        await abandon(hop)
        return _held(answer.hold_ids) if answer.held else Reply.of(answer.reply or REFUSED, 550), True
    try:
        if answer.held or answer.refused or not hop.alive:
            out = frozenset(answer.held + answer.refused)
            rest = tuple(rcpt for number, rcpt in enumerate(transaction.rcpts) if number not in out)
            if not await _repeat(Transaction(transaction.mail, rest), hop):
                return HOP_CHANGED, False
        if gone():
            await abandon(hop)
            raise ClientGoneError
        reply = await hop.data()
        if not reply.go_on:
            await abandon(hop)
            return reply if reply.code >= 400 else HOP_CHANGED, False
        reply = await hop.text(text)
    except HopLostError as lost:
        return lost.goodbye or HOP_LOST, False
    if reply.positive or reply.code >= 400:
        return reply, reply.positive
    hop.drop()
    return HOP_LOST, False


async def _repeat(transaction: Transaction, hop: Hop) -> bool:
    """Say MAIL and RCPT again; return whether every answer is yes again. Nothing was sent when it is not."""
    commands: tuple[Mail | Rcpt, ...] = (transaction.mail, *transaction.rcpts)
    if hop.alive:
        try:
            reset, *replies = await hop.flight(commands, reset=True)
        except HopLostError:
            reset = LATER
        if reset.positive:
            return await _all_positive(replies, hop)
        hop.drop()
    # A connection that is lost, or does not take RSET, has an unfinished transaction that ends with it.
    await hop.open()
    return await _all_positive(await hop.flight(commands), hop)


async def _all_positive(replies: list[Reply] | tuple[Reply, ...], hop: Hop) -> bool:
    if all(reply.positive for reply in replies):
        return True
    await abandon(hop)
    return False


async def abandon(hop: Hop) -> None:
    """End the transaction upstream by RSET; end the connection when that is refused."""
    if not hop.alive:
        hop.drop()
        return
    try:
        reply = await hop.reset()
    except HopLostError:
        return
    if not reply.positive:
        hop.drop()


def _held(hold_ids: tuple[str, ...]) -> Reply:
    text = "250 2.0.0 Ok: held for confirmation"
    if hold_ids:
        text += " as " + " ".join(hold_ids[:5]) + (f" and {len(hold_ids) - 5} more" if len(hold_ids) > 5 else "")
    return Reply.of(text)
