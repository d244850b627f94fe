"""The opening: what a mail server offers, and what a filter that reads everything and interrupts nothing takes of it.

The filter promises silence after every command it is allowed to (NR_*), which halves its work and saves a round trip a
header line; it decides at the end of the message only. Actions and steps that were not offered are not used, so a version 2
peer gets an answer after each command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nixie.wire.milter.constants import NEWEST_VERSION, NOT_ANSWERED, OLDEST_VERSION, Action, Letter, Stage, Step
from nixie.wire.milter.errors import ProtocolError
from nixie.wire.milter.replies import Agreed

if TYPE_CHECKING:
    from nixie.wire.milter.events import Offer

WANTED_ACTIONS: Final = Action.DELRCPT | Action.ADDHDRS | Action.QUARANTINE

WANTED_STEPS: Final = (
    Step.NR_CONN
    | Step.NR_HELO
    | Step.NR_MAIL
    | Step.NR_RCPT
    | Step.NR_DATA
    | Step.NR_HDR
    | Step.NR_EOH
    | Step.NR_BODY
    | Step.HDR_LEADSPC
    | Step.NOUNKNOWN
    | Step.SKIP
)
"""RCPT_REJ is left out on purpose: a recipient that the server refused gets no copy and is nobody's slip."""

_WHO: Final = (b"auth_authen", b"auth_type", b"tls_version")

WANTED_MACROS: Final[tuple[tuple[int, tuple[bytes, ...]], ...]] = (
    (Stage.CONNECT, (b"j", b"daemon_name", b"client_addr", b"client_name", b"client_port")),
    (Stage.HELO, (b"tls_version",)),
    (Stage.MAIL, (b"i", b"mail_addr", b"client_addr", b"client_name", *_WHO)),
    (Stage.RCPT, (b"rcpt_addr",)),
    (Stage.DATA, (b"i",)),
    (Stage.EOM, (b"i", *_WHO)),
)
"""The login is asked for again at the end: Postfix's cleanup may know it when the message came without MAIL."""


def agree(offer: Offer, actions: int = WANTED_ACTIONS, steps: int = WANTED_STEPS) -> Agreed:
    """Return the filter's answer to an offer: the common part of what is offered and wanted. Raises ProtocolError.

    Macro lists go with it only where the server lets a filter set them, because an older one takes the extra bytes for
    an error.
    """
    if offer.version < OLDEST_VERSION:
        raise ProtocolError(f"protocol version {offer.version}; {OLDEST_VERSION} to {NEWEST_VERSION} are spoken here")
    lists = bool(offer.actions & Action.SETSYMLIST)
    return Agreed(
        version=min(NEWEST_VERSION, offer.version),
        actions=int(offer.actions & (actions | Action.SETSYMLIST if lists else actions)),
        steps=int(offer.steps & steps),
        macros=WANTED_MACROS if lists else (),
    )


def answered(steps: int) -> frozenset[int]:
    """Return the letters of commands before the end of a message that get a reply under agreed `steps`."""
    return frozenset(int(letter) for letter, silent in NOT_ANSWERED.items() if not steps & silent)


def is_answered(letter: int, steps: int) -> bool:
    """Return whether the server waits for a reply after a command."""
    return letter == Letter.EOM or letter in answered(steps)
