"""What a policy is made of: rules in tracks, and exemptions with an owner, a reason and an end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from nixie.core.condition import Condition
    from nixie.core.verdict import Choice, Disposition, Mode

TRACKS = ("slip", "content", "marking", "destination", "crowd")
"""The tracks of a policy, in the order in which equally strict rules take precedence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: in `track`, when `condition` is met, the copy gets `disposition`, as far as `mode` lets it.

    `choices` are what the author may be offered, `reviewers` addresses (empty: the organisation's), `message` a sentence
    for the notice, `line` where the rule begins in its file.
    """

    track: str
    name: str
    mode: Mode
    condition: Condition
    disposition: Disposition
    choices: tuple[Choice, ...] = ()
    reviewers: tuple[str, ...] = field(default=(), repr=False)
    message: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Exemption:
    """Silences the named checks for the recipients that meet `condition`, through the day `until` (UTC).

    It never silences a verdict: rules that ask other checks still apply.
    """

    name: str
    checks: tuple[str, ...]
    condition: Condition
    owner: str
    reason: str
    until: date
    line: int = 0

    def applies(self, day: date) -> bool:
        """Return whether the exemption is still in force on the day."""
        return day <= self.until
