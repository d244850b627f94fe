"""Who was meant: all hypotheses of one message weighed together, the only place where probabilities meet.

The noisy channel of spelling correction (Kernighan, Church and Gale 1990): somebody meant *m* and wrote *r*. For each pair

    lambda(r, m) = P(a slip in the message) x P(slip turns m into r) x P(mean m) / P(write r, rightly)

A copy to *r* went astray to *m* with probability lambda(r, m) / (1 + the lambdas of all hypotheses), so one base rate is
shared by the whole circle and a hundred recipients are not a hundred times as suspect. Two bounds keep that honest: copies at
one written domain that are typed slips of another are one slip, not competitors; and a hypothesis that is surer than not counts
as 1 against those about other copies, because one sure slip does not make another copy right.

Typed slips read both probabilities from the counts of the author and the organisation (`core.correspondence`), slips of the person and the
circle from the author's own book (`core.book`); all of them are multiplied by what the context says (`core.context`). *m* may be
nobody: then the address is one too many.

The base rate: 1 message in 463 was found to contain a real slip in published studies of sent mail; large organisations
report nearer 1 in 2,500. The lower one is taken; it covers slips of all kinds (`SHARE` of each slip kind is a part of it).
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from nixie.core.finding import Candidate, Finding, Skipped
from nixie.core.grounds import about_intended, about_written
from nixie.core.hypotheses import NOBODY, hypotheses_of
from nixie.core.people import ENOUGH_MAILS, LARGEST_GROUP
from nixie.core.proposals import TOO_MANY, shortlist
from nixie.core.routed import routed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.case import Case
    from nixie.core.context import Context
    from nixie.core.grounds import Hypothesis

CHECK = "misdirected"

ONE_SLIP_IN = 2_500
"""Messages per message with a slip of any kind."""

REPORTED_FROM = 0.01
"""Least probability that makes a finding, unless the check's setting `report_from` says otherwise."""

CANDIDATES = 3
"""Most candidates a finding keeps."""

NOT_TYPED = frozenset(("bounce", "list", "forward", "machine"))
"""Kinds of senders whose addresses nobody typed."""


def weigh(case: Case) -> tuple[Finding | Skipped, ...]:
    """Return at most one finding per envelope recipient, and what could not be weighed; in the envelope's order."""
    if (reason := _not_asked(case)) is not None:
        return (Skipped(CHECK, None, reason),)
    listed = shortlist(case.circle, case.proposals, case.organisation)
    found: list[Finding | Skipped] = [Skipped(CHECK, None, TOO_MANY)] if listed.left_out else []
    found += _people_not_asked(case)
    hypotheses = hypotheses_of(case, listed.proposals, ONE_SLIP_IN)
    if not hypotheses.found and not hypotheses.thin:
        return tuple(found)
    by_key = _by_recipient(hypotheses.found)
    rest = _Rest(by_key)
    report_from = float(case.settings.get(CHECK, {}).get("report_from", REPORTED_FROM))
    for number, recipient in enumerate(case.envelope.recipients):
        written = routed(recipient.address, case.organisation)
        key = written.key
        if written.domain in listed.crowded:
            found.append(Skipped(CHECK, number, TOO_MANY))
        if number < len(case.reached) and case.reached[number].by_table:
            if key in by_key:
                found.append(Skipped(CHECK, number, str(case.reached[number])))
            continue
        share = rest.share(by_key[key]) if key in by_key else 0.0
        finding = (
            _finding(number, by_key[key], share, case, hypotheses.context)
            if key in by_key and share >= report_from
            else None
        )
        if finding is not None:
            found.append(finding)
        elif key in hypotheses.thin:
            found.append(Skipped(CHECK, number, "too-little-history"))
    return tuple(found)


def _not_asked(case: Case) -> str | None:
    """Return why slips are not looked for in this message, None when they are."""
    origin = case.origin
    if origin.direction != "outgoing":
        return "not-outgoing"
    if origin.kind in NOT_TYPED:
        return "not-typed"
    return "no-author" if origin.author is None and origin.author_basis != "login" else None


def _people_not_asked(case: Case) -> list[Finding | Skipped]:
    """Return why the author's people were not weighed, where there are any."""
    if 0 < case.around.author_mails < ENOUGH_MAILS:
        return [Skipped(CHECK, None, "author-new")]
    if case.around.author_mails and len(case.circle) > LARGEST_GROUP:
        return [Skipped(CHECK, None, "large-circle")]
    return []


def _by_recipient(hypotheses: Iterable[Hypothesis]) -> dict[str, list[Hypothesis]]:
    """Return the hypotheses by the key of the written address, the heaviest first."""
    found: dict[str, list[Hypothesis]] = {}
    for one in hypotheses:
        found.setdefault(one.written.key, []).append(one)
    for group in found.values():
        group.sort(key=lambda h: (-h.weight, h.intended.key if h.intended else ""))
    return found


class _Rest:
    """The weight of everything that competes with the slips of one copy.

    That is 1 for a message without slips, and each other slip, which counts at most 1. Typed slips at one domain are one.
    """

    def __init__(self, by_recipient: dict[str, list[Hypothesis]]) -> None:
        self._typed: dict[str, float] = {}
        self._people: dict[str, float] = {}
        for key, group in by_recipient.items():
            domain = group[0].written.domain
            typed = min(1.0, fsum(h.weight for h in group if h.typed))
            self._typed[domain] = max(self._typed.get(domain, 0.0), typed)
            self._people[key] = min(1.0, fsum(h.weight for h in group if not h.typed))
        self._whole = fsum((1.0, *self._typed.values(), *self._people.values()))

    def share(self, group: list[Hypothesis]) -> float:
        """Return how probable it is that the copy which these hypotheses are about went astray."""
        own = fsum(h.weight for h in group)
        written = group[0].written
        rest = self._whole - self._typed[written.domain] - self._people[written.key]
        return own / (own + max(1.0, rest))


def _stated(probability: float) -> float:
    """Return a probability to nine digits: more would differ by the order in which a store counts its people."""
    return float(f"{probability:.9g}")


def _best_of_each(group: list[Hypothesis]) -> list[Hypothesis]:
    """Return the heaviest hypothesis for each intended address, in order."""
    best: dict[str, Hypothesis] = {}
    for one in group:
        best.setdefault(one.intended.key if one.intended else "", one)
    return list(best.values())


def _finding(number: int, group: list[Hypothesis], share: float, case: Case, context: Context | None) -> Finding:
    """Return the finding about one recipient."""
    best, facts = group[0], case.facts
    whole = fsum(h.weight for h in group) / share
    return Finding(
        check=CHECK,
        recipient=number,
        values=(
            ("probability", _stated(share)),
            ("slip", best.slip.kind),
            ("intended_known", best.expected.known),
            ("intended_relation", best.expected.relation if best.intended else NOBODY),
        ),
        evidence=about_written(best, facts, ONE_SLIP_IN, context),
        candidates=tuple(
            Candidate(
                str(h.intended) if h.intended else "",
                h.slip.kind,
                _stated(h.weight / whole),
                about_intended(h, facts, context),
            )
            for h in _best_of_each(group)[:CANDIDATES]
        ),
    )
