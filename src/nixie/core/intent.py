"""Who was meant: all proposals of one message weighed together, the only place where probabilities meet.

The noisy channel of spelling correction (Kernighan, Church and Gale 1990): somebody meant *m* and wrote *r*. For each pair

    lambda(r, m) = P(a slip in the message) x P(slip turns m into r) x P(mean m) / P(write r, rightly)

A copy to *r* went astray to *m* with probability lambda(r, m) / (1 + the lambdas of all hypotheses), so one base rate is
shared by the whole circle and a hundred recipients are not a hundred times as suspect. Two bounds keep that honest: copies at
one written domain are one slip, not competitors; and a hypothesis that is surer than not counts as 1 against those at
other domains, because one sure slip does not make another copy right.

The base rate: 1 message in 463 was found to contain a real slip in published studies of sent mail; large organisations
report nearer 1 in 2,500. The lower one is taken; it covers slips of all kinds (`SHARE` of each slip kind is a part of it).
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from nixie.core.correspondence import Correspondence
from nixie.core.doubt import doubt
from nixie.core.finding import Candidate, Finding, Skipped
from nixie.core.grounds import Hypothesis, about_intended, about_written
from nixie.core.proposals import TOO_MANY, by_ending, shortlist
from nixie.core.routed import routed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.case import Case
    from nixie.core.correspondence import Expected
    from nixie.core.doubt import Doubt
    from nixie.core.facts import Facts
    from nixie.core.proposals import Proposal

CHECK = "misdirected"

ONE_SLIP_IN = 2_500
"""Messages per message with a slip of any kind."""

ENOUGH_HISTORY = 200
"""Copies the organisation must have sent before domains known by counts alone are weighed."""

REPORTED_FROM = 0.01
"""Least probability that makes a finding; below it a message has nothing to say."""

CANDIDATES = 3
"""Most candidates a finding keeps."""

NOT_TYPED = frozenset(("bounce", "list", "forward", "machine"))
"""Kinds of senders whose addresses nobody typed."""


def weigh(case: Case) -> tuple[Finding | Skipped, ...]:
    """Return at most one finding per envelope recipient, and what could not be weighed; in the envelope's order."""
    if (reason := _not_asked(case)) is not None:
        return (Skipped(CHECK, None, reason),)
    listed = shortlist(case.circle, case.proposals, case.organisation)
    if not listed.proposals:
        return ()
    hypotheses, thin = _hypotheses(case, listed.proposals)
    found: list[Finding | Skipped] = [Skipped(CHECK, None, TOO_MANY)] if listed.left_out else []
    by_key = _by_recipient(hypotheses)
    rest = _rest_by_domain(by_key)
    for number, recipient in enumerate(case.envelope.recipients):
        written = routed(recipient.address, case.organisation)
        key = written.key
        if written.domain in listed.crowded:
            found.append(Skipped(CHECK, number, TOO_MANY))
        finding = _finding(number, by_key[key], rest, case.facts) if key in by_key else None
        if finding is not None:
            found.append(finding)
        elif key in thin:
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


def _hypotheses(case: Case, proposals: Iterable[Proposal]) -> tuple[list[Hypothesis], set[str]]:
    """Return the hypotheses, and the keys of the written addresses with a proposal that the history is too short for."""
    found: list[Hypothesis] = []
    thin: set[str] = set()
    counts = Correspondence(case.facts, case.organisation)
    cold = case.facts.totals.organisation_sent < ENOUGH_HISTORY
    doubted = _doubted(case, proposals)
    for proposal in proposals:
        expected = counts.expected(proposal.intended)
        if expected.relation == "known" and cold:
            thin.add(proposal.written.key)
        elif expected.relation != "unknown" or proposal.domain in by_ending(proposal.written.domain):
            # What the index knows and the facts of the moment do not is no candidate: it may lie in the future.
            found.append(_hypothesis(counts, proposal, expected, doubted.get(proposal.written.domain)))
    return found, thin


def _doubted(case: Case, proposals: Iterable[Proposal]) -> dict[str, Doubt]:
    """Return the written domains whose counts carry no trust."""
    by_domain: dict[str, set[str]] = {}
    for proposal in proposals:
        by_domain.setdefault(proposal.written.domain, set()).add(proposal.domain)
    names = {name for domain, near in by_domain.items() for name in (domain, *near)}
    counts = {name: case.facts.domain(name).organisation for name in names}
    found = ((domain, doubt(domain, sorted(near), counts, case.organisation)) for domain, near in by_domain.items())
    return {domain: one for domain, one in found if one is not None}


def _hypothesis(counts: Correspondence, proposal: Proposal, expected: Expected, doubted: Doubt | None) -> Hypothesis:
    """Return one hypothesis with its weight, lambda."""
    honest = counts.honest(proposal.written, proposal.intended, doubted)
    suspicion = counts.suspicion(proposal.written)
    weight = proposal.slip.probability * expected.probability * suspicion / (ONE_SLIP_IN * honest)
    return Hypothesis(proposal, expected, doubted, honest, suspicion, weight)


def _by_recipient(hypotheses: Iterable[Hypothesis]) -> dict[str, list[Hypothesis]]:
    """Return the hypotheses by the key of the written address, the heaviest first."""
    found: dict[str, list[Hypothesis]] = {}
    for one in hypotheses:
        found.setdefault(one.proposal.written.key, []).append(one)
    for group in found.values():
        group.sort(key=lambda h: (-h.weight, h.proposal.domain))
    return found


def _rest_by_domain(by_recipient: dict[str, list[Hypothesis]]) -> dict[str, float]:
    """Return, by written domain, the weight of everything that competes with its slip.

    That is 1 for a message without slips, and the slip at each other domain, which counts at most 1.
    """
    mass: dict[str, float] = {}
    for group in by_recipient.values():
        domain = group[0].proposal.written.domain
        mass[domain] = max(mass.get(domain, 0.0), min(1.0, fsum(h.weight for h in group)))
    whole = fsum((1.0, *mass.values()))
    return {domain: max(1.0, whole - own) for domain, own in mass.items()}


def _finding(number: int, group: list[Hypothesis], rest: dict[str, float], facts: Facts) -> Finding | None:
    """Return the finding about one recipient, None when nothing is worth reporting."""
    own = fsum(h.weight for h in group)
    whole = own + rest[group[0].proposal.written.domain]
    if own / whole < REPORTED_FROM:
        return None
    best = group[0]
    return Finding(
        check=CHECK,
        recipient=number,
        values=(
            ("probability", own / whole),
            ("slip", best.proposal.slip.kind),
            ("intended_known", best.expected.known),
            ("intended_relation", best.expected.relation),
        ),
        evidence=about_written(best, facts, ONE_SLIP_IN),
        candidates=tuple(
            Candidate(str(h.proposal.intended), h.proposal.slip.kind, h.weight / whole, about_intended(h, facts))
            for h in group[:CANDIDATES]
        ),
    )
