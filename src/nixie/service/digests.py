"""The reviewers' digest: copies that went on although a rule would have asked, because the budget was spent elsewhere.

Nobody can stop them any more; whoever reads of one may still call its author or its reader before harm is done, and sees what
the budget costs. A digest tells of whole UTC days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nixie.core.budget import DAY_MS
from nixie.core.verdict import Reached
from nixie.render.evidence import Reader, sentences
from nixie.render.letters import NotAsked
from nixie.service.records import verdict_of
from nixie.store.ledger import address_texts
from nixie.store.suspicions import below_budget
from nixie.store.tuning import digest_day

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from nixie.core.finding import Finding
    from nixie.store.suspicions import Judgement

MOST_DAYS = 31
"""A guard that was down for longer tells of its last days only; `nixie holds digest --days` tells of all."""


@dataclass(frozen=True, slots=True)
class Due:
    """A digest that is due: its last day (since 1970), and its span in milliseconds."""

    day: int
    since: int
    until: int


def due(db: sqlite3.Connection, now: int) -> Due | None:
    """Return the digest that is due at a moment in milliseconds; None while all whole days were told of."""
    today = now // DAY_MS
    last = digest_day(db)
    if last is not None and last >= today - 1:
        return None
    first = today - 1 if last is None else max(last + 1, today - MOST_DAYS)
    return Due(today - 1, first * DAY_MS, today * DAY_MS)


def not_asked(db: sqlite3.Connection, since: int, until: int) -> Iterator[NotAsked]:
    """Yield the copies between two moments that nobody was asked about for the budget's sake, each once, the oldest first."""
    told: set[tuple[int, bytes, int]] = set()
    for judgement in below_budget(db, since, until):
        numbers = {judgement.author, *judgement.numbers}
        texts = address_texts(db, (n for n in numbers if n))
        try:
            verdict = verdict_of(judgement.body, tuple(texts.get(n, "") for n in judgement.numbers))
        except ValueError:
            continue
        for copy in verdict.copies:
            recipient = judgement.recipient(copy.recipient)
            place = judgement.author, judgement.lookup, recipient
            if not copy.below_budget or place in told:
                continue
            told.add(place)
            found = next((f for f in verdict.findings if f.recipient == copy.recipient and _values(f)), None)
            reached = verdict.reached[copy.recipient] if copy.recipient < len(verdict.reached) else None
            yield _one(judgement, copy.below_budget, found, texts, recipient, blind=reached is Reached.BLIND)


def _one(
    judgement: Judgement, rule: str, found: Finding | None, texts: dict[int, str], recipient: int, *, blind: bool
) -> NotAsked:
    values = _values(found) if found is not None else {}
    return NotAsked(
        row=judgement.seq,
        at=datetime.fromtimestamp(judgement.at / 1000, UTC),
        rule=rule,
        author=texts.get(judgement.author, ""),
        recipient=texts.get(recipient, ""),
        probability=float(values.get("probability", 0.0)),
        suggestions=tuple(c.address for c in found.candidates if c.address) if found is not None else (),
        reasons=sentences(found, Reader.OTHER) if found is not None else (),
        blind=blind,
    )


def _values(finding: Finding) -> dict[str, Any]:
    return dict(finding.values) if finding.check == "misdirected" else {}
