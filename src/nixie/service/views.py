"""Held copies as a person sees them, the same on the page, in the letter and at the command line.

A decision is read once for all its copies: one message may have thousands, and each reading costs as much as all of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nixie.core.verdict import Verdict
from nixie.render.evidence import Reader
from nixie.render.hold import choices_of, outcome_of, reasons_of, suggestions_of
from nixie.service.desk import CopyView, Suggestion
from nixie.service.records import verdict_of
from nixie.store import hold_views
from nixie.store.hold_states import State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from nixie.core.finding import Finding
    from nixie.store.hold_views import Hold


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision as it was recorded: `numbers` tells each recipient's number in the envelope by the address key.

    `findings` are those about each recipient by number, those about the whole message under None.
    """

    verdict: Verdict
    numbers: Mapping[str, int] = field(default_factory=dict, repr=False)
    findings: Mapping[int | None, tuple[Finding, ...]] = field(default_factory=dict, repr=False)

    def number(self, hold: Hold) -> int:
        """Return the number of the held copy's recipient; -1 when it cannot be told."""
        return self.numbers.get(hold.recipient, -1)

    def about(self, number: int) -> Verdict:
        """Return the verdict with only those findings that concern one recipient."""
        return replace(self.verdict, findings=self.findings.get(number, ()) + self.findings.get(None, ()))

    @property
    def passed(self) -> int:
        """Return how many copies went on at once."""
        return sum(not copy.disposition.strictness for copy in self.verdict.copies)


NOTHING = Judged(Verdict(()))
"""What is known of a decision that was erased, or that another version wrote."""


def judged(db: sqlite3.Connection, holds: Iterable[Hold]) -> dict[int, Judged]:
    """Return the decisions of these holds by their ledger rows, each read once."""
    return {
        row: _judged(body, addresses)
        for row, (addresses, body) in hold_views.decisions(db, {hold.decision for hold in holds}).items()
    }


def copy_view(hold: Hold, decisions: Mapping[int, Judged], reader: Reader = Reader.AUTHOR) -> CopyView:
    """Return one held copy as the reader sees it; `decisions` are those of `judged`."""
    decision = decisions.get(hold.decision, NOTHING)
    number = decision.number(hold)
    verdict = decision.about(number)
    return CopyView(
        hold=hold.id,
        recipient=hold.recipient,
        state=str(hold.state),
        open=hold.state is State.WAITING,
        reasons=reasons_of(verdict, number, reader),
        suggestions=tuple(Suggestion(address, p) for address, p in suggestions_of(verdict, number)),
        choices=choices_of(hold.disposition, hold.choices),
        outcome=outcome_of(str(hold.state), hold.corrected),
        blind=hold.blind,
    )


def _judged(body: Any, addresses: tuple[str, ...]) -> Judged:
    try:
        verdict = verdict_of(body or {}, addresses)
    except ValueError:
        return NOTHING
    numbers: dict[str, int] = {}
    to = body.get("to", ()) if isinstance(body, dict) else ()
    for number, index in enumerate(to):
        if 0 <= index < len(addresses):
            numbers.setdefault(addresses[index], number)
    findings: defaultdict[int | None, tuple[Finding, ...]] = defaultdict(tuple)
    for finding in verdict.findings:
        findings[finding.recipient] += (finding,)
    return Judged(verdict, numbers, dict(findings))
