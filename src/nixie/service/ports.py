"""What passes between a door and the pipeline: a submission in, an answer out.

A door knows its protocol and nothing of policies; the pipeline knows decisions and nothing of protocols. The `Answer` says,
per recipient, what the door must express, and everything it says is already durable when the door gets it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nixie.core.envelope import Client, Envelope
    from nixie.service.carried import Carried


@dataclass(frozen=True, slots=True)
class Submission:
    """One message as a door received it: who handed it over, its envelope, its bytes (CRLF line ends), its queue id.

    `provisional` is true where the door learns only later whether the transaction stands (the SMTP proxy): holds are then
    void until `Answer.confirm`.
    """

    door: str
    client: Client
    envelope: Envelope
    carried: Carried = field(repr=False)
    queue_id: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door must express: numbers into the envelope's recipients.

    `held` and `refused` copies are taken out; the rest goes on. `reply` is the SMTP reply for a refused whole
    (`550 5.7.1 ...`) or for "try again later" (`451 4.3.0 ...`), `""` when the message or a part of it goes on or is held.
    `later` asks the door to answer `reply` and forget the message. `token` names provisional holds for confirm and void.
    """

    held: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    later: bool = False
    reply: str = ""
    token: str = ""
    hold_ids: tuple[str, ...] = ()

    def stops(self, count: int) -> bool:
        """Return whether none of `count` recipients goes on."""
        return len(self.held) + len(self.refused) == count


class Judge(Protocol):
    """The pipeline as the doors see it. None of the three ever raises: in doubt the answer is `later`."""

    async def judge(self, submission: Submission) -> Answer:
        """Read, ask, decide, hold, record; answer when all of it is durable."""

    async def confirm(self, token: str) -> bool:
        """Make provisional holds firm; false when that could not be recorded (answer 451 then)."""

    async def void(self, token: str) -> None:
        """Drop provisional holds of a transaction that failed; the client still has the message."""
