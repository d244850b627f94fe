"""The checks in use. To add one, write its file beside this one and a line here (docs/add-a-check.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.checks import destination, misdirected

if TYPE_CHECKING:
    from nixie.core.decide import Check

CHECKS: tuple[Check, ...] = (
    misdirected,
    destination,
)
"""Every check, in the order in which findings are listed."""
