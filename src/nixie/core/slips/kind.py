"""What a slip kind is, and what it says of a written form: the shape that the files of this room have.

A slip kind knows one way in which the form somebody meant becomes the form that was written. It proposes nothing and
decides nothing: asked about a pair, it answers how probable this very written form is, given that this kind of slip
happened to the one that was meant. Rates meet counts in `core.intent` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

TELLING = 0.25
"""The first kind that holds this part of the whole probability gives its name."""


class AnyKind(Protocol):
    """What every slip kind says of itself, whatever part of an address it is about."""

    @property
    def KIND(self) -> str:  # noqa: N802 - a constant of a module
        """The word under which policies and records know it."""

    @property
    def PART(self) -> str:  # noqa: N802 - a constant of a module
        """What it changes: `domain`, `local` (the local part), `person` (who stands behind the address)."""

    @property
    def SHARE(self) -> float:  # noqa: N802 - a constant of a module
        """How many of all slips are of this kind, 0 to 1; the kinds of all parts together stay below 1."""

    @property
    def SOURCE(self) -> str:  # noqa: N802 - a constant of a module
        """Where the share comes from."""

    @property
    def WHAT(self) -> str:  # noqa: N802 - a constant of a module
        """The slip in words, as a clause: "one letter is missing"."""


class SlipKind(AnyKind, Protocol):
    """One way to slip between two texts. A module (or value) with these names is a slip kind; `core.slips.SLIPS` (domains) and
    `core.slips.LOCAL_SLIPS` (local parts) are the lists of those in use. Kinds of people: `person_kind.PersonKind`.
    """

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


def summed(shares: Sequence[tuple[AnyKind, float]], telling: float = TELLING) -> Slip | None:
    """Return the slip of a pair from each kind's part of its probability (rate times likelihood); None when all are 0.

    The kinds stand in the order of their registry: the first that holds the part `telling` of the whole gives the name.
    """
    whole = sum(share for _, share in shares)
    if whole <= 0.0:
        return None
    most = max(share for _, share in shares)
    named = next(kind for kind, share in shares if share > 0.0 and (share >= telling * whole or share == most))
    return Slip(named.KIND, named.WHAT, named.PART, whole)
