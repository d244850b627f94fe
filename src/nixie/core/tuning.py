"""What an installation has set for itself as of a moment: accepted scales, and the thresholds that follow from its budget.

Both change seldom and ahead of time; a decision reads what is in force and counts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nixie.core.scales import UNCHANGED

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.scales import Scales


class Tuning(Protocol):
    """Where the settings in force come from."""

    def scales(self, as_of: datetime) -> Scales:
        """Return the factors accepted before the moment."""

    def asked_from(self, author: Address | None, as_of: datetime) -> float:
        """Return the least probability about which this author is asked, 0.0: any."""


class Untuned:
    """Nothing was set: shipped rates, and no threshold."""

    def scales(self, as_of: datetime) -> Scales:  # noqa: ARG002 - the protocol's
        """Return the shipped rates."""
        return UNCHANGED

    def asked_from(self, author: Address | None, as_of: datetime) -> float:  # noqa: ARG002 - the protocol's
        """Return that any probability will do."""
        return 0.0
