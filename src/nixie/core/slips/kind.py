"""What a slip kind is, and what it says of a written form: the shape that every file of this room has.

A slip kind knows one way in which the form somebody meant becomes the form that was written. It proposes nothing and
decides nothing: asked about a pair, it answers how probable this very written form is, given that this kind of slip
happened to the one that was meant. Rates meet counts in `core.intent` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class SlipKind(Protocol):
    """One way to slip. A module with these names is a slip kind; `core.slips.SLIPS` is the list of those in use."""

    @property
    def KIND(self) -> str:  # noqa: N802 - a constant of a module
        """The word under which policies and records know it."""

    @property
    def PART(self) -> str:  # noqa: N802 - a constant of a module
        """The part of an address that it changes: `domain`."""

    @property
    def SHARE(self) -> float:  # noqa: N802 - a constant of a module
        """How many of all slips are of this kind, 0 to 1; the kinds of all parts together stay below 1."""

    @property
    def SOURCE(self) -> str:  # noqa: N802 - a constant of a module
        """Where the share comes from."""

    @property
    def WHAT(self) -> str:  # noqa: N802 - a constant of a module
        """The slip in words, as a clause: "one letter is missing"."""

    @property
    def FIRES(self) -> tuple[tuple[str, str], ...]:  # noqa: N802 - a constant of a module
        """Pairs (meant, written) that are this slip."""

    @property
    def QUIET(self) -> tuple[tuple[str, str], ...]:  # noqa: N802 - a constant of a module
        """Pairs (meant, written) that are not."""

    def likelihood(self, intended: str, written: str) -> float:
        """Return P(exactly `written` | `intended` was meant, a slip of this kind happened), 0.0 if it is none."""


@dataclass(frozen=True, slots=True)
class Slip:
    """The best explanation of a written form: the kind, in words, and P(written | intended, some slip happened).

    `probability` sums over all kinds that explain the pair; `kind` is the one that tells a reader most.
    """

    kind: str
    what: str
    part: str
    probability: float
