"""By how much an installation's slips differ from the shipped rates: one scale for all kinds and one for each.

`nixie knowledge calibrate` proposes them from outcomes (`core.calibration`), an administrator accepts them, and they multiply
the weight of every hypothesis. Each stays within a factor of four, so that a site can move the model a little and never turn it
into another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST, MOST = 0.25, 4.0
"""How far one scale may move; 1.0 is the shipped rate."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Factors on the odds of a slip: `all` for every kind, and a further one for some kinds by their word."""

    all: float = 1.0
    kinds: tuple[tuple[str, float], ...] = ()

    def of(self, kind: str) -> float:
        """Return the factor for slips of a kind."""
        own = next((scale for name, scale in self.kinds if name == kind), 1.0) if self.kinds else 1.0
        return self.all * own

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {"all": self.all, "kinds": dict(self.kinds)}


UNCHANGED = Scales()
"""The shipped rates."""


def scales_of(data: Mapping[str, Any]) -> Scales:
    """Return the scales that `to_json` wrote. Raises ValueError for another shape, and for a factor out of bounds."""
    try:
        kinds = tuple((str(kind), float(scale)) for kind, scale in sorted(data["kinds"].items()))
        scales = Scales(float(data["all"]), kinds)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not scales: {type(error).__name__}") from None
    if not all(LEAST <= scale <= MOST for scale in (scales.all, *(scale for _, scale in kinds))):
        raise ValueError(f"a scale lies between {LEAST} and {MOST}")
    return scales
