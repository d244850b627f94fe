"""One copy that was thought a possible slip, as the record tells it later: how probable, whether asked, what came of it.

Made by `service.suspicions` from the ledger; the annoyance budget (`core.budget`) and the calibration (`core.calibration`) count them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a copy that was thought a possible slip."""

    CORRECTED = "corrected"
    """It was sent to another address: a slip that was caught."""
    CANCELLED = "cancelled"
    """It was not to go as it stood: a slip that was caught."""
    RELEASED = "released"
    """The address was right: asked in vain."""
    FOUND_LATER = "found-later"
    """Nobody was asked; it bounced, or the reader said that it was the wrong address."""
    UNKNOWN = "unknown"
    """Nobody was asked, or nobody has answered."""

    @property
    def caught(self) -> bool:
        """Return whether the question was right."""
        return self in (Outcome.CORRECTED, Outcome.CANCELLED)

    @property
    def answered(self) -> bool:
        """Return whether a person has said which of the two it was."""
        return self.caught or self is Outcome.RELEASED

    @property
    def slip(self) -> bool:
        """Return whether it was a slip as far as anybody knows."""
        return self.caught or self is Outcome.FOUND_LATER


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One such copy. `at` is milliseconds since 1970, `author` a number (0: nobody who can be named), `message` names the message
    whatever number of transactions carried it, `probability` is the one that was stated.

    `ours` says that a domain of ours or a partner's was meant, `scale` by which accepted factor the probability was moved, `asked` that a
    rule about slips held the copy, `below_budget` that it did not for the budget's sake alone, `wanted` that the present rules
    would ask about it if the budget let them.
    """

    at: int
    author: int
    message: bytes = field(repr=False)
    kind: str
    probability: float
    ours: bool = False
    scale: float = 1.0
    asked: bool = False
    below_budget: bool = False
    wanted: bool = True
    outcome: Outcome = Outcome.UNKNOWN
