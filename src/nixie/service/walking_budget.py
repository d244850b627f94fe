"""The budget in a walk forward: thresholds set at the turn of each day from what the walk itself has stated so far.

A gateway reads its ledger at night; a walk has none, and sees the same: the messages and suspicions of the days before. Lines that
are judged and never learned (slips put in for a measurement) are no traffic.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.budget import DAY_MS, SPANS_DAYS, Thresholds, enough_traffic, thresholds
from nixie.core.scales import UNCHANGED
from nixie.core.suspicion import Suspicion
from nixie.core.verdict import Mode

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.budget import Budget
    from nixie.core.scales import Scales
    from nixie.core.verdict import CopyVerdict
    from nixie.service.engine import Decision


@dataclass(slots=True)
class WalkTuning:
    """The thresholds of one walk; decisions are noted in the order of their days."""

    budget: Budget
    _numbers: dict[str, int] = field(default_factory=dict)
    _suspicions: deque[Suspicion] = field(default_factory=deque)
    _messages: Counter[int] = field(default_factory=Counter)
    _day: int = 0
    _noted: int = 0
    _in_force: Thresholds = field(default_factory=Thresholds)

    def scales(self, as_of: datetime) -> Scales:  # noqa: ARG002 - the protocol's
        """Return the shipped rates: a walk accepts nothing."""
        return UNCHANGED

    def asked_from(self, author: Address | None, as_of: datetime) -> float:
        """Return the threshold of the moment's day, set when the first message of a new day asks for it."""
        day = int(as_of.timestamp() // 86400)
        if day > self._day:
            self._day = day
            self._set(day * DAY_MS)
        number = self._numbers.get(author.key, -1) if author is not None else -1
        return max(self._in_force.everybody, self._in_force.senders.get(number, 0.0))

    def note(self, decision: Decision, as_of: datetime) -> None:
        """Count one message that was judged and is part of the traffic."""
        at, author = int(as_of.timestamp() * 1000), decision.origin.author
        self._messages[at // DAY_MS] += 1
        self._noted += 1
        copies = decision.verdict.copies
        for finding in decision.verdict.findings:
            values = dict(finding.values)
            probability = values.get("probability")
            if finding.check != "misdirected" or finding.recipient is None or not isinstance(probability, float):
                continue
            if not _wanted(copies[finding.recipient]):
                continue
            self._suspicions.append(
                Suspicion(
                    at,
                    self._numbers.setdefault(author.key, len(self._numbers) + 1) if author is not None else 0,
                    self._noted.to_bytes(16, "big"),
                    str(values.get("slip", "")),
                    probability,
                )
            )

    def _set(self, now: int) -> None:
        """Set the thresholds of the day that begins at `now`, and forget what no span reaches any more."""
        oldest = now - SPANS_DAYS[-1] * DAY_MS
        while self._suspicions and self._suspicions[0].at <= oldest:
            self._suspicions.popleft()
        for day in [day for day in self._messages if day * DAY_MS < oldest]:
            del self._messages[day]
        today = now // DAY_MS
        counted = self._messages.items()
        span = enough_traffic(self.budget, lambda days: sum(n for day, n in counted if day >= today - days))
        self._in_force = thresholds(self.budget, self._suspicions, span, now)


def _wanted(copy: CopyVerdict) -> bool:
    """Return whether an enforced rule about slips asked, or would have but for the budget."""
    asked = any(t.matched and t.mode is Mode.ENFORCE and t.track == "slip" for t in copy.trace)
    return asked or bool(copy.below_budget)
